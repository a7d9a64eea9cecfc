"""Beside a scan that runs: its lease renewed, and an end made of what must not go on.

A thread; the scan runs in the main thread, and is broken off there by a signal (`stopping`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

import structlog

from package_hunter.config import Settings
from package_hunter.queue.base import Job, LeaseLostError, Queue
from package_hunter.queue.fleet import Orders
from package_hunter.store.database import StoreError, now_ms

log = structlog.get_logger(__name__)

BREAK_OFF = signal.SIGUSR1
OVERTIME_SECONDS = 120.0  # beyond scan_timeout: setting up, judging, cleaning up
_LOOK_SECONDS = 0.25
_ORDERS_SECONDS = 1.0
_STUBBORN_SECONDS = 20.0  # for a scan that was broken off to be gone


class Heart:
    """For the time of one scan, a context. ``stops``: whether the worker is to end; ``orders``: what it was told from
    afar. ``cancelled``: somebody wanted the scan ended, and it was broken off for that."""

    def __init__(
        self,
        queue: Queue,
        job: Job,
        worker: str,
        settings: Settings,
        stops: Callable[[], bool],
        orders: Callable[[], Orders],
    ) -> None:
        self.cancelled = False
        self._queue, self._job, self._worker = queue, job, worker
        self._stops, self._orders = stops, orders
        self._grace = settings.drain_seconds
        self._interval = settings.lease_seconds / 4
        now = time.monotonic()
        self._ends = now + settings.scan_timeout + OVERTIME_SECONDS
        self._next_beat, self._next_orders = now + self._interval, now
        self._stop_at: float | None = None
        self._broken_off: float | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            try:
                self._look(time.monotonic())
            except StoreError as error:
                log.warning("heartbeat failed", error=str(error))

    def _look(self, now: float) -> None:
        if now >= self._ends:
            self._give_up("The scan hung: it went on long after its time limit.")
        if self._broken_off is not None and now >= self._broken_off + _STUBBORN_SECONDS:
            self._give_up("The scan hung: it did not end when it was broken off.")
        if self._stops() and self._stop_at is None:
            self._stop_at = now + self._grace
        if self._stop_at is not None and now >= self._stop_at:
            self._break_off("the worker ends")
        if now >= self._next_beat:
            self._next_beat = now + self._interval
            self._renew()
        if not self.cancelled and self._queue.cancelled(self._job):
            self.cancelled = True
            self._break_off("cancelled")
        if now >= self._next_orders:
            self._next_orders = now + _ORDERS_SECONDS
            give_back = self._orders().give_back
            if give_back is not None and now_ms() >= give_back:
                self._break_off("the worker is drained")

    def _renew(self) -> None:
        try:
            self._queue.heartbeat(self._job)
            self._queue.seen(self._worker)
        except LeaseLostError:
            self._break_off("the lease is lost")

    def _break_off(self, why: str) -> None:
        """Once; the main thread ends the scan where it waits."""
        if self._broken_off is None:
            self._broken_off = time.monotonic()
            log.info("scan broken off", scan=str(self._job.scan_id), why=why)
            os.kill(os.getpid(), BREAK_OFF)

    def _give_up(self, reason: str) -> None:
        """The scan passed every deadline of its own: this process cannot be trusted any more. Its helpers die with it,
        and its successor removes its box."""
        log.error("scan hangs, worker ends itself", scan=str(self._job.scan_id))
        with contextlib.suppress(LeaseLostError, StoreError):
            if self.cancelled:
                self._queue.end_cancelled(self._job)
            else:
                self._queue.fail(self._job, reason)
        os._exit(70)
