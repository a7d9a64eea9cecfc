"""Finds canaries in bytes, in linear time.

One Aho-Corasick automaton holds all needles, not as they are but as the differences (XOR) of neighbouring
bytes: those do not change when every byte is XORed with the same value, so one pass finds a needle plain and
under each of the 255 other one-byte keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation

from package_hunter.decoy.needles import Needle, needles
from package_hunter.decoy.unwrap import Budget, is_text, unbrotli, unwrap
from package_hunter.model.observation import Canary

MAX_DEPTH = 4


class Found(NamedTuple):
    """A needle's place: ``canary`` is the index in the searcher's canaries; ``encoding`` outermost first."""

    canary: int
    encoding: tuple[str, ...]
    start: int


def differences(data: bytes) -> bytes:
    """Each byte XORed with the one before it; one byte shorter than ``data``."""
    number = int.from_bytes(data, "big")
    return (number ^ (number >> 8)).to_bytes(len(data), "big")[1:]


class _Needles:
    """Those of some canaries, which stand in the searcher from ``first`` on."""

    def __init__(self, canaries: tuple[Canary, ...], references: Iterable[Canary], first: int) -> None:
        self._first = first
        self._needles: list[Needle] = []
        patterns: dict[bytes, int] = {}
        for needle in needles(canaries, references):
            pattern = differences(needle.data)
            if any(pattern) and pattern not in patterns:  # all equal bytes: no needle
                patterns[pattern] = len(self._needles)
                self._needles.append(needle)
        self.longest = max((len(n.data) for n in self._needles), default=1)
        self._automaton = (
            BytesAhoCorasick(list(patterns), implementation=Implementation.ContiguousNFA)
            if patterns
            else None
        )

    def find(self, data: bytes, changes: bytes) -> Iterator[Found]:
        """Those in ``data``, whose ``differences`` are given."""
        if self._automaton is None:
            return
        for index, start, _ in self._automaton.find_matches_as_indexes(changes):
            needle = self._needles[index]
            inner = tuple(needle.encoding.split("+")) if needle.encoding else ()
            xored = data[start] != needle.data[0]
            yield Found(self._first + needle.canary, ("xor", *inner) if xored else inner, start)


class Searcher:
    """All needles of one scan's canaries. ``overlap`` is how many bytes are to be kept between two pieces."""

    def __init__(self, canaries: Iterable[Canary], references: Iterable[Canary] = ()) -> None:
        self.canaries = tuple(canaries)
        self._references = tuple(references)
        self._planted = len(self.canaries)
        self._parts = [_Needles(self.canaries, self._references, 0)]
        self.overlap = self._parts[0].longest

    def add(self, canary: Canary) -> None:
        """One more from now on: the few that are added have an automaton of their own, made anew for each."""
        if canary in self.canaries:
            return
        self.canaries += (canary,)
        added = _Needles(self.canaries[self._planted :], self._references, self._planted)
        self._parts[1:] = [added]
        self.overlap = max(self.overlap, added.longest)

    def scan(self, data: bytes) -> list[Found]:
        """Needles in ``data`` as it is, or under a one-byte XOR."""
        if len(data) < 8:
            return []
        changes = differences(data)
        return [found for part in self._parts for found in part.find(data, changes)]

    def deep(self, data: bytes, budget: Budget, depth: int = 0) -> Iterator[Found]:
        """Needles in ``data`` and in whatever it wraps, up to MAX_DEPTH layers down and the budget."""
        yield from self.scan(data)
        yield from self.wrapped(data, budget, depth)

    def wrapped(self, data: bytes, budget: Budget, depth: int = 0) -> Iterator[Found]:
        """Needles in what ``data`` wraps, not in itself."""
        if depth >= MAX_DEPTH:
            return
        if depth <= 1 and _may_be_brotli(data) and (plain := unbrotli(data, budget)):
            yield from self._below("brotli", plain, budget, depth)
        for name, inner in unwrap(data, budget, depth):
            yield from self._below(name, inner, budget, depth)

    def _below(self, name: str, inner: bytes, budget: Budget, depth: int) -> Iterator[Found]:
        if len(inner) >= 8:
            for found in self.deep(inner, budget, depth + 1):
                yield Found(found.canary, (name, *found.encoding), found.start)


def _may_be_brotli(data: bytes) -> bool:
    """Worth a try: small enough, and not text."""
    return 16 < len(data) <= 64 << 10 and not is_text(data[:64])
