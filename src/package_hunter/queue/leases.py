"""What both queues have in common: the table ``jobs``, leases, ends of scans, dead letters.

A lease is the only right to store a result: whatever carries jobs to workers (on SQLite a query, on PostgreSQL
procrastinate) may carry one twice, and it ends once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.config import Settings
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import ScanStatus
from package_hunter.queue import ends, fair, joining, lease_clock
from package_hunter.queue.base import Job, LeaseLostError, Terms
from package_hunter.storage.base import Kind
from package_hunter.store import reports, results, scan_events, scans
from package_hunter.store.artefacts import Named
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import JobRow, Scan, WorkerRow
from package_hunter.store.scoping import scoped

LOCK = "queue"
"""Held by whoever decides what is begun next, or ends what waits. It is the first lock that a transaction takes, or it
is not waited for: who has it may wait for rows of others, so none of them may wait for it."""
_WORKERS_KEPT_MS = 7 * 86_400_000
_USUAL = Terms()
_WAITS_AGAIN = "It waits to be tried again."


class Leases:
    """All of `queue.base.Queue` but how jobs reach workers, which is `claim`, `wait` and the three steps below, each in
    the transaction of what it follows."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._lease_ms = int(settings.lease_seconds * 1000)
        self._max_attempts = settings.max_attempts
        self._idle = True  # the last look found nothing: look again before holding others up

    def _moved(self, session: Session) -> None:
        """Some wait, or have gone: it may be others' turn."""

    def _gone(self, session: Session, row: JobRow) -> None:
        """A job that waited or ran has ended, or waits again."""

    def _asked_off(self, session: Session, row: JobRow) -> None:
        """Somebody wants a running scan ended."""

    def enqueue(self, session: Session, scan_id: uuid.UUID, terms: Terms = _USUAL) -> None:
        """See the port."""
        scan = session.get_one(Scan, scan_id)
        row = JobRow(
            scan_id=scan_id,
            enqueued=now_ms(),
            attempts=0,
            submitter=scan.submitter,
            project_id=scan.project_id,
            priority=int(terms.priority),
            deadline=terms.deadline,
            needs=" ".join(sorted(terms.needs)),
        )
        joining.join(session, scan, row, self._settings)
        fair.join(session, row.submitter, row.project_id)
        session.add(row)
        self._moved(session)

    def _nothing_waits(self, can: frozenset[str] | None) -> bool:
        """Whether it is seen without any lock that nothing waits for who can that. Not looked at while there is work:
        then the claim itself tells."""
        if not self._idle:
            return False
        with self._store.read() as session:
            return not fair.any_waits(session, can)

    def _lease(self, session: Session, row: JobRow, worker: str) -> Job:
        """Give the waiting job to ``worker``."""
        scan = session.get_one(Scan, row.scan_id)
        lease = uuid.uuid4().hex
        row.worker, row.lease = worker, lease
        row.lease_until = lease_clock.after(session, self._lease_ms)
        row.attempts = _attempts(row) + 1
        scan.status, scan.started = ScanStatus.RUNNING.value, now_ms()
        session.flush()
        if row.attempts + row.killed > 1:
            scan_events.say(session, scan.id, "try", f"Try {row.attempts + row.killed} begins.")
        fair.begun(session, scan.submitter, scan.project_id)
        joining.begun(session, scan.id)
        who = (scan.submitter, scan.fresh, scan.size, scan.depth, scan.project_id, row.joined, row.killed)
        return Job(scan.id, scan.manager, scan.sha256, scan.purl, row.attempts, lease, *who)

    def heartbeat(self, job: Job) -> None:
        """See the port."""
        with self._store.write() as session:
            until = lease_clock.after(session, self._lease_ms)
            statement = update(JobRow).where(*_held(job)).values(lease_until=until)
            if session.scalar(statement.returning(JobRow.scan_id)) is None:
                raise LeaseLostError

    def finish(self, job: Job, report: Report) -> None:
        """See the port."""
        packed = reports.prepare(self._store, job.scan_id, to_json(report))
        with self._store.write() as session:
            scan = self._taken_off(session, self._mine(session, job))
            ends.finished(scan, report)
            reports.attach(session, scan.id, packed, _named(report))
            results.stored(session, scan, report)
            self._moved(session)

    def fail(self, job: Job, reason: str, exit_code: int = ends.OURS) -> None:
        """See the port."""
        with self._store.write() as session:
            ends.failed(self._taken_off(session, self._mine(session, job)), reason, exit_code)
            self._moved(session)

    def retry(self, job: Job, reason: str, exit_code: int = ends.OURS, killed: bool = False) -> bool:
        """See the port."""
        with self._store.write() as session:
            row = self._mine(session, job)
            if killed and row.killed < self._settings.max_helper_kills:
                row.killed += 1
                row.attempts = max(_attempts(row) - 1, 0)
            scan = session.get_one(Scan, row.scan_id)
            waits = self._again_or_ended(session, row, scan, reason, exit_code)
            if waits:
                scan_events.say(session, scan.id, "again", f"{reason} {_WAITS_AGAIN}")
            self._moved(session)
            return waits

    def release(self, job: Job) -> None:
        """See the port."""
        with self._store.write() as session:
            row = self._mine(session, job)
            row.attempts = max(_attempts(row) - 1, 0)
            scan = session.get_one(Scan, row.scan_id)
            if self._again_or_ended(session, row, scan, ""):
                scan_events.say(session, scan.id, "again", f"The worker gave the scan back. {_WAITS_AGAIN}")
            self._moved(session)

    def requeue_expired(self) -> int:
        """See the port."""
        return self._requeue(lease_clock.over, "fell silent") + self._end_late()

    def recover(self, worker: str) -> int:
        """See the port."""
        number = self._requeue(lambda _: JobRow.worker == worker, "died")
        with self._store.write() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.name == worker))
        return number

    def seen(self, worker: str, lacks: str | None = None) -> None:
        """See the port."""
        with self._store.write() as session:
            session.merge(WorkerRow(name=worker, seen=now_ms(), lacks=lacks))
            session.execute(delete(WorkerRow).where(WorkerRow.seen < now_ms() - _WORKERS_KEPT_MS))

    def cancel(self, session: Session, scan_id: uuid.UUID, reason: str) -> bool:
        """See the port."""
        self._store.lock(session, LOCK)  # so that nobody begins it meanwhile
        row = session.scalar(select(JobRow).where(JobRow.scan_id == scan_id).with_for_update())
        if row is None:
            return False
        reason = scans.clean_text(reason, scans.MAX_REASON) or "Somebody cancelled this scan."
        if row.lease is None:
            ends.cancelled(self._taken_off(session, row), reason)
            self._moved(session)
        else:
            row.cancel = row.cancel or reason
            self._asked_off(session, row)
        return True

    def cancelled(self, job: Job) -> str | None:
        """See the port."""
        with self._store.peek() as connection:
            reason: str | None = connection.scalar(select(JobRow.cancel).where(*_held(job)))
        return reason

    def end_cancelled(self, job: Job) -> None:
        """See the port."""
        with self._store.write() as session:
            row = self._mine(session, job)
            reason = row.cancel or "Somebody cancelled this scan."
            ends.cancelled(self._taken_off(session, row), reason)
            self._moved(session)

    def dead(self, session: Session, view: View, limit: int = 100) -> Sequence[Scan]:
        """See the port."""
        query = select(Scan).where(Scan.dead.is_not(None)).order_by(Scan.dead.desc(), Scan.id).limit(limit)
        found: Sequence[Scan | None] = session.scalars(scoped(query, view, Scan.project_id)).all()
        return [scan for scan in found if scan is not None]  # None: malformed

    def rerun(self, session: Session, scan_id: uuid.UUID, terms: Terms = _USUAL) -> bool:
        """See the port."""
        dead = select(Scan).where(Scan.id == scan_id, Scan.dead.is_not(None)).with_for_update()
        scan = session.scalar(dead)
        if scan is None:
            return False
        ends.as_new(scan)
        scan_events.say(session, scan_id, "again", f"It had failed through a fault of ours. {_WAITS_AGAIN}")
        self.enqueue(session, scan_id, terms)
        return True

    def _mine(self, session: Session, job: Job) -> JobRow:
        """The job's row, locked; LeaseLostError where another holds it, or nobody."""
        row = session.scalar(select(JobRow).where(*_held(job)).with_for_update())
        if row is None:
            raise LeaseLostError
        return row

    def _taken_off(self, session: Session, row: JobRow) -> Scan:
        """Take the job off the queue and give its scan, to be ended in the same transaction."""
        scan = session.get_one(Scan, row.scan_id)
        self._gone(session, row)
        session.delete(row)
        session.flush()
        return scan

    def _requeue(self, which: Callable[[Session], ColumnElement[bool]], what_happened: str) -> int:
        with self._store.read() as session:
            query = select(JobRow).where(JobRow.lease.is_not(None), which(session))
            if not session.scalar(select(query.exists())):
                return 0
        with self._store.write() as session:
            rows: Sequence[JobRow | None] = session.scalars(query.with_for_update(skip_locked=True)).all()
            for row in rows:
                scan = None if row is None else session.get(Scan, row.scan_id)
                if row is None or scan is None:
                    continue  # malformed: nobody can run it
                times = "once" if row.attempts == 1 else f"{row.attempts} times"
                reason = f"The worker {what_happened} during this scan, {times}: given up."
                if self._again_or_ended(session, row, scan, reason):
                    said = f"The worker {what_happened} during this scan. {_WAITS_AGAIN}"
                    scan_events.say(session, scan.id, "again", said)
            self._moved(session)
            return len(rows)

    def _again_or_ended(
        self, session: Session, row: JobRow, scan: Scan, reason: str, exit_code: int = ends.OURS
    ) -> bool:
        """Let the scan wait again, or end it: cancelled, where somebody wanted that, or failed, after too many
        attempts. True where it waits."""
        if row.cancel is not None:
            cancelled = row.cancel
            ends.cancelled(self._taken_off(session, row), cancelled)
        elif _attempts(row) < self._max_attempts:
            self._gone(session, row)
            ends.waits_again(row, scan)
            session.flush()
            return True
        else:
            ends.failed(self._taken_off(session, row), reason, exit_code)
        return False

    def _end_late(self) -> int:
        """End what nobody began in time."""
        late = select(JobRow).where(JobRow.lease.is_(None), JobRow.deadline <= now_ms())
        with self._store.read() as session:
            if not session.scalar(select(late.exists())):
                return 0
        with self._store.write() as session:
            self._store.lock(session, LOCK)  # so that nobody begins one meanwhile
            rows: Sequence[JobRow | None] = session.scalars(late).all()
            found = [row for row in rows if row is not None and row.deadline is not None]
            for row in found:
                ends.late(self._taken_off(session, row), _late(row.deadline))
            self._moved(session)
            return len(found)


def _named(report: Report) -> list[Named]:
    """What the server keeps of the scan beside the report."""
    return [Named(Kind(file.kind), file.sha256, file.size, file.name) for file in report.kept]


def _late(deadline: int | None) -> str:
    at = dt.datetime.fromtimestamp((deadline or 0) / 1000, dt.UTC)
    return f"No worker began this scan by its deadline ({at:%Y-%m-%d %H:%M:%S} UTC): all were busy, or none could."


def _attempts(row: JobRow) -> int:
    """How often it was begun; a count that is none (SQLite takes any value) begins anew."""
    return row.attempts if isinstance(row.attempts, int) else 0


def _held(job: Job) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return JobRow.scan_id == job.scan_id, JobRow.lease == job.lease
