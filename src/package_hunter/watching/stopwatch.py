"""How long each step of a scan takes. The pipeline says when a step begins and ends; the rest is not its matter.

Names are ours: what a scan's own files could have a say in (a plan comes back from a child that read them) is another
step, and no more steps are kept than any honest scan has.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STEPS = (
    *("receive", "plan", "box"),
    *("fetch", "install", "startup", "import", "exercise", "narrow", "morning"),
    *("settle", "judge", "store"),
)
"""In the order in which a scan takes them; a scan with several boxes takes those of a box several times."""
OTHER = "other"
MAX_LAPS = 200


@dataclass(frozen=True, slots=True)
class Lap:
    """A step that was taken: from ``begin`` to ``end`` (ns since the epoch); ``failed``: an error ended it."""

    step: str
    begin: int
    end: int
    failed: bool = False

    @property
    def seconds(self) -> float:
        """How long; a clock that was set back took no time."""
        return max(0, self.end - self.begin) / 1e9


def step_of(name: str) -> str:
    """The step of this name, or ``other``."""
    return name if name in STEPS else OTHER


class Stopwatch:
    """The steps of one try of a scan."""

    def __init__(self) -> None:
        self.began, self._monotonic = time.time_ns(), time.monotonic_ns()
        self.laps: list[Lap] = []

    def now(self) -> int:
        """Now (ns since the epoch), by what passed since the start: a host's clock that jumps does not reach in."""
        return self.began + time.monotonic_ns() - self._monotonic

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Take the time of the block."""
        begin, failed = self.now(), True
        try:
            yield
            failed = False
        finally:
            if len(self.laps) < MAX_LAPS:
                self.laps.append(Lap(step_of(name), begin, self.now(), failed))
