"""The byte strings by which a canary is known on the wire: its useful parts, in every encoding that keeps
them recognisable in place (what must be unpacked first is ``unwrap.py``'s work)."""

from __future__ import annotations

import base64
import encodings.utf_16_be  # a confined gateway can load no module later, codecs are some
import encodings.utf_16_le  # noqa: F401
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from package_hunter.model.observation import Canary

WINDOW = 12  # bytes: any run of WINDOW + STRIDE - 1 bytes of a canary holds a whole window
STRIDE = 6
MAX_WINDOWS = 24
_MAX_HEAD = 32  # bytes that all of a kind may begin with
_MIN_RANDOM = 9  # positions of a window that must differ between two forgeries of the same kind
_NUMERIC = frozenset(b"0123456789, []")
_WORDS = frozenset(b"abcdefghijklmnopqrstuvwxyz ")
_NUMERIC_WINDOW = 32  # lists of numbers and words say little a byte


class Needle(NamedTuple):
    """A pattern: which canary it betrays (index), and how that was encoded."""

    data: bytes
    canary: int
    encoding: str


def windows(value: bytes, constant: Iterable[bytes] = ()) -> list[bytes]:
    """The useful parts of a secret: windows spread over it, none mostly of characters that all secrets of
    its kind have (``constant``: other forgeries of the same kind)."""
    letters = set(value)
    size = _NUMERIC_WINDOW if letters <= _NUMERIC or letters <= _WORDS else WINDOW
    others = list(constant)
    starts: list[int] = []
    at = 0
    for line in value.split(b"\n"):
        if not line.startswith(b"-----"):
            starts += _first(value, others, range(at, at + len(line) - size + 1), size)
            starts += [at + i for i in range(0, max(1, len(line) - size + 1), STRIDE) if len(line) >= size]
            if len(line) > size:
                starts.append(at + len(line) - size)  # the end, which a stride may not reach
        at += len(line) + 1
    good = [s for s in dict.fromkeys(starts) if _random(value, others, s, size)]
    step = max(1, -(-len(good) // MAX_WINDOWS))
    return [value[s : s + size] for s in good[::step]]


def _first(value: bytes, others: list[bytes], places: range, size: int) -> list[int]:
    """Where a line's useful part begins, behind what all of its kind begin with: whoever sends no more than the head of
    a secret sends that."""
    good = (start for start in places[:_MAX_HEAD] if _random(value, others, start, size))
    return list(islice(good, 1))


def _random(value: bytes, others: list[bytes], start: int, size: int) -> bool:
    fixed = (
        sum(all(o[i : i + 1] == value[i : i + 1] for o in others) for i in range(start, start + size))
        if others
        else 0
    )
    return size - fixed >= _MIN_RANDOM


def _base64(part: bytes) -> Iterator[bytes]:
    """The inner characters of ``part``'s base64 at each of the three alignments."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + part)
        yield text[-(-shift * 8 // 6) : len(b"\0" * shift + part) * 8 // 6]


def _base32(part: bytes) -> Iterator[bytes]:
    for shift in range(5):
        text = base64.b32encode(b"\0" * shift + part)
        yield text[-(-shift * 8 // 5) : (shift + len(part)) * 8 // 5]


def _url_alphabet(text: bytes) -> bytes:
    """base64's last two characters as its URL alphabet writes them (RFC 4648, section 5)."""
    return text.replace(b"+", b"-").replace(b"/", b"_")


def variants(part: bytes) -> Iterator[tuple[bytes, str]]:
    """A part in every encoding, with the encoding's name (``""``: plain)."""
    yield part, ""
    yield part[::-1], "reversed"
    for text, encoding in ((part, "base64url"), (part[::-1], "reversed+base64url")):
        if (safe := _url_alphabet(text)) != text:  # a secret of base64's letters, as a host name can carry it
            yield safe, encoding
    digits = part.hex().encode()
    yield digits, "hex"
    yield digits.upper(), "hex"
    yield digits[::-1], "reversed+hex"
    for text in _base64(part):
        yield text, "base64"
        yield text[::-1], "reversed+base64"
        if (safe := _url_alphabet(text)) != text:
            yield safe, "base64url"
            yield safe[::-1], "reversed+base64url"
    for text in _base64(part[::-1]):
        yield text, "base64+reversed"
        if (safe := _url_alphabet(text)) != text:
            yield safe, "base64url+reversed"
    for text in _base32(part):
        yield text, "base32"
        yield text.lower(), "base32"
    yield part.decode("latin-1").encode("utf-16-le"), "utf-16"
    yield part.decode("latin-1").encode("utf-16-be")[:-1], "utf-16"
    quoted = quote_from_bytes(part, safe="").encode()
    if quoted != part:
        yield quoted, "url"
        yield quote_from_bytes(part, safe="/").encode(), "url"
    yield b"".join(b"%%%02X" % byte for byte in part), "url"
    yield b"".join(b"%%%02x" % byte for byte in part), "url"
    if b"/" in part:
        yield part.replace(b"/", b"\\/"), "json"
    yield b"".join(b"\\u%04x" % byte for byte in part), "json"
    yield ",".join(map(str, part)).encode(), "decimal"
    yield ", ".join(map(str, part)).encode(), "decimal"
    if part.lower() != part:
        yield part.lower(), "lower case"
        yield part.upper(), "upper case"


def needles(canaries: Iterable[Canary], references: Iterable[Canary] = ()) -> list[Needle]:
    """Every pattern for every canary; ``references`` are other forgeries, to tell what is constant."""
    by_kind: dict[str, list[bytes]] = {}
    for reference in references:
        by_kind.setdefault(reference.kind, []).append(as_bytes(reference.value))
    found: dict[bytes, Needle] = {}
    for index, canary in enumerate(canaries):
        value = as_bytes(canary.value)
        parts = windows(value, by_kind.get(canary.kind, ()))
        if b" " in value and b"\n" not in value and not set(value) <= _NUMERIC:  # words, joined otherwise
            parts += windows(value.replace(b" ", b""))
        for part in parts:
            for data, encoding in variants(part):
                found.setdefault(data, Needle(data, index, encoding))
    return list(found.values())


def as_bytes(value: str) -> bytes:
    """A canary's bytes on the wire."""
    return value.encode("utf-8", "surrogateescape")
