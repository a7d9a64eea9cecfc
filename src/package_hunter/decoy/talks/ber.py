"""As much of BER (X.690) as LDAP and SPNEGO need: elements of definite length, one after another."""

from __future__ import annotations

from typing import NamedTuple

_LENGTH_BYTES = 4  # of a length, at most


class Element(NamedTuple):
    """``body`` is cut where the data ends before it; ``size`` is what its head says."""

    tag: int
    body: bytes
    size: int


class Head(NamedTuple):
    """An element's tag, the length of its head, and of what follows it."""

    tag: int
    head: int
    size: int


def head(data: bytes, at: int = 0) -> Head | None:
    """The head that stands there; None where it is not whole. ValueError where it is none of ours: a tag of several
    bytes, a length that is indefinite or of more than four bytes."""
    if len(data) < at + 2:
        return None
    tag, first = data[at], data[at + 1]
    if tag & 31 == 31:
        raise ValueError("long tag")
    if first < 0x80:
        return Head(tag, 2, first)
    count = first & 0x7F
    if not 0 < count <= _LENGTH_BYTES:
        raise ValueError("bad length")
    if len(data) < at + 2 + count:
        return None
    return Head(tag, 2 + count, int.from_bytes(data[at + 2 : at + 2 + count], "big"))


def elements(data: bytes, most: int = 32) -> list[Element]:
    """The elements of ``data``, ``most`` of them; the last may be cut. ValueError as ``head``."""
    found: list[Element] = []
    at = 0
    while at < len(data) and len(found) < most:
        start = head(data, at)
        if start is None:
            break
        at += start.head
        found.append(Element(start.tag, data[at : at + start.size], start.size))
        at += start.size
    return found


def element(tag: int, *parts: bytes) -> bytes:
    """An element of these parts."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body
