"""Hurries a box's time, and holds it while something in the box waits for an answer.

A program that gives a server ten seconds would else give up after a sixth of one: while a connection is under way time
passes as it does. That cannot be used to stand still: each connection holds it for a few seconds only, and all of them
together for some more.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType

from package_hunter.sandbox import connections
from package_hunter.sandbox.clock.page import Page

RATE = 60
_LOOK_SECONDS = 0.005  # between two looks at the box's connections: a third of a second there
_HOLD_SECONDS = 6.0  # for one connection
_HOLD_ALL_SECONDS = 20.0


class Pacer:
    """A context in which the box's time is hurried."""

    def __init__(self, page: Page, init_pid: int, rate: int = RATE) -> None:
        self._page, self._init_pid, self._rate = page, init_pid, rate
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._pace, name="pacer", daemon=True)
        self._seen: dict[int, float] = {}  # connection -> when it was first seen
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
            if self._page.rate == 1:
                self.held += now - before
            before = now
            self._page.set(1 if self._waits_for_an_answer(now) else self._rate)
            if self._done.wait(_LOOK_SECONDS):
                return

    def _waits_for_an_answer(self, now: float) -> bool:
        under_way = connections.under_way(self._init_pid)
        self._seen = {inode: self._seen.get(inode, now) for inode in under_way}
        fresh = any(now - first < _HOLD_SECONDS for first in self._seen.values())
        return fresh and self.held < _HOLD_ALL_SECONDS
