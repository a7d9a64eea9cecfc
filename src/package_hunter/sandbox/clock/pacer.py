"""Hurries a box's time, and holds it while something in the box waits for an answer, or is at work.

A program that gives a server ten seconds would else give up after a sixth of one, and one that gives a child thirty
seconds would end it after half a one, before an interpreter has even started: while a connection is under way, and
while a process works, time passes as it does. That cannot be used to stand still: each connection and each process
holds it for a few seconds only, and all of them together for some more, which leaves most of a hurried round.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from types import TracebackType

from package_hunter.sandbox import connections
from package_hunter.sandbox.clock.page import Page

RATE = 60
_LOOK_SECONDS = 0.005  # between two looks at the box: a third of a second there
_HOLD_SECONDS = 6.0  # for one connection
_WORK_SECONDS = 3.0  # for one process that is at work
_HOLD_ALL_SECONDS = 12.0  # so that of a round of 25 s thirteen minutes are hurried in any case


class Pacer:
    """A context in which the box's time is hurried. ``at_work`` tells the processes (pids) that do something."""

    def __init__(
        self, page: Page, init_pid: int, at_work: Callable[[], Collection[int]], rate: int = RATE
    ) -> None:
        self._page, self._init_pid, self._at_work, self._rate = page, init_pid, at_work, rate
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._pace, name="pacer", daemon=True)
        self._seen: dict[int, float] = {}  # connection -> when it was first seen
        self._worked: dict[int, float] = {}  # process -> seconds for which it held time
        self.held = 0.0  # seconds, so far

    def __enter__(self) -> Pacer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._page.set(1)

    def _pace(self) -> None:
        before = time.monotonic()
        while True:
            now = time.monotonic()
            passed = now - before
            if self._page.rate == 1:
                self.held += passed
            before = now
            busy = self._works(passed) | self._waits_for_an_answer(now)  # both keep account
            self._page.set(1 if busy and self.held < _HOLD_ALL_SECONDS else self._rate)
            if self._done.wait(_LOOK_SECONDS):
                return

    def _waits_for_an_answer(self, now: float) -> bool:
        under_way = connections.under_way(self._init_pid)
        self._seen = {inode: self._seen.get(inode, now) for inode in under_way}
        return any(now - first < _HOLD_SECONDS for first in self._seen.values())

    def _works(self, passed: float) -> bool:
        """Whether a process is at work that has not held time for long; ``passed``: seconds since the last look."""
        found = False
        for pid in self._at_work():
            spent = self._worked[pid] = self._worked.get(pid, 0.0) + passed
            found = found or spent < _WORK_SECONDS
        return found
