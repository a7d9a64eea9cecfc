"""Reading files that came out of a box: bounded, never through a link, never blocking."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from package_hunter.ecosystems import jsontext

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_MAX_ENTRIES = 100_000


class BoxTree:
    """The files of a box as the host sees them: ``root`` is the host folder that holds what the box calls
    ``/`` (its overlay's upper layer, or a source tree). All paths are absolute in the box.

    The box may still run and change what is read: each answer is untrusted, and ``None`` or empty stands for
    whatever is missing, too long, no plain file, or behind a link.
    """

    def __init__(self, root: Path, box_root: str = "/") -> None:
        """``box_root``: where the box sees ``root``, for a tree that is only a part (a project)."""
        self._root = root
        self._prefix = tuple(part for part in box_root.split("/") if part)

    def read(self, path: str, limit: int = 1 << 20) -> bytes | None:
        """The content of a plain file of at most ``limit`` bytes."""
        with suppress(OSError, ValueError):
            parent, name = self._parent(path)
            try:
                fd = os.open(name, _FILE, dir_fd=parent)
            finally:
                os.close(parent)
            with os.fdopen(fd, "rb") as stream:
                info = os.fstat(fd)
                if stat.S_ISREG(info.st_mode) and info.st_size <= limit:
                    data = stream.read(limit + 1)
                    return data if len(data) <= limit else None
        return None

    def read_json(self, path: str, limit: int = 16 << 20) -> dict[str, Any]:
        """A JSON object out of a file; ``{}`` where there is none."""
        return parse_object(self.read(path, limit))

    def kind(self, path: str) -> str:
        """``file``, ``folder``, ``link``, ``other`` or ``""`` where nothing is."""
        with suppress(OSError, ValueError):
            parent, name = self._parent(path)
            try:
                mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
            finally:
                os.close(parent)
            if stat.S_ISREG(mode):
                return "file"
            return "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"
        return ""

    def names(self, path: str) -> list[str]:
        """Names in a folder, sorted; at most 100,000."""
        with suppress(OSError, ValueError):
            fd = self._open(self._parts(path))
            try:
                with os.scandir(fd) as entries:
                    found = [entry.name for _, entry in zip(range(_MAX_ENTRIES), entries, strict=False)]
            finally:
                os.close(fd)
            return sorted(name for name in found if _printable(name))
        return []

    def link_target(self, path: str) -> str | None:
        """Where a symbolic link points, as it stands in the link."""
        with suppress(OSError, ValueError):
            parent, name = self._parent(path)
            try:
                return os.readlink(name, dir_fd=parent)
            finally:
                os.close(parent)
        return None

    def _parts(self, path: str) -> tuple[str, ...]:
        parts = tuple(part for part in path.split("/") if part not in ("", "."))
        if ".." in parts or not path.startswith("/"):
            raise ValueError("not an absolute, plain path")
        if parts[: len(self._prefix)] != self._prefix:
            raise ValueError("outside the tree")
        return parts[len(self._prefix) :]

    def _parent(self, path: str) -> tuple[int, str]:
        parts = self._parts(path)
        if not parts:
            raise ValueError("the root has no parent")
        return self._open(parts[:-1]), parts[-1]

    def _open(self, parts: tuple[str, ...]) -> int:
        fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts:
            try:
                inner = os.open(part, _FOLDER, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        return fd


def _printable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_object(data: bytes | None) -> dict[str, Any]:
    """Untrusted JSON that should be an object; ``{}`` for anything else."""
    if data is None:
        return {}
    try:
        value = jsontext.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def as_map(value: object) -> dict[str, Any]:
    """An untrusted value that should be an object."""
    return value if isinstance(value, dict) else {}


def as_text_map(value: object) -> dict[str, str]:
    """An untrusted value that should map names to texts; other entries are left out."""
    return {key: text for key, text in as_map(value).items() if isinstance(text, str)}


def as_text(value: object, limit: int = 1024) -> str:
    """An untrusted value that should be a short text."""
    return value[:limit] if isinstance(value, str) else ""
