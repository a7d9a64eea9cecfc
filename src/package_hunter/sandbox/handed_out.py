"""Runtimes out of the image, packed as their makers' releases are: what malware fetches to run itself by.

An archive is made when it is first asked for and kept in a folder of the data directory, under a digest of the image's
name and its own. The image is mounted read-only; no link of it is followed.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

_BUN = re.compile(r"(bun-linux-x64(?:-baseline|-profile|-baseline-profile)?)\.zip")
_DENO = re.compile(r"deno-x86_64-unknown-linux-gnu\.zip")
_NODE = re.compile(r"(node-v(\d{1,2})\.\d{1,3}\.\d{1,3}-linux-x64)\.tar\.([gx]z)")
_PYTHON = re.compile(
    r"cpython-3\.(\d{1,2})\.\d{1,3}\+\d{8}-x86_64-unknown-linux-gnu-install_only(_stripped)?\.tar\.gz"
)
_MOST = 6  # archives of one scan: a version of each name is one, and packing takes seconds
_KEPT = 12  # in the folder; the oldest is taken away
_LEFT_OUT = frozenset(("__pycache__", "test", "idlelib", "tkinter", "ensurepip", "share"))
_Entry = tuple[str, Path]  # name in the archive -> a file or link of the image


class HandedOut:
    """Packs for one scan. ``root`` is the mounted image, ``folder`` where archives are kept."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder = root, folder
        self._names: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, name: str) -> BinaryIO | None:
        """The archive of that name, open for reading; None where the image has nothing such, or the scan had its
        share. The name is untrusted."""
        with self._lock:
            make = _maker(self._root, name)
            if make is None or len(self._names | {name}) > _MOST:
                return None
            self._names.add(name)
            key = hashlib.sha256(f"{self._root.name}\0{name}".encode()).hexdigest()[:32]
            path = self._folder / key
            if not path.exists():
                self._make(path, make)
            return path.open("rb")

    def _make(self, path: Path, make: Callable[[IO[bytes]], None]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".part-", delete=False) as file:
            try:
                make(file)
                file.flush()
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        made = sorted((one for one in self._folder.glob("[0-9a-f]*")), key=lambda one: one.stat().st_mtime)
        for old in made[:-_KEPT]:
            old.unlink(missing_ok=True)  # who reads it keeps it


def _maker(root: Path, name: str) -> Callable[[IO[bytes]], None] | None:
    """What writes the archive of that name; None where the image does not have it."""
    if found := _BUN.fullmatch(name):
        return _zipped(root / "usr/local/opt/bun/bin/bun", f"{found[1]}/bun")
    if _DENO.fullmatch(name):
        return _zipped(root / "usr/local/opt/deno/bin/deno", "deno")
    if found := _NODE.fullmatch(name):
        home = _node_home(root, int(found[2]))
        return _tarred(list(_node(home, found[1])), found[3]) if home else None
    if found := _PYTHON.fullmatch(name):
        entries = list(_python(root, int(found[1])))
        return _tarred(entries, "gz") if entries else None
    return None


def _zipped(program: Path, inner: str) -> Callable[[IO[bytes]], None] | None:
    if not _is_plain(program):
        return None

    def write(out: IO[bytes]) -> None:
        with zipfile.ZipFile(out, "w") as archive:
            member = zipfile.ZipInfo(inner, (2025, 6, 1, 12, 0, 0))
            member.external_attr = 0o755 << 16  # stored as it is: to pack it would take seconds
            member.file_size = program.stat().st_size
            with _opened(program) as source, archive.open(member, "w") as target:
                while part := source.read(1 << 20):
                    target.write(part)

    return write


def _tarred(entries: list[_Entry], kind: str) -> Callable[[IO[bytes]], None]:
    def write(out: IO[bytes]) -> None:
        with (
            _packing(out, kind) as stream,
            tarfile.open(fileobj=stream, mode="w|", bufsize=1 << 20) as archive,
        ):
            for name, path in entries:
                member = archive.gettarinfo(str(path), name)
                member.uid = member.gid = 0
                member.uname = member.gname = "root"
                if member.isreg() or member.islnk():  # of several names for one file each is the file
                    member.type, member.linkname, member.size = tarfile.REGTYPE, "", path.stat().st_size
                    with _opened(path) as source:
                        archive.addfile(member, source)
                elif member.issym() or member.isdir():
                    archive.addfile(member)

    return write


def _packing(out: IO[bytes], kind: str) -> lzma.LZMAFile | gzip.GzipFile:
    return lzma.LZMAFile(out, "wb", preset=0) if kind == "xz" else gzip.GzipFile("", "wb", 1, out, 0)


def _node_home(root: Path, major: int) -> Path | None:
    """The folder of the Node.js in the image that is nearest to a major version."""
    homes = {int(one.name[4:]): one for one in root.glob("usr/local/opt/node[0-9][0-9]") if one.is_dir()}
    header = root / "usr/local/include/node/node_version.h"
    if _is_plain(header):
        with _opened(header) as file:
            version = re.search(rb"^#define NODE_MAJOR_VERSION (\d{1,3})$", file.read(1 << 16), re.M)
        if version:
            homes[int(version[1])] = root / "usr/local"
    return homes[min(homes, key=lambda one: abs(one - major))] if homes else None


def _node(home: Path, top: str) -> Iterator[_Entry]:
    yield f"{top}/bin/node", home / "bin/node"
    for name in ("npm", "npx"):
        if (home / "bin" / name).is_symlink():
            yield f"{top}/bin/{name}", home / "bin" / name
    yield from _below(home / "lib/node_modules/npm", f"{top}/lib/node_modules/npm")


def _python(root: Path, minor: int) -> Iterator[_Entry]:
    """The Python in the image that is nearest to a minor version, laid out as a build that can stand anywhere."""
    homes = {int(one.name[8:]): one for one in root.glob("usr/local/opt/python3.[0-9]*") if one.is_dir()}
    for library in root.glob("usr/lib/python3.[0-9]*"):
        if _is_plain(root / f"usr/bin/{library.name}"):
            homes[int(library.name[8:])] = root / "usr"
    if not homes:
        return
    nearest = min(homes, key=lambda one: abs(one - minor))
    home, name = homes[nearest], f"python3.{nearest}"
    for program in (name, "python3", "python"):
        yield f"python/bin/{program}", home / "bin" / name
    yield from _below(home / "lib" / name, f"python/lib/{name}")
    yield from _below(root / "usr/lib/python3/dist-packages/pip", "python/lib/python3/dist-packages/pip")


def _below(folder: Path, name: str) -> Iterator[_Entry]:
    """All of a folder; a link is itself, wherever it leads."""
    if folder.is_symlink():
        yield name, folder
        return
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in _LEFT_OUT)
        inner = name + place[len(str(folder)) :]
        links = [one for one in folders if Path(place, one).is_symlink()]
        yield from ((f"{inner}/{one}", Path(place, one)) for one in sorted(files) + links)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
