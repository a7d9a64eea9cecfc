"""Fixtures of this folder are in sandbox_box.py, which its tests import too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sandbox_box import _image_mount, box, make_box  # noqa: F401
