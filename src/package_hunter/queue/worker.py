"""The worker: takes one scan after the other off the queue and runs it. It is root; the server is not.

It takes digests and purls from the queue, never paths. Killed at any moment, it loses no scan: its successor
takes them back (`Queue.recover`), or its leases end. A fault of ours (`HunterError.again`) is no failed scan: it
is tried again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import IO, TypeVar

import structlog

from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.model.report import Report
from package_hunter.queue import discreet
from package_hunter.queue.base import Job, LeaseLostError, Queue, Runner
from package_hunter.queue.identity import Identity
from package_hunter.store.archives import Archives
from package_hunter.store.database import Store, StoreError

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 0.25
_WAIT_SECONDS = 1.0  # for a new scan, before looking again, and whether to stop
_HOUSEKEEPING_SECONDS = 10.0
_SWEEP_SECONDS = 600.0
_OVERTIME_SECONDS = 120.0  # beyond scan_timeout: setting up, judging, cleaning up
_GRACE_SECONDS = 5.0  # how long a scan may go on after SIGTERM


_SEE_LOG = "the worker's log says more."
_INSIST_SECONDS = 600.0  # so long a scan that has ended waits for a store that is away
_STORE_AWAY_SECONDS = 1.0  # before the next scan is looked for
T = TypeVar("T")


class ScanStopped(BaseException):
    """The scan was broken off from outside; the pipeline's own clean-up runs on its way up."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a worker does for its host. ``reap`` is called once at the start: it removes what killed scans left
    behind; ``lacks`` now and then: it says what this host lacks for scans, for the server's health; while
    ``unfit`` says something, no scan is taken, and one that fails then is given back."""

    reap: Callable[[], None] | None = None
    lacks: Callable[[], str | None] = lambda: None
    unfit: Callable[[], str | None] = lambda: None


class Worker:
    """One worker process."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        queue: Queue,
        run: Runner,
        identity: Identity,
        host: Host,
    ) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self._run = run
        self._name, self._dead = identity.name, identity.dead
        self._host = host
        self._hindered: str | None = None
        self._archives = Archives(settings, store)
        self._stopping = False
        self._scanning = False
        self._next_housekeeping = self._next_sweep = 0.0

    def main(self) -> int:
        """Work until SIGTERM or SIGINT; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGUSR1, self._on_break_off)
        if self._host.reap is not None:
            self._host.reap()
        taken_back = sum(self._retrying(partial(self._queue.recover, name)) for name in self._dead)
        log.info("worker started", worker=self._name, taken_back=taken_back)
        while not self._stopping:
            if not self._retrying(self._one):
                self._queue.wait(_WAIT_SECONDS)
        log.info("worker stopped", worker=self._name)
        return 0

    def _retrying(self, what: Callable[[], int]) -> int:
        """``what`` once; a store that fails is waited for, not died of."""
        try:
            return what()
        except StoreError as error:
            log.warning("store failed", error=str(error))
            time.sleep(1.0)
            return 0

    def _one(self) -> int:
        """Housekeeping where it is due, then one scan; 0 where none waits, or others must make it."""
        self._housekeeping()
        if self._hindered is not None:
            return 0
        job = self._queue.claim(self._name)
        if job is None:
            return 0
        log.info("scan started", scan=str(job.scan_id), attempt=job.attempt)
        began = time.monotonic()
        try:
            how = self._scan(job)
        except LeaseLostError:
            how = "lost to another worker"
        log.info("scan ended", scan=str(job.scan_id), how=how, seconds=round(time.monotonic() - began, 2))
        return 1

    def _scan(self, job: Job) -> str:
        """Run the job and end it in the queue; says how it went."""
        try:
            with _Heart(self._queue, job, self._name, self._settings, self._stop_due):
                report = self._guarded_run(job)
        except ScanStopped:
            _insist(lambda: self._queue.release(job))
            return "given back"
        except HunterError as error:
            how = self._failed(job, error)
        except Exception as error:
            log.exception("scan crashed", scan=str(job.scan_id))
            how, reason = "crashed", f"Package Hunter itself failed ({type(error).__name__}): {_SEE_LOG}"
            _insist(lambda: self._queue.fail(job, reason))
        else:
            how = "finished"
            _insist(lambda: self._queue.finish(job, report))
        if job.sha256 is not None:
            self._archives.let_go(job.scan_id)
        return how

    def _failed(self, job: Job, error: HunterError) -> str:
        """End the scan with the error's words, or let it be tried again where the fault is ours; where this host
        cannot scan at all, others may."""
        reason, code = discreet.failure(error, self._settings), error.exit_code
        # whoever runs the server is told all of it, whoever asks for the scan what is theirs to know
        log.warning(
            "scan failed", scan=str(job.scan_id), error=str(error), fault="ours" if error.again else "target"
        )
        self._look_for_hindrance()
        if self._hindered is not None or isinstance(error, StoreError):
            # no attempt of it: neither scan nor worker failed
            _insist(lambda: self._queue.release(job))
            time.sleep(_STORE_AWAY_SECONDS)
            return "given back"
        if not error.again:
            _insist(lambda: self._queue.fail(job, reason, code))
            return "failed"
        return "to be tried again" if _insist(lambda: self._queue.retry(job, reason, code)) else "failed"

    def _guarded_run(self, job: Job) -> Report:
        """The runner's report. SIGTERM can break it off, but never between here and the queue."""
        with self._archive(job) as archive:
            self._scanning = True
            try:
                return discreet.report(self._run(job, archive), self._settings)
            finally:
                self._scanning = False

    def _archive(self, job: Job) -> contextlib.AbstractContextManager[IO[bytes] | None]:
        """The archive, opened once: what was checked is what is scanned, whatever lies there later."""
        if job.sha256 is None:
            return contextlib.nullcontext()
        return self._archives.opened(job.sha256, job.size)

    def _stop_due(self) -> bool:
        return self._stopping

    def _housekeeping(self) -> None:
        now = time.monotonic()
        if now >= self._next_housekeeping:
            self._next_housekeeping = now + _HOUSEKEEPING_SECONDS
            self._look_for_hindrance()
            self._queue.seen(self._name, self._host.lacks())
            self._queue.requeue_expired()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_SECONDS
            self._archives.sweep()

    def _look_for_hindrance(self) -> None:
        found = self._host.unfit()
        if found is not None and found != self._hindered:
            data = str(self._settings.data_dir)
            log.error("no scans are taken here", worker=self._name, why=found, data_dir=data)
        elif found is None and self._hindered is not None:
            log.info("scans are taken again", worker=self._name)
        self._hindered = found

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """The first signal lets a running scan end (`_GRACE_SECONDS`), the next breaks it off."""
        again, self._stopping = self._stopping, True
        if again:
            self._on_break_off(0, None)

    def _on_break_off(self, _number: int, _frame: FrameType | None) -> None:
        if self._scanning:
            self._scanning = False  # once only: the next would break the clean-up
            raise ScanStopped


