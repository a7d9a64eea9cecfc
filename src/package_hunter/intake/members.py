"""The entries of a hostile tar or zip, one by one, as plain values."""

from __future__ import annotations

import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from package_hunter.errors import BadArchiveError
from package_hunter.intake.limits import Limits
from package_hunter.intake.names import refuse, shown
from package_hunter.intake.streams import BoundedReader, Readable, form_of, open_tar_stream

_MAX_HEADER = 16 << 10  # of one extended header: bounds memory, and the time that tarfile's patterns take
_AGAIN = "Make or upload the archive again."


class Member(NamedTuple):
    """An entry. ``kind``: file, folder, link (symbolic) or hardlink; ``data`` is read before the next
    entry."""

    name: str
    kind: str
    size: int
    executable: bool
    mtime: float
    target: str = ""
    data: Readable | None = None
    special_bits: bool = False  # setuid, setgid or sticky was asked for


_TAR_ERRORS = (tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError, RecursionError)
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
    OverflowError,
    struct.error,
    OSError,
)


class _Data:
    """The data of one entry; what the libraries raise while it is read becomes our error."""

    def __init__(self, source: Readable, form: str, errors: tuple[type[Exception], ...]) -> None:
        self._source, self._form, self._errors = source, form, errors

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._source.read(size)
        except self._errors as error:
            raise _unsound(self._form, error) from None


def _unsound(form: str, error: Exception) -> BadArchiveError:
    return refuse(f"it is not a sound {form} archive ({str(error) or type(error).__name__})", _AGAIN)


_END = (tarfile.EOFHeaderError, tarfile.EmptyHeaderError)  # type: ignore[attr-defined]  # not in typeshed


class _Header(tarfile.TarInfo):
    """A tar header that is refused where tarfile would stop quietly or read without bound."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        try:
            header = super().frombuf(buf, encoding, errors)
        except _END:
            raise
        except (tarfile.HeaderError, ValueError, OverflowError) as error:
            raise refuse(f"it holds a damaged tar header ({error})", _AGAIN) from None
        if header.size < 0:
            raise refuse(f"“{shown(header.name)}” has a negative size", _AGAIN)
        if header.type in b"LKxXg" and header.size > _MAX_HEADER:
            raise refuse(f"it holds an extended header of {header.size:,} bytes", _AGAIN)
        return header


_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "hardlink",
}
_REFUSED = {
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


def members(raw: IO[bytes], limits: Limits) -> Iterator[Member]:
    """The entries of an archive (gzip, bzip2, xz or plain tar; zip). Raises BadArchiveError."""
    head = raw.read(1024)
    raw.seek(0)
    form = form_of(head)
    if form == "zip":
        return _zip_members(raw, limits)
    if form in ("gzip", "bzip2", "xz", "tar"):
        return _tar_members(open_tar_stream(raw, form, limits))
    what = f"a {form} archive" if form else "no tar or zip archive"
    raise BadArchiveError(
        f"This is {'an empty file' if not head else what}.",
        "Pack the project with `tar -C PROJECT -czf project.tgz .` (gzip, bzip2, xz or plain tar, or zip).",
    )


def stream_members(raw: Readable, limits: Limits) -> Iterator[Member]:
    """The entries of a plain tar that comes through a pipe."""
    return _tar_members(BoundedReader(raw, limits, "tar"))


def _tar_members(stream: BoundedReader) -> Iterator[Member]:
    try:
        with tarfile.open(
            fileobj=stream,
            mode="r|",
            tarinfo=_Header,
            encoding="utf-8",
            errors="surrogateescape",  # type: ignore[call-overload]
        ) as tar:
            while (entry := tar.next()) is not None:
                tar.members = []  # tarfile keeps every header, which is memory given away
                yield _tar_member(tar, entry)
            while stream.read(1 << 20):
                pass  # to its end: a cut or damaged tail shows here
    except (tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError, RecursionError) as error:
        raise refuse(
            f"it is not a sound tar archive ({str(error) or type(error).__name__})", _AGAIN
        ) from None


def _tar_member(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> Member:
    if entry.issparse() or any(key.startswith("GNU.sparse") for key in entry.pax_headers):
        raise refuse(f"“{shown(entry.name)}” is a sparse file", "Pack the project without `tar --sparse`.")
    if entry.size < 0:
        raise refuse(f"“{shown(entry.name)}” has a negative size", _AGAIN)
    kind = _KINDS.get(entry.type)
    if kind is None:
        what = _REFUSED.get(entry.type, "an entry of an unknown type")
        raise refuse(f"“{shown(entry.name)}” is {what}")
    data = tar.extractfile(entry) if kind == "file" else None
    return Member(
        name=entry.name,
        kind=kind,
        size=entry.size if kind == "file" else 0,
        executable=bool(entry.mode & 0o111),
        mtime=float(entry.mtime),
        target=entry.linkname if kind in ("link", "hardlink") else "",
        data=_Data(data, "tar", _TAR_ERRORS) if data is not None else None,
        special_bits=bool(entry.mode & 0o7000) and kind == "file",
    )


def _zip_members(raw: IO[bytes], limits: Limits) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(raw) as archive:
            entries = archive.infolist()
            if len(entries) > limits.files:
                raise refuse(
                    f"it holds more than {limits.files:,} entries", "Raise PACKAGE_HUNTER_MAX_FILES."
                )
            for entry in entries:
                yield from _zip_member(archive, entry, limits)
    except _ZIP_ERRORS as error:
        raise _unsound("zip", error) from None


def _zip_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> Iterator[Member]:
    if entry.flag_bits & 0x1:
        raise refuse(f"“{shown(entry.filename)}” is encrypted")
    mode = entry.external_attr >> 16
    kind = "folder" if entry.is_dir() else "link" if stat.S_ISLNK(mode) else "file"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise refuse(f"“{shown(entry.filename)}” is a device or pipe")
    if kind == "folder":
        yield Member(entry.filename, kind, 0, False, _zip_time(entry))
        return
    with archive.open(entry) as data:
        if kind == "link":
            target = data.read(limits.path_bytes + 1).decode("utf-8")
            yield Member(entry.filename, kind, 0, False, 0.0, target=target)
            return
        yield Member(
            entry.filename,
            kind,
            entry.file_size,
            bool(mode & 0o111),
            _zip_time(entry),
            data=_Data(data, "zip", _ZIP_ERRORS),
            special_bits=bool(mode & 0o7000),
        )


def _zip_time(entry: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
