"""Packing a source tree as an archive that a package manager in the box takes."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import IO

from package_hunter.errors import NothingToScanError
from package_hunter.model.text import well_formed

_MAX_PACKED = 512 << 20


def pack(folder: Path, kind: str) -> bytes:
    """The regular files below ``folder``: ``tgz`` (npm's), ``tar`` (a gem) or ``zip`` (a wheel)."""
    if kind == "tgz":
        return pack_tgz(folder, "package")
    return pack_tar(folder) if kind == "tar" else pack_zip(folder)


def pack_tgz(folder: Path, top: str) -> bytes:
    """The regular files below ``folder`` as a .tgz with everything under ``top``, as `npm pack` makes it.
    Links are left out, as npm leaves them out."""
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1, mtime=0) as packed:
        _write_tar(packed, sink, folder, f"{top}/")
    return sink.getvalue()


def pack_tar(folder: Path) -> bytes:
    """The regular files below ``folder`` as a plain tar (a .gem is one)."""
    sink = io.BytesIO()
    _write_tar(sink, sink, folder, "")
    return sink.getvalue()


def _write_tar(out: IO[bytes] | gzip.GzipFile, counted: io.BytesIO, folder: Path, prefix: str) -> None:
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for base, folders, names, fd in os.fwalk(folder):
            folders.sort()
            for name in sorted(names):
                _add(tar, fd, name, f"{prefix}{(Path(base) / name).relative_to(folder)}")
            if counted.tell() > _MAX_PACKED:
                raise NothingToScanError(f"The package is larger than {_MAX_PACKED:,} bytes when packed.")


def _add(tar: tarfile.TarFile, fd: int, name: str, path: str) -> None:
    if not stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
        return
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    with os.fdopen(file, "rb") as source:
        info = os.fstat(file)
        header = tarfile.TarInfo(path)
        header.size, header.mode, header.mtime = info.st_size, info.st_mode & 0o755, int(info.st_mtime)
        tar.addfile(header, source)


def pack_zip(folder: Path) -> bytes:
    """The regular files below ``folder`` as a zip (a wheel is one)."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for base, folders, names, fd in os.fwalk(folder):
            folders.sort()
            for name in sorted(names):
                if not stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                    continue
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                with os.fdopen(file, "rb") as source:
                    archive.writestr(_zip_name((Path(base) / name).relative_to(folder)), source.read())
                if sink.tell() > _MAX_PACKED:
                    raise NothingToScanError(f"The package is larger than {_MAX_PACKED:,} bytes when packed.")
    return sink.getvalue()


def _zip_name(path: Path) -> str:
    """A name of bytes that are no UTF-8 has no form in a zip but another one."""
    return well_formed(path.as_posix())
