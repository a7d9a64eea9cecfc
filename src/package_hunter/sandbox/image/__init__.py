"""The box's root file system: a developer's machine, packed once as erofs, shared read-only by all boxes."""

from package_hunter.sandbox.image.build import Variant, build_image, find_image, gem_source

__all__ = ["Variant", "build_image", "find_image", "gem_source"]
