"""BSON, as much as a server needs that only looks at the first levels of commands (bsonspec.org)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

Value = bool | int | float | str | bytes | None | list["Value"] | Mapping[str, "Value"]

_FIXED = {
    0x01: 8,
    0x06: 0,
    0x07: 12,
    0x08: 1,
    0x09: 8,
    0x0A: 0,
    0x10: 4,
    0x11: 8,
    0x12: 8,
    0x13: 16,
    0x7F: 0,
    0xFF: 0,
}
_TEXTS = (0x02, 0x0D, 0x0E)
_FIELDS = 256


def encode(document: Mapping[str, Value]) -> bytes:
    """A document of texts, numbers (int: 32 bits where it fits; float), truths, bytes, lists and documents."""
    body = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", 5 + len(body)) + body + b"\0"


def _element(name: str, value: Value) -> bytes:
    kind, data = _value(value)
    return bytes((kind,)) + name.encode() + b"\0" + data


def _value(value: Value) -> tuple[int, bytes]:
    if value is None:
        return 0x0A, b""
    if isinstance(value, bool):
        return 0x08, bytes((value,))
    if isinstance(value, int):
        return (0x10, struct.pack("<i", value)) if abs(value) < 1 << 31 else (0x12, struct.pack("<q", value))
    if isinstance(value, float):
        return 0x01, struct.pack("<d", value)
    if isinstance(value, str):
        return 0x02, struct.pack("<i", len(value.encode()) + 1) + value.encode() + b"\0"
    if isinstance(value, bytes):
        return 0x05, struct.pack("<iB", len(value), 0) + value
    if isinstance(value, list):
        return 0x04, encode({str(number): one for number, one in enumerate(value)})
    return 0x03, encode(value)


def top_level(data: bytes) -> dict[str, bytes | str | int]:
    """Names and values of a document's first level, in order: texts, small numbers, bytes; what is none of these is
    named with its bytes. As much as is there, where the document is cut off or its lengths lie."""
    found: dict[str, bytes | str | int] = {}
    at = 4
    while at < len(data) and data[at] and len(found) < _FIELDS:
        kind = data[at]
        end = data.find(b"\0", at + 1)
        if end < 0:
            break
        name, at = data[at + 1 : end].decode("utf-8", "replace"), end + 1
        size = _size(kind, data, at)
        if size is None:
            break
        found[name] = _read(kind, data[at : at + size])
        at += size
    return found


def _size(kind: int, data: bytes, at: int) -> int | None:
    """Bytes of a value; None where that cannot be told."""
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == 0x0B:  # a pattern: two texts that end with zero
        first = data.find(b"\0", at)
        second = data.find(b"\0", first + 1) if first >= 0 else -1
        return second + 1 - at if second >= 0 else None
    if at + 4 > len(data):
        return None
    said = int(struct.unpack_from("<i", data, at)[0])
    more = {0x03: 0, 0x04: 0, 0x05: 5, 0x0C: 16, 0x0F: 0}.get(kind, 4 if kind in _TEXTS else None)
    return said + more if more is not None and said >= 0 and said + more >= 4 else None


def _read(kind: int, value: bytes) -> bytes | str | int:
    if kind == 0x02:
        return value[4:-1].decode("utf-8", "replace")
    if kind in (0x10, 0x12):
        return int.from_bytes(value, "little", signed=True)
    if kind == 0x08:
        return int(value != b"\0")
    return value[5:] if kind == 0x05 else value


def count(data: bytes) -> int:
    """How many documents follow each other in ``data``, one that is cut off too."""
    at = found = 0
    while at + 4 < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        if size < 5:
            break
        at, found = at + size, found + 1
    return found
