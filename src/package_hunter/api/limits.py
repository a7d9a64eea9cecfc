"""How often somebody may do something."""

from __future__ import annotations

import time
from collections.abc import Callable

_MAX_KEYS = 10_000


class Buckets:
    """Token buckets, one a key: ``per_minute`` at a steady pace, a minute's worth at once. Bounded memory."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._per_second = per_minute / 60.0
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def wait(self, key: str) -> float:
        """Seconds until ``key`` may act; 0.0 means now. Takes nothing."""
        level = self._level(key, self._clock())
        return 0.0 if level >= 1.0 else (1.0 - level) / self._per_second

    def take(self, key: str) -> None:
        """Count one act of ``key``."""
        now = self._clock()
        level = self._level(key, now)
        self._levels.pop(key, None)
        if len(self._levels) >= _MAX_KEYS:  # forget whoever acted longest ago
            del self._levels[next(iter(self._levels))]
        self._levels[key] = (max(level - 1.0, 0.0), now)

    def _level(self, key: str, now: float) -> float:
        level, then = self._levels.get(key, (self._size, now))
        return min(self._size, level + (now - then) * self._per_second)
