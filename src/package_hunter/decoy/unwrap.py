"""Takes wrappings off: compression, archives, encodings. Each step costs time in proportion to its input, and
all steps of one search share one budget."""

# mypy: disallow-untyped-calls=False
# (google-re2 has no types)

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import brotli
import re2

_BASE64 = re2.compile(rb"[A-Za-z0-9+/_-]{24,}")
_BASE32 = re2.compile(rb"(?:[A-Z2-7]{32,}|[a-z2-7]{32,})")
_HEX = re2.compile(rb"[0-9a-fA-F]{32,}")
_ESCAPE = re.compile(rb"\\(?:u00([0-9a-fA-F]{2})|x([0-9a-fA-F]{2}))")
_DECIMAL = re2.compile(rb"(?:\d{1,3}\s?,\s?){16,}\d{1,3}")
_SEPARATORS = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-%#")
)
_PERCENT = re2.compile(rb"%[0-9a-fA-F]{2}")
_PRINTABLE = bytes((9, 10, 13, *range(32, 127)))
_GZIP = b"\x1f\x8b\x08"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_ZIP = b"PK\x03\x04"
_MAX_PLACES = 64  # compressed streams looked for in one piece of data


@dataclass(slots=True)
class Budget:
    """Bytes that may still come out of wrappings; ``cut`` once it was not enough."""

    left: int
    cut: bool = False

    def take(self, data: bytes) -> bytes:
        """As much of ``data`` as the budget allows."""
        if len(data) > self.left:
            self.cut = True
            data = data[: self.left]
        self.left -= len(data)
        return data


def is_text(data: bytes) -> bool:
    """Mostly printable ASCII."""
    return len(data.translate(None, _PRINTABLE)) * 8 < len(data)


def unwrap(data: bytes, budget: Budget, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """What lies inside ``data``, one layer down: (encoding, bytes) pairs."""
    yield from _compressed(data, budget)
    text = is_text(data)
    if depth and not text:
        if data.count(0) * 3 > len(data) > 32:
            yield "utf-16", budget.take(data.replace(b"\0", b""))
        return
    if depth == 0 and text:
        joined = data.translate(None, _SEPARATORS)  # pieces in a JSON list, lines of MIME
        if len(joined) < len(data):
            yield "split", budget.take(joined)
    yield from _runs(data, budget)
    yield from _escapes(data, budget)


def _runs(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    for match in _BASE64.finditer(data):
        if inner := _from_base64(match[0]):
            yield "base64", budget.take(inner)
    for match in _HEX.finditer(data):
        yield "hex", budget.take(binascii.unhexlify(match[0][: len(match[0]) & ~1]))
    for match in _BASE32.finditer(data):
        text = match[0].upper()
        yield "base32", budget.take(base64.b32decode(text[: len(text) & ~7]))


def _escapes(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    if _PERCENT.search(data) and (plain := unquote_to_bytes(data.replace(b"+", b" "))) != data:
        yield "url", budget.take(plain)
    if b"\\" in data:
        plain = _ESCAPE.sub(lambda m: binascii.unhexlify(m[1] or m[2]), data).replace(b"\\/", b"/")
        if plain != data:
            yield "json", budget.take(plain.replace(b"\\n", b"\n").replace(b'\\"', b'"'))
    for match in _DECIMAL.finditer(data):
        numbers = [int(n) for n in match[0].split(b",")]
        if all(n < 256 for n in numbers):
            yield "decimal", budget.take(bytes(numbers))


def _from_base64(text: bytes) -> bytes:
    text = text.replace(b"-", b"+").replace(b"_", b"/")
    return base64.b64decode(text[: len(text) & ~3] if len(text) % 4 == 1 else text + b"=" * (-len(text) % 4))


def _compressed(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    at, places = data.find(_GZIP), 0
    while at >= 0 and places < _MAX_PLACES:
        if plain := _inflate(data[at:], 31, budget):
            yield "gzip", plain
        places += 1
        at = data.find(_GZIP, at + 3)
    if data.startswith(_ZLIB) and (plain := _inflate(data, 15, budget)):
        yield "zlib", plain
    at, places = data.find(_ZIP), 0
    while at >= 0 and places < _MAX_PLACES:
        if plain := _zip_member(data, at, budget):
            yield "zip", plain
        places += 1
        at = data.find(_ZIP, at + 4)


def unbrotli(data: bytes, budget: Budget) -> bytes:
    """Brotli has no mark of its own: tried on small binary data; b"" where it is none."""
    try:
        return budget.take(bytes(brotli.Decompressor().process(data, output_buffer_limit=budget.left)))
    except (brotli.error, ValueError, MemoryError):
        return b""


def _inflate(data: bytes, window: int, budget: Budget) -> bytes:
    if budget.left <= 0:
        budget.cut = True
        return b""
    try:
        unzip = zlib.decompressobj(window)
        plain = unzip.decompress(data, budget.left)
        budget.cut = budget.cut or bool(unzip.unconsumed_tail)
    except zlib.error:
        return b""
    budget.left -= len(plain)
    return plain


def _zip_member(data: bytes, at: int, budget: Budget) -> bytes:
    """A member by its local header (APPNOTE 4.3.7): method at 8, sizes of name and extra at 26 and 28."""
    if len(data) < at + 30 or data[at + 8] != 8:
        return b""
    name = int.from_bytes(data[at + 26 : at + 28], "little")
    extra = int.from_bytes(data[at + 28 : at + 30], "little")
    return _inflate(data[at + 30 + name + extra :], -15, budget)
