"""Writing a tree of untrusted names below one open directory, never following a link."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LATEST = 1 << 33  # seconds; later times are nonsense that some file systems refuse


class TreeWriter:
    """Makes folders, files and links below ``root_fd`` (which stays open and the caller's)."""

    def __init__(self, root_fd: int) -> None:
        self._root = root_fd
        self._stack: list[tuple[str, int]] = []  # the open folders on the way to the last one used

    def __enter__(self) -> TreeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._pop(0)

    def folder(self, parts: tuple[str, ...]) -> int:
        """Descriptor of that folder, made where missing; valid until the next call."""
        same = 0
        while same < min(len(parts), len(self._stack)) and self._stack[same][0] == parts[same]:
            same += 1
        self._pop(same)
        for part in parts[same:]:
            parent = self._stack[-1][1] if self._stack else self._root
            try:
                os.mkdir(part, 0o755, dir_fd=parent)
            except FileExistsError:
                pass
            self._stack.append((part, os.open(part, _DIRECTORY, dir_fd=parent)))
        return self._stack[-1][1] if self._stack else self._root

    def file(self, parts: tuple[str, ...], chunks: Iterable[bytes], executable: bool, mtime: float) -> int:
        """Write a new file; returns its size. Setuid bits and owners are never taken over."""
        parent = self.folder(parts[:-1])
        fd = os.open(parts[-1], _NEW_FILE, 0o755 if executable else 0o644, dir_fd=parent)
        size = 0
        try:
            for chunk in chunks:
                size += len(chunk)
                view = memoryview(chunk)
                while view:
                    view = view[os.write(fd, view) :]
            when = min(max(mtime, 0.0), float(_LATEST)) if mtime == mtime else 0.0
            os.utime(fd, (when, when))
        finally:
            os.close(fd)
        return size

    def hard_link(self, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        """A second name for a file written earlier."""
        source = os.dup(self.folder(old[:-1]))
        try:
            os.link(
                old[-1], new[-1], src_dir_fd=source, dst_dir_fd=self.folder(new[:-1]), follow_symlinks=False
            )
        finally:
            os.close(source)

    def link(self, parts: tuple[str, ...], target: str) -> None:
        """Make a symbolic link; call it after every file is written, so that no write goes through one."""
        os.symlink(target, parts[-1], dir_fd=self.folder(parts[:-1]))

    def _pop(self, keep: int) -> None:
        while len(self._stack) > keep:
            os.close(self._stack.pop()[1])
