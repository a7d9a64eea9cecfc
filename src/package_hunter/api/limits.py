"""How often somebody may do something. Whoever may, has counted already: many who ask at once find no gap."""

from __future__ import annotations

import ipaddress
import time
from array import array
from collections.abc import Callable, Mapping
from typing import Any

_MAX_KEYS = 10_000
_MINUTE = 60.0


class Buckets:
    """Token buckets, one a key: ``per_minute`` at a steady pace, a minute's worth at once. BoundedReader memory."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._per_second = per_minute / _MINUTE
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def wait(self, key: str) -> float:
        """Seconds until ``key`` may act; 0.0 means now. Takes nothing."""
        level = self._level(key, self._clock())
        return 0.0 if level >= 1.0 else (1.0 - level) / self._per_second

    def left(self, key: str) -> int:
        """How many acts of ``key`` are left at once."""
        return int(self._level(key, self._clock()))

    def take(self, key: str) -> None:
        """Count one act of ``key``."""
        self._put(key, -1.0)

    def reserve(self, key: str) -> float:
        """Count one act of ``key`` where it may act now (0.0), else the seconds until it may."""
        now = self._clock()
        level = self._level(key, now)
        if level < 1.0:
            return (1.0 - level) / self._per_second
        _make_room(self._levels, key)
        self._levels[key] = (level - 1.0, now)
        return 0.0

    def give_back(self, key: str) -> None:
        """An act that was reserved did not take place."""
        self._put(key, 1.0)

    def _put(self, key: str, change: float) -> None:
        now = self._clock()
        level = min(max(self._level(key, now) + change, 0.0), self._size)
        _make_room(self._levels, key)
        self._levels[key] = (level, now)

    def _level(self, key: str, now: float) -> float:
        level, then = self._levels.get(key, (self._size, now))
        return min(self._size, level + (now - then) * self._per_second)


class Windows:
    """At most ``per_minute`` acts of a key in any sixty seconds. BoundedReader memory."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self._clock = clock
        self._acts: dict[str, array[float]] = {}

    def count(self, key: str) -> int:
        """The acts of ``key`` that count at this moment."""
        return len(self._recent(key))

    def wait(self, key: str) -> float:
        """Seconds until ``key`` may act; 0.0 means now."""
        acts = self._recent(key)
        if len(acts) < self._limit:
            return 0.0
        return acts[0] + _MINUTE - self._clock() if acts else _MINUTE

    def take(self, key: str) -> float:
        """Count one act of ``key``; its time, by which it can be given back."""
        acts, now = self._recent(key), self._clock()
        _make_room(self._acts, key)
        self._acts[key] = acts
        acts.append(now)
        return now

    def give_back(self, key: str, act: float) -> None:
        """The act that was counted at this time did not take place."""
        acts = self._acts.get(key)
        if acts is not None and act in acts:
            acts.remove(act)

    def _recent(self, key: str) -> array[float]:
        acts = self._acts.get(key, array("d"))
        oldest = self._clock() - _MINUTE
        while acts and acts[0] <= oldest:
            del acts[0]
        return acts


def _make_room(kept: dict[str, Any], key: str) -> None:
    """Let ``key`` become the newest; forget whoever acted longest ago where there are too many."""
    kept.pop(key, None)
    if len(kept) >= _MAX_KEYS:
        del kept[next(iter(kept))]


def neighbourhood(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 one, whose owner has all of it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def has_room(limit: int, held: Mapping[str, int], key: str) -> bool:
    """Whether ``key`` may take one more of ``limit`` places; ``held`` says who holds how many.

    Where all are taken, who holds less than an equal share still may: nobody's many keep another from his few.
    """
    if sum(held.values()) < limit:
        return True
    sharers = len(held) + (key not in held)
    return held.get(key, 0) < max(1, limit // sharers)
