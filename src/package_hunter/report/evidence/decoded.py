"""What was sent, wrappings taken off: base64, hex, percent signs, gzip, for people to read.

Not a search (the gateway's was, when it was sent: decoy/unwrap.py): it opens what is plainly one of these, a few layers
deep, within a budget.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_MAX_LAYERS = 4
_MAX_BYTES = 64 << 10  # of all layers of one body
_MAX_RUNS = 8  # of one layer
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){32,}")
_PERCENT = re.compile(rb"(?:[A-Za-z0-9._~-]*%[0-9A-Fa-f]{2}){3,}[A-Za-z0-9._~%-]*")
_PRINTABLE = bytes((9, 10, 13, *range(32, 127)))


@dataclass(frozen=True, slots=True)
class Layer:
    """``how`` it was wrapped, outermost first ("" as it was sent); ``text`` is what is inside. ``raw``: no text, and
    shown in base64."""

    how: str
    text: str
    raw: bool = False


def layers(body: bytes) -> tuple[Layer, ...]:
    """The body as it was sent, and what was found in it."""
    if not body:
        return ()
    found = [_layer("", body)]
    seen, todo, left = {body}, [("", body)], _MAX_BYTES
    while todo and len(found) <= _MAX_LAYERS * 2:
        how, data = todo.pop(0)
        if how.count(",") + bool(how) >= _MAX_LAYERS:
            continue
        for name, inner in _opened(data):
            inner = inner[:left]
            if not inner or inner in seen:
                continue
            left -= len(inner)
            seen.add(inner)
            said = f"{how}, {name}" if how else name
            if _is_text(inner):
                found.append(_layer(said, inner))
            todo.append((said, inner))
    return tuple(found)


def _layer(how: str, data: bytes) -> Layer:
    try:
        return Layer(how, data.decode())
    except UnicodeDecodeError:
        if _is_text(data):
            return Layer(how, data.decode("utf-8", "backslashreplace"))
        return Layer(how, base64.b64encode(data).decode(), raw=True)


def _opened(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.startswith(b"\x1f\x8b\x08"):
        yield from _inflated("gzip", data, 31)
    elif data[:1] == b"\x78" and len(data) > 1 and (data[0] << 8 | data[1]) % 31 == 0:
        yield from _inflated("zlib", data, 15)
    if not _is_text(data):
        return
    for name, pattern, opened in (("base64", _BASE64, _from_base64), ("hex", _HEX, _from_hex)):
        for number, hit in enumerate(pattern.finditer(data)):
            if number >= _MAX_RUNS:
                break
            inner = opened(hit[0])
            if inner is not None and (_is_text(inner) or inner[:2] in (b"\x1f\x8b", b"\x78\x9c")):
                yield name, inner
    for hit in list(_PERCENT.finditer(data))[:1]:
        yield "percent signs", unquote_to_bytes(data if hit.end() - hit.start() > len(data) // 2 else hit[0])


def _inflated(name: str, data: bytes, bits: int) -> Iterator[tuple[str, bytes]]:
    try:
        inner = zlib.decompressobj(bits).decompress(data, _MAX_BYTES)
    except zlib.error:
        return
    if inner:
        yield name, inner


def _from_base64(run: bytes) -> bytes | None:
    text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _from_hex(run: bytes) -> bytes | None:
    return bytes.fromhex(run.decode())


def _is_text(data: bytes) -> bool:
    return bool(data) and len(data.translate(None, _PRINTABLE)) * 8 < len(data)
