"""Fixtures of this folder are in sandbox_box.py, which its tests import too."""

from tests.support.sandbox_box import _image_mount, box, make_box  # noqa: F401
