"""The clocks of a box, which a time namespace shifts against the host's: time_namespaces(7)."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

_OFFSET = re.compile(rb"^(monotonic|boottime)\s+(-?\d{1,12})\s+(\d{1,9})", re.M)
_MONOTONIC, _BOOTTIME, _BOOTTIME_ALARM = 1, 7, 9


@dataclass(frozen=True, slots=True)
class BoxTime:
    """How far a process's clocks are before the host's, in ns."""

    monotonic: int = 0
    boottime: int = 0

    @classmethod
    def told_by(cls, offsets: bytes) -> BoxTime:
        """By the text of /proc/PID/timens_offsets; nothing where the kernel has none."""
        found = {name.decode(): int(s) * 1_000_000_000 + int(ns) for name, s, ns in _OFFSET.findall(offsets)}
        return cls(**found)

    @classmethod
    def of(cls, pid: int) -> BoxTime:
        """Of a process of ours, by its pid on the host."""
        path = Path(f"/proc/{pid}/timens_offsets")
        return cls.told_by(path.read_bytes() if path.exists() else b"")

    def now(self, clock: int) -> float:
        """What a clock (of clock_gettime) shows there now, in seconds."""
        if clock == _MONOTONIC:
            return time.clock_gettime(time.CLOCK_MONOTONIC) + self.monotonic / 1e9
        if clock in (_BOOTTIME, _BOOTTIME_ALARM):
            return time.clock_gettime(time.CLOCK_BOOTTIME) + self.boottime / 1e9
        return time.time()


def ticks_to_seconds(ticks: int) -> float:
    """Of times that /proc gives in clock ticks."""
    return ticks / os.sysconf("SC_CLK_TCK")
