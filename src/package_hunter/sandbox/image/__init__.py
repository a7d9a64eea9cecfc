"""The box's root file system: a developer's machine, packed once as erofs, shared read-only by all boxes."""

from package_hunter.sandbox.image.build import Variant, build_image, find_image
from package_hunter.sandbox.image.interpreters import interpreters
from package_hunter.sandbox.image.registries import built_in_file_hosts, built_in_registries

__all__ = [
    "Variant",
    "build_image",
    "built_in_file_hosts",
    "built_in_registries",
    "find_image",
    "interpreters",
]
