"""A commit's tree out of git's object store, as a tar of exactly what it holds: the same tree, the same bytes."""

from __future__ import annotations

import gzip
import os
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from package_hunter.config import Settings
from package_hunter.governance.gate.git import Git, NotFetchedError, kill

READ_SECONDS = 300
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Tree:
    """What was fetched. ``gaps``: a sentence that says what the tree names and does not hold, None where it is
    whole."""

    files: int
    size: int
    gaps: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    kind: str
    digest: str
    size: int
    path: bytes


def pack(settings: Settings, git: Git, commit: str, write: Callable[[bytes], None]) -> Tree:
    """Write the commit's tree, a gzip tar, by ``write``; NotFetchedError."""
    entries = list(_entries(git.run(["ls-tree", "-r", "-z", "-l", "--full-tree", commit], READ_SECONDS)))
    blobs = [entry for entry in entries if entry.kind == "blob"]
    size = sum(entry.size for entry in blobs)
    if len(blobs) > settings.max_files or size > settings.max_unpacked_bytes:
        raise NotFetchedError(
            f"The commit has {len(blobs)} files of {size / 1e6:.0f} MB: more than this server takes.",
            "Raise PACKAGE_HUNTER_MAX_FILES or MAX_UNPACKED_BYTES.",
        )
    if not blobs:
        raise NotFetchedError("The commit holds no files.", "There is nothing to scan.")
    pointers = _write(git, blobs, write)
    modules = [entry for entry in entries if entry.kind == "commit"]
    return Tree(len(blobs), size, _gaps(modules, pointers))


def _entries(listing: bytes) -> Iterator[_Entry]:
    for line in listing.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            mode, kind, digest, size = head.decode("ascii").split()
            yield _Entry(mode, kind, digest, 0 if size == "-" else int(size), path)


def _gaps(modules: list[_Entry], pointers: list[bytes]) -> str | None:
    said = []
    if modules:
        said.append(f"{len(modules)} submodules ({_few([m.path for m in modules])})")
    if pointers:
        said.append(f"{len(pointers)} files that lie in LFS ({_few(pointers)})")
    return f"Not everything of the tree was scanned: {' and '.join(said)} are not in it." if said else None


def _few(paths: list[bytes]) -> str:
    shown = [p.decode("utf-8", "replace")[:80] for p in paths[:3]]
    clean = ["".join(c if c.isprintable() else "?" for c in text) for text in shown]
    return ", ".join(clean) + (" …" if len(paths) > 3 else "")


class _Out:
    """A file for gzip that hands on what is written."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def write(self, data: bytes) -> int:
        """Hand it on."""
        self._write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """`write` did it."""


def _write(git: Git, blobs: list[_Entry], write: Callable[[bytes], None]) -> list[bytes]:
    """Write them in order, with fixed times and owners: the same tree gives the same bytes. Gives the LFS pointers."""
    blobs = sorted(blobs, key=lambda blob: blob.path)
    pointers: list[bytes] = []
    with tempfile.TemporaryFile() as asked:
        asked.write(b"".join(blob.digest.encode() + b"\n" for blob in blobs))
        asked.seek(0)
        with git.started(
            ["cat-file", "--batch", "--buffer"], stdin=asked, stderr=subprocess.DEVNULL
        ) as process:
            clock = threading.Timer(READ_SECONDS, lambda: kill(process))
            clock.start()
            try:
                out: Any = _Out(write)
                with (
                    gzip.GzipFile("", "wb", 6, out, mtime=0) as packed,
                    tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
                ):
                    pointers += [blob.path for blob in blobs if _one(process, archive, blob)]
            finally:
                clock.cancel()
                kill(process)
    return pointers


def _one(process: subprocess.Popen[bytes], archive: tarfile.TarFile, blob: _Entry) -> bool:
    """Put one file into the archive; whether it is a pointer into LFS."""
    assert process.stdout is not None
    head = process.stdout.readline(200).split()
    if len(head) != 3 or head[0].decode("ascii", "replace") != blob.digest or head[1] != b"blob":
        raise NotFetchedError("git could not read an object of the commit.", "Try again.")
    size = int(head[2])
    if size != blob.size:
        raise NotFetchedError("git told two sizes of one object.", "Try again.")
    info = tarfile.TarInfo(f"./{os.fsdecode(blob.path)}")
    if blob.mode == "120000":
        info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(_read(process.stdout, size))
        archive.addfile(info)
        _read(process.stdout, 1)
        return False
    info.size, info.mode = size, 0o755 if blob.mode == "100755" else 0o644
    content = _Content(process.stdout, size)
    archive.addfile(info, content)
    _read(process.stdout, 1)
    return content.head.startswith(_POINTER)


class _Content:
    """So many bytes of git's output, as a file; NotFetchedError where it ends before."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source, self._left = source, size
        self.head = b""

    def read(self, most: int = -1) -> bytes:
        """The next of them."""
        wanted = self._left if most < 0 else min(most, self._left)
        data = _read(self._source, min(wanted, _BLOCK)) if wanted else b""
        self._left -= len(data)
        self.head = self.head or data[:200]
        return data


def _read(source: IO[bytes], size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise NotFetchedError("git ended in the middle of a file.", "Try again.")
    return data
