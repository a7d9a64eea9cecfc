"""How much could be hidden in data: what needs no key is taken off (compression), and so is what anyone can read or
what repeats. What is left could hold a secret. Linear in the length of the data; whatever comes out is bounded."""

# mypy: disallow-untyped-calls=False
# (brotli has no types)

from __future__ import annotations

import re
import zlib

import brotli

MAX_UNPACKED = 64 << 10  # bytes of one compressed stream
_GZIP = b"\x1f\x8b\x08"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_BOTH, _RAW = 47, -15  # zlib's windows: gzip or zlib by its header, and bare deflate
# A run of text with the tag and length that binary forms (protobuf, MessagePack, CBOR) put before it
_TEXT = re.compile(rb"[^\x20-\x7e]{0,4}([\x20-\x7e]{4,})")
_WORD = re.compile(rb"[a-z]{4,}")
_LETTERS = re.compile(rb"[a-z]")
_OFTEN = re.compile(rb"[acdehilnorst]")  # four fifths of the letters of English and of names of programs
_VERSION = re.compile(rb"v?\d+(?:[.]\d+)+")
_STORED = 5  # bytes that deflate adds to what it cannot make smaller


def unpacked(data: bytes, encoding: str = "") -> tuple[bytes, bytes] | None:
    """What a compressed stream holds and what follows it, both cut at MAX_UNPACKED bytes; None where it is none.
    ``encoding`` is what an HTTP request says of its body; that is tried, not believed."""
    said = encoding.rpartition(",")[2].strip().lower()
    if data.startswith((_GZIP, *_ZLIB)) and (found := _inflated(data, _BOTH)):
        return found
    if said == "deflate" and (found := _inflated(data, _RAW)):
        return found
    return _unbrotli(data)


def _inflated(data: bytes, window: int) -> tuple[bytes, bytes] | None:
    stream = zlib.decompressobj(window)
    try:
        plain = stream.decompress(data, MAX_UNPACKED)
    except zlib.error:
        return None
    return (plain, stream.unused_data[:MAX_UNPACKED]) if plain else None


def _unbrotli(data: bytes) -> tuple[bytes, bytes] | None:
    """Brotli has no mark of its own: data is that which comes to an end as such, or to more than is taken."""
    stream = brotli.Decompressor()
    try:
        plain = bytes(stream.process(data, output_buffer_limit=MAX_UNPACKED))
    except (brotli.error, ValueError, MemoryError):
        return None
    whole = stream.is_finished() or len(plain) >= MAX_UNPACKED
    return (plain[:MAX_UNPACKED], b"") if whole and plain else None


def information(data: bytes) -> int:
    """Bytes that binary data could hide at most: without its words, and each repeat once."""
    rest = _TEXT.sub(_unless_words, data)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return min(
        len(rest), len(packer.compress(rest) + packer.flush()) - (_STORED if len(rest) > _STORED else 0)
    )


def _unless_words(run: re.Match[bytes]) -> bytes:
    """Nothing for words, names and versions; whatever else is printable by chance, as ciphers are, stays."""
    return b"" if _is_words(run[1]) else run[0]


def _is_words(text: bytes) -> bool:
    if _VERSION.fullmatch(text):
        return True
    letters = len(_LETTERS.findall(text))
    often = len(_OFTEN.findall(text))
    return letters * 3 >= len(text) and often * 5 >= letters * 3 and _WORD.search(text) is not None
