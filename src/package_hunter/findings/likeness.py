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
from functools import lru_cache

ENOUGH = 40.0  # bits beyond what the number of trials explains: one chance in 10^12
MAX_SENT = 256 << 10  # bytes or symbols of one stream that are looked at
MAX_SECRET = 512  # characters of a secret
_LEAST = 16  # characters of a secret, or symbols of a pattern, that can be told from chance
_WINDOW = 64  # symbols of a pattern that are compared
_TRIES = 50_000  # places of one pattern that are looked at
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
_PREFIX = re.compile(r"^(?:[A-Za-z]{2,8}[_-])+")


@dataclass(frozen=True, slots=True)
class Likeness:
    """``bits``: -log2 of the probability that chance alone made it, all trials counted."""

    how: str  # "letters" | "turned" | "keyed" | "pieces" | "noise"
    bits: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sequence as the distances to the same symbol before, 0 where it is new."""

    back: tuple[int, ...]

    @property
    def repeats(self) -> int:
        """How many symbols came before."""
        return sum(1 for distance in self.back if distance)


def essence(value: str) -> str:
    """What of a secret is random: no armour, no white space, no prefix that all of its kind have."""
    return _PREFIX.sub("", _DRESS.sub("", value))[:MAX_SECRET]


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
    yield _digits85(data)
    yield base64.b32encode(data).rstrip(b"=")
    for start in range(3):
        yield base64.b64encode(data[start:]).rstrip(b"=")[: (len(data) - start) * 4 // 3]


def patterns(value: str) -> tuple[Pattern, ...]:
    """The patterns of a secret, as it is and with what stands before its random part."""
    found: dict[Pattern, None] = {}
    for text in dict.fromkeys((essence(value), value.strip()[:MAX_SECRET])):
        for digits in _codings(text.encode()):
            window = distances(digits[:_WINDOW])
            if len(window) >= _LEAST:
                found[Pattern(tuple(window))] = None
    return tuple(found)


class Stream:
    """One sequence of symbols that was sent, ready to be compared with many patterns."""

    def __init__(self, symbols: Sequence[Hashable]) -> None:
        self._symbols = symbols[:MAX_SENT]
        self._back = distances(self._symbols)
        self._places: dict[int, list[int]] = {}
        for at, distance in enumerate(self._back):
            if 0 < distance < _WINDOW:
                self._places.setdefault(distance, []).append(at)

    def likeness(self, pattern: Pattern) -> float:
        """Bits of the best place where the whole pattern of repeats is."""
        wanted = [at for at, distance in enumerate(pattern.back) if distance]
        if len(self._back) < len(pattern.back) or not wanted:
            return 0.0
        anchor = min(wanted, key=lambda at: len(self._places.get(pattern.back[at], ())))
        best = 0.0
        for place in self._places.get(pattern.back[anchor], ())[:_TRIES]:
            start = place - anchor
            if start >= 0 and self._is_at(start, pattern.back):
                best = max(best, self._bits(start, pattern))
        return best

    def _is_at(self, start: int, back: Sequence[int]) -> bool:
        """Whether the repeats within the window are these; what repeats from before it is new."""
        here = self._back[start : start + len(back)]
        return len(here) == len(back) and all(
            (distance if distance <= at else 0) == wanted
            for at, (distance, wanted) in enumerate(zip(here, back, strict=True))
        )

    def _bits(self, start: int, pattern: Pattern) -> float:
        """Each repeat was as probable as two symbols of this text are the same; what is new counts nothing."""
        size = len(pattern.back)
        same = max(_sameness(self._symbols[start : start + size]), _sameness(self._symbols))
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


def keyed(value: str, sent: bytes) -> float:
    """Bits of the likeness under a key of 2 to 32 bytes that repeats."""
    secret, sent = value.strip()[:MAX_SECRET].encode(), sent[:MAX_SENT]
    best = 0.0
    for size in range(2, min(_MAX_KEY, len(secret) - _KEYED) + 1):
        theirs, ours = _apart(sent, size), _apart(secret, size)
        for start in range(0, len(ours) - _KEYED + 1, _KEYED // 2):
            part = ours[start : start + _KEYED]
            if len(set(part)) >= _KEYED // 2 and part in theirs:
                best = max(best, 5.0 * _KEYED)  # two random characters differ in 5 bits or more
    return best


def noise(value: str, sent: bytes) -> float:
    """Bits of the likeness where every second or third byte is the secret's."""
    text = essence(value).encode()
    if len(text) < _LEAST:
        return 0.0
    forms = (text[:_LEAST], text[:_LEAST].hex().encode(), base64.b64encode(text[:15]))
    for step in (2, 3):
        for first in range(step):
            view = sent[:MAX_SENT][first::step]
            if any(form in view for form in forms):
                return 4.0 * _LEAST
    return 0.0


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


def turned(value: str, sent: bytes) -> float:
    """Bits of the likeness where letters were turned, or base-85 was used."""
    return 3.9 * _LEAST if any(form in sent for form in _turned_forms(value)) else 0.0


def _width(text: str) -> float:
    """Bits of one of a secret's characters, at the least."""
    if re.fullmatch(r"[0-9a-fA-F]*", text):
        return 4.0
    return 5.0 if text == text.lower() else 5.5


def pieces(value: str, sent: Sequence[str]) -> float:
    """Bits of the likeness of what many messages carried together; each message is looked at by itself."""
    secret = essence(value)
    if len(secret) < _LEAST:
        return 0.0
    best = 0.0
    for text in dict.fromkeys((secret, secret.lower(), secret.encode().hex(), _base64(secret))):
        best = max(best, _covered(text, sent, text == text.lower()))
    return best


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _covered(text: str, sent: Sequence[str], low: bool) -> float:
    size = 2 * _PIECE if len(text) > MAX_SECRET or _width(text) == 4.0 else _PIECE
    grams: dict[str, list[int]] = {}
    for at in range(len(text) - size + 1):
        grams.setdefault(text[at : at + size], []).append(at)
    covered, total = bytearray(len(text)), 0
    for message in sent:
        message = message.lower() if low else message
        total += len(message)
        if total > MAX_SENT:
            break
        for at in range(len(message) - size + 1):
            for place in grams.get(message[at : at + size], ()):
                covered[place : place + size] = b"\1" * size
    if sum(covered) < _COVER * len(text):
        return 0.0
    # a run may be of pieces side by side: the more pieces, the more chances each had
    count = sum(covered) / size
    return max(0.0, sum(covered) * _width(text) - count * math.log2(max(2, total)) / 2)
