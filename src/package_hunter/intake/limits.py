"""What an archive may hold. Plain values: the confined unpacker gets them as JSON and imports nothing
heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from package_hunter.config import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, ``depth`` in path components. ``trusted_names``: the names come from a file system of
    the user's own (a directory scan), where two may differ in case only and links leaving the tree are left
    out instead of refusing the whole."""

    unpacked_bytes: int = 2 << 30
    files: int = 200_000
    depth: int = 64
    name_bytes: int = 255
    path_bytes: int = 4096
    cpu_seconds: int = 120
    memory_bytes: int = 768 << 20
    trusted_names: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the settings ask for."""
        return cls(
            unpacked_bytes=settings.max_unpacked_bytes,
            files=settings.max_files,
            depth=settings.max_depth,
            name_bytes=settings.max_name_bytes,
            path_bytes=settings.max_path_bytes,
        )
