"""How much sent data looks like a secret in other clothes, in bits: how improbable the likeness is by chance.

Likenesses, each nearly linear in what was sent:

- *letters*: whatever alphabet a secret is written in (other letters, words, emoji, a base of its own), a symbol
  that comes twice comes twice. The pattern of repeats of the secret's symbols is looked for in what was sent.
- *turned*: letters moved on by the same number, or base-85 in one of its three usual alphabets, are written out.
- *keyed*: with a key of k bytes that repeats, two bytes k apart differ as the secret's do.
- *pieces*: pieces of the secret of four characters and more, in any order, cover it.
"""

from __future__ import annotations

import base64
import math
import re
import string
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

ENOUGH = 40.0  # bits, by a rough estimate, beyond what the number of trials explains
MAX_SECRET = 512  # characters of a secret
_LEAST = 16  # characters of a secret, or symbols of a pattern, that can be told from chance
_WINDOW = 64  # symbols of a pattern that are compared
_MAX_KEY = 32
_KEYED = 12  # bytes that must differ as the secret's do
_PIECE = 4
_TURNED = 24  # characters of a secret whose turned forms are looked for
_B85 = (string.digits + string.ascii_uppercase + string.ascii_lowercase + "!#$%&()*+-;<=>?@^_`{|}~").encode()
_Z85 = bytes.maketrans(
    _B85,
    (string.digits + string.ascii_lowercase + string.ascii_uppercase + ".-:+=^!/*?&<>()[]{}@%$#").encode(),
)
_COVER = 0.6
_DRESS = re.compile(r"-----[^-]*-----|\s")
_TOKEN_HEAD = re.compile(
    r"^eyJ[\w-]+\.[\w-]+\."
)  # of a JSON web token, in which every one says much the same
_PREFIX = re.compile(r"^(?:[A-Za-z]{2,8}[_-])+")


@dataclass(frozen=True, slots=True)
class Likeness:
    """``bits``: -log2 of the probability that chance alone made it, all trials counted."""

    how: str  # "letters" | "turned" | "keyed" | "pieces" | "noise"
    bits: float


@dataclass(frozen=True)
class Pattern:
    """A sequence as the distances to the same symbol before, 0 where it is new."""

    back: tuple[int, ...]

    @property
    def repeats(self) -> int:
        """How many symbols came before."""
        return sum(1 for distance in self.back if distance)

    @cached_property
    def form(self) -> re.Pattern[bytes]:
        """What the bytes of a stream's distances are where it is. What repeats from before it is new."""
        parts = (
            re.escape(bytes((wanted,))) if wanted else b"[^\\x01-\\x%02x]" % at if at else b"."
            for at, wanted in enumerate(self.back)
        )
        return re.compile(b"".join(parts), re.DOTALL)


def essence(value: str) -> str:
    """What of a secret is random: no armour, no white space, no prefix that all of its kind have."""
    return _PREFIX.sub("", _DRESS.sub("", whole(value)))[:MAX_SECRET]


def whole(value: str) -> str:
    """A secret as it would be sent; of a JSON web token the signature alone, which nothing else has."""
    return _TOKEN_HEAD.sub("", value.strip())[:MAX_SECRET]


def distances(symbols: Sequence[Hashable]) -> list[int]:
    """How far before each symbol the same one was, 0 where it was not."""
    last: dict[Hashable, int] = {}
    found = []
    for at, symbol in enumerate(symbols):
        found.append(at - last[symbol] if symbol in last else 0)
        last[symbol] = at
    return found


def _digits85(data: bytes) -> list[int]:
    return [
        int.from_bytes(data[at : at + 4], "big") // 85**power % 85
        for at in range(0, len(data) - 3, 4)
        for power in (4, 3, 2, 1, 0)
    ]


