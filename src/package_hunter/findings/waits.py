"""What a process that was left running waits for, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from package_hunter.model.scan import Wait

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_WORDS = {
    "work": "at work",
    "signal": "waiting for a signal, which may be that of a timer",
    "unknown": "waiting; for what cannot be told",
    "child": "waiting for a process that it started",
    "data": "waiting for data",
    "lock": "waiting for another of its threads",
}
_ORDER = ("timer", *_WORDS)


def in_order(waits: Sequence[Wait]) -> list[Wait]:
    """What says most first: timers that end, the next one first; then what may go on by itself."""
    return sorted(waits, key=_rank)


def _rank(wait: Wait) -> tuple[bool, int, float]:
    length = math.inf if wait.seconds is None else wait.seconds
    kind = _ORDER.index(wait.what) if wait.what in _ORDER else len(_ORDER)
    return wait.seconds is None, kind, length


def waiting(waits: Sequence[Wait]) -> str:
    """As the rest of "it was left ...": ``waiting for a timer of 10 min``."""
    first = in_order(waits)[0]
    if first.what != "timer":
        return _WORDS.get(first.what, _WORDS["unknown"])
    if first.seconds is None:
        return "waiting for a timer, whose length cannot be told"
    if first.soonest == first.seconds:  # only the rest is known
        return f"waiting for a timer with {duration(first.seconds)} to go"
    return f"waiting for a timer of {duration(first.seconds)}"


def duration(seconds: float) -> str:
    """In the two greatest units that say something: ``10 min``, ``1 h 5 min``, ``0.5 s``. Times of day that were
    read a moment after they were set are rounded up to the second."""
    if seconds < 1:
        return f"{seconds:.1g} s" if seconds > 0 else "0 s"
    left = math.ceil(seconds - 0.05)
    if left >= 120:
        left = round(left / 10) * 10  # what was read some seconds late
    words: list[str] = []
    for size, unit in _UNITS:
        if (count := left // size) and len(words) < 2:
            words.append(f"{count} {unit}")
            left -= count * size
    return " ".join(words)


def plain(wait: Wait) -> dict[str, Any]:
    """As evidence data has it."""
    return {"for": wait.what, "seconds": wait.seconds, "call": wait.call}