def _insist(end_scan: Callable[[], T]) -> T:
    """What a scan showed is worth some patience; after that the lease ends, and the scan runs again. While the store is
    away nobody else can take the scan up, so its lease may be over and the result still wanted."""
    end = time.monotonic() + _INSIST_SECONDS
    while True:
        try:
            return end_scan()
        except StoreError as error:
            if time.monotonic() >= end:
                raise
            log.warning("result not stored yet", error=str(error))
            time.sleep(1.0)


class _Heart:
    """Renews a lease from a thread while its scan runs, and ends what must not go on."""

    def __init__(
        self, queue: Queue, job: Job, worker: str, settings: Settings, stop_due: Callable[[], bool]
    ) -> None:
        self._queue, self._job, self._worker = queue, job, worker
        self._interval = settings.lease_seconds / 4
        self._ends = time.monotonic() + settings.scan_timeout + _OVERTIME_SECONDS
        self._stop_due = stop_due
        self._stop_at: float | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        next_beat = time.monotonic() + self._interval
        while not self._done.wait(_IDLE_SECONDS):
            now = time.monotonic()
            if now >= next_beat:
                next_beat = now + self._interval
                self._renew()
            if self._stop_due():
                self._break_off_after_grace(now)
            if now >= self._ends:
                self._give_up()

    def _renew(self) -> None:
        try:
            self._queue.heartbeat(self._job)
            self._queue.seen(self._worker)
        except LeaseLostError:
            log.warning("lease lost, breaking the scan off", scan=str(self._job.scan_id))
            _break_off()
        except StoreError as error:
            log.warning("heartbeat failed", error=str(error))

    def _break_off_after_grace(self, now: float) -> None:
        if self._stop_at is None:
            self._stop_at = now + _GRACE_SECONDS
        elif now >= self._stop_at:
            self._stop_at = float("inf")
            _break_off()

    def _give_up(self) -> None:
        """The scan passed every deadline of its own: this process cannot be trusted any more."""
        log.error("scan hangs, worker ends itself", scan=str(self._job.scan_id))
        with contextlib.suppress(LeaseLostError, StoreError):
            self._queue.fail(self._job, "The scan hung: it went on long after its time limit.")
        os._exit(70)


def _break_off() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)
