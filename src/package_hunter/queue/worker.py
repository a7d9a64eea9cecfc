"""The worker: takes one scan after the other off the queue and runs it. It is root; the server is not.

It takes digests and purls from the queue, never paths. Killed at any moment, it loses no scan: its successor
takes them back (`Queue.recover`), or its leases end. A fault of ours (`HunterError.again`) is no failed scan: it
is tried again.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import IO, TypeVar

import structlog

from package_hunter import stopping
from package_hunter.config import Settings
from package_hunter.errors import DiskFullError, HelperDiedError, HostError, HunterError
from package_hunter.model.report import Report
from package_hunter.queue import discreet
from package_hunter.queue.base import Job, LeaseLostError, Queue, Runner
from package_hunter.queue.fleet import Membership, Orders
from package_hunter.queue.heart import BREAK_OFF, Heart
from package_hunter.queue.identity import Identity
from package_hunter.stopping import ScanStopped
from package_hunter.store.archives import Archives
from package_hunter.store.database import Store, StoreError

log = structlog.get_logger(__name__)

_WAIT_SECONDS = 2.0  # for a scan to come, before the worker looks around
_HOUSEKEEPING_SECONDS = 10.0
_SWEEP_SECONDS = 600.0


_SEE_LOG = "the worker's log says more."
_INSIST_SECONDS = 600.0  # so long a scan that has ended waits for a store that is away
_STORE_AWAY_SECONDS = 1.0  # before the next scan is looked for
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Host:
    """What a worker does for its host. ``reap`` is called once at the start: it removes what killed scans left
    behind; ``lacks`` now and then: it says what this host lacks for scans, for the server's health; while
    ``unfit`` says something, no scan is taken, and one that fails then is given back. ``member``: its place among the
    workers; None: it takes whatever comes."""

    reap: Callable[[], None] | None = None
    lacks: Callable[[], str | None] = lambda: None
    unfit: Callable[[], str | None] = lambda: None
    member: Membership | None = None


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
        self._scanning = self._drained = self._registered = False
        self._next_housekeeping = self._next_sweep = 0.0

    def main(self) -> int:
        """Work until SIGTERM or SIGINT; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(BREAK_OFF, self._on_break_off)
        if self._host.reap is not None:
            self._host.reap()
        taken_back = sum(self._retrying(partial(self._queue.recover, name)) for name in self._dead)
        log.info("worker started", worker=self._name, taken_back=taken_back)
        while not self._stopping:
            if not self._retrying(self._one) and not self._stopping:
                self._queue.wait(_WAIT_SECONDS)
        self._retrying(self._leave)
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

    def _leave(self) -> int:
        if self._host.member is not None:
            self._host.member.leave()
        return 1

    def _orders(self) -> Orders:
        return Orders() if self._host.member is None else self._host.member.orders()

    def _drains(self) -> bool:
        """Whether it was told from afar to take no more."""
        told = self._orders().drain
        if told != self._drained:
            log.info("no more scans are taken" if told else "scans are taken again", worker=self._name)
        self._drained = told
        return told

    def _one(self) -> int:
        """Housekeeping where it is due, then one scan; 0 where none waits, or others must make it."""
        self._housekeeping()
        if self._hindered is not None or self._drains():
            return 0
        job = self._queue.claim(self._name, None if self._host.member is None else self._host.member.can)
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
        heart = Heart(self._queue, job, self._name, self._settings, self._stop_due, self._orders)
        failed: Exception | ScanStopped | None = None
        try:
            with heart:
                report = self._guarded_run(job)
        except (Exception, ScanStopped) as error:
            failed = error
        if heart.cancelled:  # whatever came of it: nobody wants it any more
            how = "cancelled"
            _insist(lambda: self._queue.end_cancelled(job))
        elif isinstance(failed, ScanStopped):
            _insist(lambda: self._queue.release(job))
            return "given back"
        elif failed is not None:
            how = self._failed(job, failed)
        else:
            how = "finished"
            _insist(lambda: self._queue.finish(job, report))
        if job.sha256 is not None:
            self._archives.let_go(job.scan_id)
        return how

    def _failed(self, job: Job, error: Exception) -> str:
        """End the scan with the error's words, or let it be tried again where the fault is ours; where this host
        cannot scan at all, others may."""
        if isinstance(error, LeaseLostError):
            raise error
        if not isinstance(error, HunterError):
            log.error("scan crashed", scan=str(job.scan_id), exc_info=error)
            error = HostError(f"Package Hunter itself failed ({type(error).__name__}): {_SEE_LOG}")
        reason, code = discreet.failure(error, self._settings), error.exit_code
        # whoever runs the server is told all of it, whoever asks for the scan what is theirs to know
        log.warning(
            "scan failed", scan=str(job.scan_id), error=str(error), fault="ours" if error.again else "target"
        )
        self._look_for_hindrance()
        away = isinstance(error, StoreError) and not isinstance(error, DiskFullError)
        if self._hindered is not None or away:
            # no attempt of it: neither scan nor worker failed. (A disk that this very scan fills is one.)
            _insist(lambda: self._queue.release(job))
            time.sleep(_STORE_AWAY_SECONDS)
            return "given back"
        if not error.again:
            _insist(lambda: self._queue.fail(job, reason, code))
            return "failed"
        killed = isinstance(error, HelperDiedError)
        waits = _insist(lambda: self._queue.retry(job, reason, code, killed))
        return "to be tried again" if waits else "failed"

    def _guarded_run(self, job: Job) -> Report:
        """The runner's report. SIGTERM can break it off, but never between here and the queue."""
        with self._archive(job) as archive:
            stopping.begin()
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
            hindered = self._hindered
            self._look_for_hindrance()
            if self._host.member is not None and (not self._registered or hindered != self._hindered):
                self._host.member.register()  # again where what it lacked may have come
                self._registered = True
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
        """The first signal lets a running scan end (`drain_seconds`), the next breaks it off."""
        again, self._stopping = self._stopping, True
        if again:
            self._on_break_off(0, None)

    def _on_break_off(self, _number: int, _frame: FrameType | None) -> None:
        if self._scanning:
            self._scanning = False  # once only: the next would break the clean-up
            stopping.ask()


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