def _codings(data: bytes) -> Iterator[Sequence[Hashable]]:
    """The sequences of digits that a secret is written as, whatever stands for a digit."""
    yield data
    yield data.hex()
    for start in range(4):  # four bytes are five digits, from wherever the file's groups begin
        yield _digits85(data[start:])
    yield base64.b32encode(data).rstrip(b"=")
    for start in range(3):
        yield base64.b64encode(data[start:]).rstrip(b"=")[: (len(data) - start) * 4 // 3]


@lru_cache(maxsize=1_000)
def patterns(value: str) -> tuple[Pattern, ...]:
    """The patterns of a secret, as it is and with what stands before its random part."""
    found: dict[Pattern, None] = {}
    for text in dict.fromkeys((essence(value), whole(value))):
        for digits in _codings(text.encode()):
            window = distances(digits[:_WINDOW])
            if len(window) >= _LEAST:
                found[Pattern(tuple(window))] = None
    return tuple(found)


class Stream:
    """One sequence of symbols that was sent, ready to be compared with many patterns."""

    def __init__(self, symbols: Sequence[Hashable]) -> None:
        self._symbols = symbols
        # a distance that no pattern has is as new
        self._back = bytes(distance if distance < _WINDOW else 0 for distance in distances(symbols))
        self._counts = Counter(self._back)

    @cached_property
    def _same(self) -> float:
        return _sameness(self._symbols)

    def likeness(self, pattern: Pattern) -> float:
        """Bits of the best place where the whole pattern of repeats is."""
        wanted = [at for at, distance in enumerate(pattern.back) if distance]
        if len(self._back) < len(pattern.back) or not wanted:
            return 0.0
        anchor = min(wanted, key=lambda at: self._counts[pattern.back[at]])
        return max((self._bits(start, pattern) for start in self._starts(pattern, anchor)), default=0.0)

    def _starts(self, pattern: Pattern, anchor: int) -> Iterator[int]:
        """Where the pattern is; the rarest of its distances leads there."""
        sign = bytes((pattern.back[anchor],))
        place = self._back.find(sign, anchor)
        while place >= 0:
            if pattern.form.match(self._back, place - anchor):
                yield place - anchor
            place = self._back.find(sign, place + 1)

    def _bits(self, start: int, pattern: Pattern) -> float:
        """Each repeat was as probable as two symbols of this text are the same; what is new counts nothing."""
        size = len(pattern.back)
        same = max(_sameness(self._symbols[start : start + size]), self._same)
        return -pattern.repeats * math.log2(same) - math.log2(len(self._back))


def _sameness(symbols: Sequence[Hashable]) -> float:
    """The probability that two symbols of a text are the same, never taken for less than 1 in 64."""
    size = len(symbols)
    pairs = sum(count * (count - 1) for count in Counter(symbols).values())
    return max(pairs / (size * (size - 1)), 1 / 64) if size > 1 else 1.0


def _apart(data: bytes, step: int) -> bytes:
    """Each byte XOR the one ``step`` later."""
    size = len(data) - step
    if size <= 0:
        return b""
    return (int.from_bytes(data[:size], "big") ^ int.from_bytes(data[step:], "big")).to_bytes(size, "big")


class Bytes:
    """Bytes that were sent, ready to be compared with many secrets."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._differences: dict[int, bytes] = {}

    def apart(self, step: int) -> bytes:
        """Each byte XOR the one ``step`` later."""
        if step not in self._differences:
            self._differences[step] = _apart(self.data, step)
        return self._differences[step]

    @cached_property
    def thinned(self) -> tuple[bytes, ...]:
        """Every second byte, and every third, from each of the first ones on."""
        return tuple(self.data[first::step] for step in (2, 3) for first in range(step))


@lru_cache(maxsize=1_000)
def _differences(value: str) -> tuple[tuple[int, bytes], ...]:
    """What stays of a secret under a key that repeats: (size of the key, differences of its bytes)."""
    secret = whole(value).encode()
    found = []
    for size in range(2, min(_MAX_KEY, len(secret) - _KEYED) + 1):
        ours = _apart(secret, size)
        parts = (ours[at : at + _KEYED] for at in range(0, len(ours) - _KEYED + 1, _KEYED // 2))
        found += [(size, part) for part in parts if len(set(part)) >= _KEYED // 2]
    return tuple(found)


def keyed(value: str, sent: Bytes) -> float:
    """Bits of the likeness under a key of 2 to 32 bytes that repeats."""
    found = any(part in sent.apart(size) for size, part in _differences(value))
    return 5.0 * _KEYED if found else 0.0  # two random characters differ in 5 bits or more


def noise(value: str, sent: Bytes) -> float:
    """Bits of the likeness where every second or third byte is the secret's."""
    text = essence(value).encode()
    if len(text) < _LEAST:
        return 0.0
    forms = (text[:_LEAST], text[:_LEAST].hex().encode(), base64.b64encode(text[:15]))
    return 4.0 * _LEAST if any(form in view for view in sent.thinned for form in forms) else 0.0


def _turned(text: str, by: int) -> str:
    low, high = string.ascii_lowercase, string.ascii_uppercase
    table = str.maketrans(low + high, low[by:] + low[:by] + high[by:] + high[:by])
    return text.translate(table)


@lru_cache(maxsize=1_000)
def _turned_forms(value: str) -> tuple[bytes, ...]:
    text = essence(value)[:_TURNED]
    if len(text) < _LEAST:
        return ()
    forms = [_turned(text, by).encode() for by in range(1, 26)]
    for start in range(4):
        group = text[start : start + _LEAST - 4].encode()
        plain = base64.b85encode(group)
        forms += [plain, base64.a85encode(group), plain.translate(_Z85)]
    return tuple(form for form in forms if form != text.encode())


def turned(value: str, sent: Bytes) -> float:
    """Bits of the likeness where letters were turned, or base-85 was used."""
    return 3.9 * _LEAST if any(form in sent.data for form in _turned_forms(value)) else 0.0


def _width(text: str) -> float:
    """Bits of one of a secret's characters, at the least."""
    if re.fullmatch(r"[0-9,\[\] ]*", text):  # a list of numbers, as everyday data has many
        return 2.5
    if re.fullmatch(r"[0-9a-fA-F]*", text):
        return 4.0
    return 5.0 if text == text.lower() else 5.5


@dataclass(frozen=True, slots=True)
class Pieced:
    """A secret in one of its writings, and its pieces. ``low``: its letters are small, whatever was sent."""

    text: str
    low: bool
    size: int

    def grams(self) -> Iterator[str]:
        """Its pieces, from each of its places on."""
        return (self.text[at : at + self.size] for at in range(len(self.text) - self.size + 1))


@lru_cache(maxsize=1_000)
def _pieced(value: str) -> tuple[Pieced, ...]:
    secret = essence(value)
    if len(secret) < _LEAST:
        return ()
    texts = dict.fromkeys((secret, secret.lower(), secret.encode().hex(), _base64(secret)))
    return tuple(
        Pieced(
            text,
            text == text.lower(),
            2 * _PIECE if len(text) > MAX_SECRET or _width(text) <= 4.0 else _PIECE,
        )
        for text in texts
    )


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Pieces:
    """Which pieces of some secrets are in messages, each looked at by itself: all are gone through once."""

    def __init__(self, values: Sequence[str], sent: Sequence[str]) -> None:
        self._total = max(2, sum(map(len, sent)))
        wanted: dict[tuple[bool, int], set[str]] = {}
        for one in (one for value in values for one in _pieced(value)):
            wanted.setdefault((one.low, one.size), set()).update(one.grams())
        self._seen = {key: _grams_of(sent, *key, grams) for key, grams in wanted.items()}

    def likeness(self, value: str) -> float:
        """Bits of the likeness of what all messages carried together to one of the secrets."""
        return max((self._covered(one) for one in _pieced(value)), default=0.0)

    def _covered(self, one: Pieced) -> float:
        seen, covered = self._seen[one.low, one.size], bytearray(len(one.text))
        for at, gram in enumerate(one.grams()):
            if gram in seen:
                covered[at : at + one.size] = b"\1" * one.size
        if sum(covered) < _COVER * len(one.text):
            return 0.0
        # a run may be of pieces side by side: the more pieces, the more chances each had
        count = sum(covered) / one.size
        return max(0.0, sum(covered) * _width(one.text) - count * math.log2(self._total) / 2)


def _grams_of(sent: Sequence[str], low: bool, size: int, wanted: set[str]) -> set[str]:
    found: set[str] = set()
    for message in sent:
        text = message.lower() if low else message
        found.update(gram for at in range(len(text) - size + 1) if (gram := text[at : at + size]) in wanted)
    return found
