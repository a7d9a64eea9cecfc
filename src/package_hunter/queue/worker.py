"""The worker: takes one scan after the other off the queue and runs it. It is root; the server is not.

It takes digests and purls from the queue, never paths. Killed at any moment, it loses no scan: its successor
takes them back (`Queue.recover`), or its leases end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import structlog

from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.queue import discreet
from package_hunter.queue.base import Job, LeaseLostError, Queue, Runner
from package_hunter.store.database import Store, StoreError
from package_hunter.store.uploads import Uploads

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 0.25
_HOUSEKEEPING_SECONDS = 10.0
_SWEEP_SECONDS = 600.0
_OVERTIME_SECONDS = 120.0  # beyond scan_timeout: setting up, judging, cleaning up
_GRACE_SECONDS = 5.0  # how long a scan may go on after SIGTERM


_SEE_LOG = "the worker's log says more."
_INSIST_TIMES = 5


class ScanStopped(BaseException):
    """The scan was broken off from outside; the pipeline's own clean-up runs on its way up."""


class Worker:
    """One worker process. ``reap`` is called once at the start: it removes what killed scans left behind;
    ``lacks`` now and then: it says what this host lacks for scans, for the server's health."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        queue: Queue,
        run: Runner,
        name: str,
        reap: Callable[[], None] | None = None,
        lacks: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self._run = run
        self._name = name
        self._reap = reap or (lambda: None)
        self._lacks = lacks
        self._uploads = Uploads(settings)
        self._stopping = False
        self._scanning = False
        self._next_housekeeping = self._next_sweep = 0.0

    def main(self) -> int:
        """Work until SIGTERM or SIGINT; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGUSR1, self._on_break_off)
        self._reap()
        taken_back = self._retrying(lambda: self._queue.recover(self._name))
        log.info("worker started", worker=self._name, taken_back=taken_back)
        while not self._stopping:
            if not self._retrying(self._one):
                time.sleep(_IDLE_SECONDS)
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
        """Housekeeping where it is due, then one scan; 0 where none waits."""
        self._housekeeping()
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
            log.info("scan failed", scan=str(job.scan_id), error=str(error))
            how, reason, code = "failed", discreet.failure(error, self._settings), error.exit_code
            _insist(lambda: self._queue.fail(job, reason, code))
        except Exception as error:
            log.exception("scan crashed", scan=str(job.scan_id))
            how, reason = "crashed", f"Package Hunter itself failed ({type(error).__name__}): {_SEE_LOG}"
            _insist(lambda: self._queue.fail(job, reason))
        else:
            how = "finished"
            _insist(lambda: self._queue.finish(job, report))
        if job.sha256 is not None:
            self._uploads.remove_unneeded(self._store, job.sha256)
        return how

    def _guarded_run(self, job: Job) -> dict[str, object]:
        """The runner's report. SIGTERM can break it off, but never between here and the queue."""
        archive = None if job.sha256 is None else self._uploads.checked(job.sha256)
        self._scanning = True
        try:
            return discreet.report(self._run(job, archive).to_json(), self._settings)
        finally:
            self._scanning = False

    def _stop_due(self) -> bool:
        return self._stopping

    def _housekeeping(self) -> None:
        now = time.monotonic()
        if now >= self._next_housekeeping:
            self._next_housekeeping = now + _HOUSEKEEPING_SECONDS
            self._queue.seen(self._name, self._lacks())
            self._queue.requeue_expired()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_SECONDS
            self._uploads.sweep(self._store)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """The first signal lets a running scan end (`_GRACE_SECONDS`), the next breaks it off."""
        again, self._stopping = self._stopping, True
        if again:
            self._on_break_off(0, None)

    def _on_break_off(self, _number: int, _frame: FrameType | None) -> None:
        if self._scanning:
            self._scanning = False  # once only: the next would break the clean-up
            raise ScanStopped


def _insist(end_scan: Callable[[], None]) -> None:
    """A result is worth a few tries; after that the lease ends, and the scan runs again."""
    for left in reversed(range(_INSIST_TIMES)):
        try:
            return end_scan()
        except StoreError as error:
            log.warning("result not stored yet", error=str(error), tries_left=left)
            if not left:
                raise
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


@contextlib.contextmanager
def worker_name(settings: Settings) -> Iterator[str]:
    """A name that is this process's alone on this machine, and its successor's: ``host/1``, ``host/2``..."""
    folder = settings.data_dir / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for slot in range(1, 1_000):
        fd = os.open(_lock_path(folder, slot), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not inherited by what a scan forks
        except OSError:
            os.close(fd)
            continue
        try:
            yield f"{socket.gethostname()[:100]}/{slot}"
        finally:
            os.close(fd)
        return
    raise HunterError("A thousand workers run on this machine already.", "Stop some.")


def _lock_path(folder: Path, slot: int) -> Path:
    return folder / f"worker-{slot}"
