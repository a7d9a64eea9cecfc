"""Makes `tests.requires` importable as `requires` from every test."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "acceptance"))

# A busy machine draws slowly; that says nothing of a strategy. No property here is a matter of time.
settings.register_profile("package-hunter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("package-hunter")
