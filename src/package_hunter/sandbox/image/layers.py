"""Unpacking the layers of a container image as a box's root: nothing is followed, run, or trusted.

Facts: OCI image-spec layer.md (whiteouts ``.wh.NAME`` and ``.wh..wh..opq``), ``docker save``'s manifest.json.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from package_hunter.errors import HostError

_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPAQUE, _GONE = ".wh..wh..opq", ".wh."
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class LayerLimits:
    """What all layers of an image may hold together."""

    bytes: int = 16 << 30
    entries: int = 2_000_000
    depth: int = 128


def _opened(layer: IO[bytes]) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=layer, mode="r|*")
    except TypeError as error:  # tarfile's, of a gzip header that ends early
        raise tarfile.ReadError("its header is cut short") from error


class Root:
    """The root that layers are laid into, one after the other. Entries are made relative to directory
    descriptors; no link on the way is followed, so that none can lead out."""

    def __init__(self, folder: Path, limits: LayerLimits | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._root = os.open(folder, _DIR)
        self._limits = limits or LayerLimits()
        self._bytes = self._entries = 0

    def close(self) -> None:
        os.close(self._root)

    def lay(self, layer: IO[bytes]) -> None:
        """One layer, a tar (gzip or not). Raises HostError where it is broken, hostile or too large."""
        made: set[tuple[str, ...]] = set()
        try:
            with _opened(layer) as archive:
                for member in archive:
                    self._entries += 1
                    if self._entries > self._limits.entries:
                        raise HostError(f"The image has more than {self._limits.entries} files.")
                    self._entry(archive, member, made)
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise HostError(f"A layer of the image cannot be unpacked: {error}.") from error

    def _entry(self, archive: tarfile.TarFile, member: tarfile.TarInfo, made: set[tuple[str, ...]]) -> None:
        parts = _parts(member.name)
        if parts == ():
            return
        if parts is None or len(parts) > self._limits.depth:
            raise HostError(f"The image names a file outside of itself ({member.name[:200]!r}).")
        name = parts[-1]
        with self._parent(parts[:-1]) as parent:
            if name == _OPAQUE:
                self._empty(parent, parts[:-1], made)
            elif name.startswith(_GONE):
                _remove(parent, name.removeprefix(_GONE))
            else:
                self._make(archive, member, parent, name)
                made.add(parts)

    def _make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parent: int, name: str) -> None:
        if member.isdir():
            if not _is_directory(parent, name):
                _remove(parent, name)
                os.mkdir(name, 0o755, dir_fd=parent)
        elif member.isreg():
            _remove(parent, name)
            self._file(archive, member, parent, name)
        elif member.issym():
            _remove(parent, name)
            os.symlink(member.linkname, name, dir_fd=parent)
        elif member.islnk():
            self._second_name(member, parent, name)
            return
        else:  # a device or a pipe: left out
            return
        _dress(member, parent, name)

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parent: int, name: str) -> None:
        self._bytes += member.size
        if self._bytes > self._limits.bytes:
            raise HostError(f"The image is larger than {self._limits.bytes >> 20} MB unpacked.")
        source = archive.extractfile(member)
        assert source is not None
        with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=parent), "wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)

    def _second_name(self, member: tarfile.TarInfo, parent: int, name: str) -> None:
        target = _parts(member.linkname)
        if not target:
            raise HostError(f"The image links to a file outside of itself ({member.linkname[:200]!r}).")
        with self._parent(target[:-1]) as other:
            info = os.stat(target[-1], dir_fd=other, follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                raise HostError(f"The image links to a directory ({member.linkname[:200]!r}).")
            _remove(parent, name)
            os.link(target[-1], name, src_dir_fd=other, dst_dir_fd=parent, follow_symlinks=False)

    def _empty(self, folder: int, place: tuple[str, ...], made: set[tuple[str, ...]]) -> None:
        """An opaque directory: what earlier layers put there is gone, this layer's own stays."""
        for name in os.listdir(folder):
            if not any(path[: len(place) + 1] == (*place, name) for path in made):
                _remove(folder, name)

    @contextmanager
    def _parent(self, parts: tuple[str, ...]) -> Iterator[int]:
        fd = os.dup(self._root)
        try:
            for part in parts:
                try:
                    inner = os.open(part, _DIR, dir_fd=fd)
                except FileNotFoundError:
                    os.mkdir(part, 0o755, dir_fd=fd)
                    inner = os.open(part, _DIR, dir_fd=fd)
                os.close(fd)
                fd = inner
            yield fd
        finally:
            os.close(fd)


def _parts(name: str) -> tuple[str, ...] | None:
    """A path below the root; ``()`` is the root itself, None leads out of it."""
    if "\0" in name:
        return None
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    return None if ".." in parts else parts


def _is_directory(parent: int, name: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _remove(parent: int, name: str) -> None:
    if name in ("", ".", ".."):
        raise HostError("The image deletes a folder that it may not name.")
    if _is_directory(parent, name):
        shutil.rmtree(name, dir_fd=parent)
        return
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        pass


def _dress(member: tarfile.TarInfo, parent: int, name: str) -> None:
    # Ids beyond those of a box's user namespace would be nobody's there.
    owner, group = (number if 0 <= number < 65_536 else 0 for number in (member.uid, member.gid))
    os.chown(name, owner, group, dir_fd=parent, follow_symlinks=False)
    if not member.issym():
        os.chmod(name, member.mode & 0o777, dir_fd=parent)
    when = max(0.0, min(member.mtime, 4e9))
    os.utime(name, (when, when), dir_fd=parent, follow_symlinks=False)
