"""Settings of all tests."""

import os

from hypothesis import HealthCheck, settings

from package_hunter.ecosystems import known  # noqa: F401 (says which ecosystems there are)

# Tests of other things than depth look no further than they must: a package's scan has one box then, too.
os.environ.setdefault("PACKAGE_HUNTER_DEPTH", "quick")

# A busy machine draws slowly; that says nothing of a strategy. No property here is a matter of time.
settings.register_profile("package-hunter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("package-hunter")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Long bytes have no name of their own: packed ones hold the time, and two processes that run the tests side by
    side would call them differently."""
    return "bytes" if isinstance(val, bytes) and len(val) > 24 else None
