"""A git pack as it comes (gitformat-pack): what its objects hold, unpacked, and where it ends."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_HEAD, _TRAILER = 12, 20  # bytes: magic, version, number of objects; the SHA-1 at the end
_OFFSET_DELTA, _REFERENCE_DELTA = 6, 7
_PIECE = 64 << 10  # of an object, unpacked at once
_NUMBER = 10  # bytes of a size or an offset, at most
_OBJECTS = 1_000_000


class PackReader:
    """Fed with bytes, gives what is in them. ValueError where they are no pack; ``done`` once its last byte came."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._left: int | None = None  # objects still to come; None before the head
        self._inflate: zlib._Decompress | None = None
        self.done = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` brings, in pieces of at most 64 KiB."""
        self._data += data
        while not self.done:
            if self._inflate:
                yield from self._object(self._inflate)
                if self._inflate:
                    return
            elif not self._step():
                return

    def _step(self) -> bool:
        """Past the next head or the trailer; False where it is not whole yet."""
        if self._left is None:
            if len(self._data) < _HEAD:
                return False
            if self._data[:4] != b"PACK" or bytes(self._data[4:8]) not in (b"\0\0\0\2", b"\0\0\0\3"):
                raise ValueError("no pack")
            self._left = int.from_bytes(self._data[8:12], "big")
            if self._left > _OBJECTS:
                raise ValueError("too many objects")
            del self._data[:_HEAD]
            return True
        if self._left == 0:
            self.done = len(self._data) >= _TRAILER
            return self.done
        size = _object_head(self._data)
        if size is None:
            return False
        del self._data[:size]
        self._inflate = zlib.decompressobj()
        return True

    def _object(self, inflate: zlib._Decompress) -> Iterator[bytes]:
        """What the bytes at hand bring of the object that is being unpacked."""
        data = bytes(self._data)
        self._data.clear()
        while data and not inflate.eof:
            try:
                plain = inflate.decompress(data, _PIECE)
            except zlib.error as error:
                raise ValueError(f"broken object ({error})") from None
            data = inflate.unconsumed_tail
            if plain:
                yield plain
        while not inflate.eof and (plain := _held_back(inflate)):
            yield plain
        if inflate.eof:
            self._data[:] = inflate.unused_data
            self._inflate = None
            assert self._left
            self._left -= 1


def _held_back(inflate: zlib._Decompress) -> bytes:
    """Output that did not fit into the last piece."""
    try:
        return inflate.decompress(b"", _PIECE)
    except zlib.error as error:
        raise ValueError(f"broken object ({error})") from None


def _object_head(data: bytearray) -> int | None:
    """The length of an object's head: type and size, and a delta's base; None where it is not whole yet."""
    end = _number(data, 0)
    if end is None:
        return None
    kind = data[0] >> 4 & 7
    if kind == _OFFSET_DELTA:
        return _number(data, end)
    if kind == _REFERENCE_DELTA:
        return end + _TRAILER if len(data) >= end + _TRAILER else None
    if kind in (0, 5):
        raise ValueError("unknown kind of object")
    return end


def _number(data: bytearray, at: int) -> int | None:
    """Where a number of seven bits a byte ends; None where it is not whole yet."""
    for end in range(at, min(len(data), at + _NUMBER)):
        if not data[end] & 0x80:
            return end + 1
    if len(data) >= at + _NUMBER:
        raise ValueError("number too long")
    return None
