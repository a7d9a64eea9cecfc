"""The queue of PostgreSQL, for many machines: procrastinate carries scans to workers.

procrastinate knows queues and priorities, wakes workers, and tells running jobs to end. It knows nothing of accounts
and projects: a *feeder* hands it, in the order of turns (`queue.fair`), one scan at a time for each kind of needs, and
the next one when that was fetched; what is handed and not fetched yet can be taken back. And it knows no fence: a lease
(`queue.leases`) is what lets a worker store a result.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg
import structlog
from procrastinate.manager import get_channel_for_queues
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.queue import fair
from package_hunter.queue.base import Job
from package_hunter.queue.engine import Engine, queue_of
from package_hunter.queue.leases import LOCK, Leases
from package_hunter.store import connections
from package_hunter.store.database import Store
from package_hunter.store.models import JobRow

log = structlog.get_logger(__name__)

_STRANGERS = 100  # jobs in our queues that are of no scan: passed over, so many at a time
_LOOK_SECONDS = 1.0  # between looks whether procrastinate still knows a worker
_FORGET_LEASES = 4.0  # a worker that was silent for so many leases is forgotten


class ProcrastinateQueue(Leases):
    """Implements `queue.base.Queue`. One object a process."""

    def __init__(self, store: Store, settings: Settings) -> None:
        super().__init__(store, settings)
        self._engine = Engine()
        self._workers: dict[str, int] = {}  # procrastinate's numbers of this process's workers
        self._looked = float("-inf")
        self._ear: psycopg.Connection | None = None

    def claim(self, worker: str, can: frozenset[str] | None = None) -> Job | None:
        """See the port."""
        if self._nothing_waits(can):
            return None
        with self._store.write() as session:
            self._store.lock(session, LOCK)
            waiting = fair.waiting_needs(session)
            found = self._next(session, None if can is None else fair.fitting(waiting, can), 2)
            self._idle = not found
            if not found:
                return None
            handed = self._alone(session, found[0])
            job = self._fetched(session, found[0], worker)
            if job is not None:
                handed.discard(found[0].needs)
            # one that was next but one: whether it still is, is seen when somebody asks
            self._hand_out(session, waiting, handed, found[1:])
            return job

    def wait(self, seconds: float) -> None:
        """See the port: LISTEN tells of what was handed meanwhile, also by other machines."""
        try:
            if self._ear is None:
                url = self._store.engine.url.set(drivername="postgresql")
                address, limits = url.render_as_string(hide_password=False), connections.limits(url)
                self._ear = psycopg.connect(address, autocommit=True, **limits)
                for channel in get_channel_for_queues(None):
                    self._ear.execute(f"LISTEN {channel}")
                return  # what came before is to be looked for
            heard = [*self._ear.notifies(timeout=seconds, stop_after=1)]
            if heard:
                list(self._ear.notifies(timeout=0))  # of many, one look
        except psycopg.Error as error:
            log.warning("not told of new scans, looking for them", error=str(error).partition("\n")[0])
            self.close()
            time.sleep(min(seconds, 1.0))

    def close(self) -> None:
        """Listen no more."""
        if self._ear is not None:
            self._ear.close()
        self._ear = None

    def seen(self, worker: str, lacks: str | None = None) -> None:
        """See the port."""
        super().seen(worker, lacks)
        number = self._workers.get(worker)
        if number is not None:
            with self._store.write() as session:
                self._engine.heartbeat(session, number)

    def requeue_expired(self) -> int:
        """See the port. And what procrastinate takes for running, and no lease does, is over."""
        found = super().requeue_expired()
        with self._store.write() as session:
            self._store.lock(session, LOCK)
            silent = self._settings.lease_seconds * _FORGET_LEASES
            for number, scan_id in self._engine.stalled(session, silent):
                row = session.get(JobRow, scan_id)
                if row is None or row.handed != number:
                    self._engine.end(session, number)
            self._engine.prune(session, silent)
            self._looked = float("-inf")
            self._feed(session)
        return found

    def _moved(self, session: Session) -> None:
        """The feeder is asked as the last step of the transaction, which may hold rows by then (`LOCK`)."""
        if not session.info.get(LOCK):
            session.info[LOCK] = True
            event.listen(session, "before_commit", self._feed_at_last, once=True)

    def _feed_at_last(self, session: Session) -> None:
        session.info.pop(LOCK, None)
        if self._store.try_lock(session, LOCK):
            self._feed(session)
        else:  # who has it may not see what this transaction changes
            self._engine.wake(session)

    def _gone(self, session: Session, row: JobRow) -> None:
        if row.handed is not None:
            self._engine.end(session, row.handed)
            row.handed = None

    def _asked_off(self, session: Session, row: JobRow) -> None:
        if row.handed is not None:
            self._engine.abort(session, row.handed)

    def _next(self, session: Session, needs: list[str] | None, number: int = 1) -> list[JobRow]:
        return fair.next_jobs(session, needs, self._settings.max_running_per_project, number)

    def _hand_out(
        self, session: Session, waiting: Sequence[str], handed: set[str], known: Sequence[JobRow] = ()
    ) -> None:
        """Hand a scan of each kind of needs that is not among ``handed``: one of ``known``, or the next."""
        first = {row.needs: row for row in known}
        for needs in sorted(set(waiting) - handed):
            for row in [first[needs]] if needs in first else self._next(session, [needs]):
                self._hand(session, row)

    def _feed(self, session: Session) -> None:
        self._hand_out(session, fair.waiting_needs(session), {row.needs for row in _handed(session)})

    def _hand(self, session: Session, row: JobRow) -> None:
        row.handed = self._engine.defer(session, row.scan_id, queue_of(row.needs), row.priority)
        session.flush()

    def _alone(self, session: Session, row: JobRow) -> set[str]:
        """Hand it, and take back what was handed for workers of the same kind before it was known that its turn has
        come. Of which needs a scan is handed then."""
        handed = _handed(session)
        for other in handed:
            if other.needs == row.needs and other is not row:
                self._gone(session, other)
        if row.handed is None:
            self._hand(session, row)
        return {row.needs, *(other.needs for other in handed)}

    def _fetched(self, session: Session, row: JobRow, worker: str) -> Job | None:
        """The scan that procrastinate gives for it, leased. A job of no scan of ours is put away."""
        number = self._number(session, worker)
        for _ in range(_STRANGERS):
            found = self._engine.fetch(session, [queue_of(row.needs)], number)
            if found is None or found == row.handed:
                return None if found is None else self._lease(session, row, worker)
            self._engine.end(session, found)
        return None

    def _number(self, session: Session, worker: str) -> int:
        """The worker's number at procrastinate."""
        number = self._workers.get(worker)
        looked, self._looked = self._looked, time.monotonic()
        if number is not None and self._looked - looked < _LOOK_SECONDS:
            return number
        if number is None or not self._engine.alive(session, number):
            number = self._workers[worker] = self._engine.register(session)
        return number


def _handed(session: Session) -> list[JobRow]:
    """The scans that wait at procrastinate: one of each kind of needs, or so."""
    asked = select(JobRow).where(JobRow.lease.is_(None), JobRow.handed.is_not(None))
    rows: Sequence[JobRow | None] = session.scalars(asked).all()
    return [row for row in rows if row is not None]
