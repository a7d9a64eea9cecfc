"""The box's root file system: a developer's machine, packed once as erofs, shared read-only by all boxes."""

from package_hunter.sandbox.image.build import build_image, find_image

__all__ = ["build_image", "find_image"]
