"""Decompression of untrusted bytes as a bounded stream."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from typing import IO, Protocol

from package_hunter.intake.limits import Limits
from package_hunter.intake.names import refuse

BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)
_LZMA_MEMORY = 128 << 20  # xz -9 asks for 65 MiB
_TAR_OVERHEAD = 4 << 10  # header, padding and extended headers of one entry, bytes


class Readable(Protocol):
    """What gives bytes: an open file or a decompressor."""

    def read(self, size: int = -1, /) -> bytes: ...


class _Xz:
    """An .xz stream with a memory limit, which lzma.LZMAFile does not offer."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._lzma = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)

    def read(self, size: int = -1, /) -> bytes:
        while not self._lzma.eof:
            feed = self._raw.read(64 << 10) if self._lzma.needs_input else b""
            if self._lzma.needs_input and not feed:
                raise EOFError("the compressed stream ends too early")
            out = self._lzma.decompress(feed, size)
            if out:
                return out
        return b""


class BoundedReader:
    """Reads a tar out of ``source``, as long as one within the limits can be; more is a bomb. Turns decoder
    errors into ours."""

    def __init__(self, source: Readable, limits: Limits, form: str) -> None:
        self._source, self._limit, self._form = source, limits.unpacked_bytes, form
        self._left = limits.unpacked_bytes + limits.files * _TAR_OVERHEAD

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self._source.read(size if 0 <= size < 1 << 20 else 1 << 20)
        except BROKEN as error:
            raise refuse(
                f"its {self._form} data is damaged or cut short ({error})",
                "Make or upload the archive again.",
            ) from None
        self._left -= len(data)
        if self._left < 0:
            raise refuse(
                f"it unpacks to more than {self._limit:,} bytes",
                "If that is right for this project, raise PACKAGE_HUNTER_MAX_UNPACKED_BYTES.",
            )
        return data


def form_of(head: bytes) -> str:
    """Name of the archive form that these first bytes (512 or more, if there are so many) show, or ``""``."""
    for magic, form in (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"PK\x07\x08", "zip"),
        (b"Rar!", "rar"),
        (b"7z\xbc\xaf", "7z"),
    ):
        if head.startswith(magic):
            return form
    return "tar" if head[257:262] == b"ustar" or _old_tar(head) else ""


def _old_tar(head: bytes) -> bool:
    """A tar header without magic has a right checksum."""
    if len(head) < 512 or not any(head[:512]):
        return False
    try:
        claimed = int(head[148:156].split(b"\0")[0].strip() or b"x", 8)
    except ValueError:
        return False
    return sum(head[:148]) + 8 * 32 + sum(head[156:512]) == claimed


def open_tar_stream(raw: IO[bytes], form: str, limits: Limits) -> BoundedReader:
    """The tar inside ``raw``, decompressed and bounded."""
    source: Readable
    if form == "gzip":
        source = gzip.GzipFile(fileobj=raw, mode="rb")
    elif form == "bzip2":
        source = bz2.BZ2File(raw, "rb")
    elif form == "xz":
        source = _Xz(raw)
    else:
        source = raw
    return BoundedReader(source, limits, form)
