"""A directory of the user's as a tar stream: it goes through the same filter as an archive.

The directory is read with the rights of the caller (it may be readable by its owner only); nothing in it is
interpreted here, links are never followed.
"""

from __future__ import annotations

import os
import stat
import tarfile
from contextlib import suppress
from typing import IO

from package_hunter.errors import NothingToScanError
from package_hunter.intake.limits import Limits
from package_hunter.intake.names import shown
from package_hunter.model.ecosystem import Facts, derived

_VERSION_CONTROL = {".git", ".hg", ".svn", ".jj"}
_MADE_BY_TOOLS = {"__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache"}
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


_Markers = dict[str, set[str]]  # folder -> files any of which shows who made it


@derived
def _made_by_managers(known: tuple[Facts, ...]) -> tuple[_Markers, _Markers]:
    """Shown by a file beside the folder, and by one in it."""
    beside: _Markers = {}
    within: _Markers = {}
    for one in known:
        for folder, marker in one.made_beside.items():
            beside.setdefault(folder, set()).add(marker)
        for folder, marker in one.made_with.items():
            within.setdefault(folder, set()).add(marker)
    return beside, within


class _Sender:
    def __init__(self, tar: tarfile.TarFile, limits: Limits) -> None:
        self._tar, self._limits = tar, limits
        self.notes: list[str] = []

    def folder(self, fd: int, prefix: str, depth: int) -> None:
        if depth > self._limits.depth:
            self._skip(prefix, "lies too deep")
            return
        with os.scandir(fd) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            path = f"{prefix}{name}"
            info = os.stat(name, dir_fd=fd, follow_symlinks=False)
            if not _encodable(path):
                self._skip(path, "has a name that is not UTF-8")
            elif stat.S_ISDIR(info.st_mode):
                self._sub_folder(fd, name, path, depth, names)
            elif stat.S_ISLNK(info.st_mode):
                self._add(path, tarfile.SYMTYPE, info, target=os.readlink(name, dir_fd=fd))
            elif stat.S_ISREG(info.st_mode):
                self._file(fd, name, path)
            else:
                self._skip(path, "is a device, pipe or socket")

    def _sub_folder(self, fd: int, name: str, path: str, depth: int, siblings: list[str]) -> None:
        if name in _VERSION_CONTROL:
            self._skip(path, "is version control's")
            return
        inner = os.open(name, _OPEN_DIRECTORY, dir_fd=fd)
        try:
            if self._made_by_install(inner, name, siblings):
                self._skip(path, "is made by installs; the scan makes its own")
                return
            self._add(path, tarfile.DIRTYPE, os.fstat(inner))
            self.folder(inner, f"{path}/", depth + 1)
        finally:
            os.close(inner)

    @staticmethod
    def _made_by_install(inner: int, name: str, siblings: list[str]) -> bool:
        if name in _MADE_BY_TOOLS:
            return True
        beside, within = _made_by_managers()
        if name in beside:
            return not beside[name].isdisjoint(siblings)
        for marker in within.get(name, ()):
            with suppress(OSError):
                os.stat(marker, dir_fd=inner)
                return True
        return False

    def _file(self, fd: int, name: str, path: str) -> None:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
        with os.fdopen(file, "rb") as source:
            info = os.fstat(file)
            if stat.S_ISREG(info.st_mode):
                self._add(path, tarfile.REGTYPE, info, source=source)

    def _add(
        self, path: str, kind: bytes, info: os.stat_result, target: str = "", source: IO[bytes] | None = None
    ) -> None:
        header = tarfile.TarInfo(path)
        header.type, header.mode, header.mtime = kind, info.st_mode & 0o777, max(0, int(info.st_mtime))
        header.linkname = target
        header.size = info.st_size if source else 0
        self._tar.addfile(header, _ExactFile(source, info.st_size) if source else None)  # type: ignore[arg-type]

    def _skip(self, path: str, why: str) -> None:
        if len(self.notes) < 200:
            self.notes.append(f"“{shown(path)}” stayed outside: it {why}.")


class _ExactFile:
    """A file whose size may change while it is read: never more nor fewer bytes than announced."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source, self._left = source, size

    def read(self, size: int) -> bytes:
        size = min(size, self._left)
        data = self._source.read(size)
        self._left -= size
        return data.ljust(size, b"\0")


def _encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def send(directory: int, sink: IO[bytes], limits: Limits) -> list[str]:
    """Write the directory behind that descriptor to ``sink`` as a plain tar; returns what was left out, as
    sentences. Folders of version control and those that installs make stay outside."""
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        sender = _Sender(tar, limits)
        sender.folder(directory, "", 1)
    return sender.notes


def open_directory(path: str) -> int:
    """Open a directory of the user's, or say why not."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise NothingToScanError(
            f"The directory {path} cannot be read: {error.strerror}.", "Check its path and its permissions."
        ) from None
