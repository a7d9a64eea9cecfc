"""The queue in the store itself: SQLite for one machine, PostgreSQL for a few."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, delete, func, literal, select, update
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.queue.base import Job, LeaseLostError
from package_hunter.store import reports, results, scans
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import MAX_TARGET, JobRow, Scan, TurnRow, WorkerRow

_MALFORMED = 100  # rows whose id cannot be read, passed over
_WORKERS_KEPT_MS = 7 * 86_400_000


class LocalQueue:
    """Implements `queue.base.Queue` over the table ``jobs``."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._lease_ms = int(settings.lease_seconds * 1000)
        self._max_attempts = settings.max_attempts

    def enqueue(self, session: Session, scan_id: uuid.UUID) -> None:
        """See the port."""
        session.add(JobRow(scan_id=scan_id, enqueued=now_ms(), attempts=0))

    def claim(self, worker: str) -> Job | None:
        """See the port."""
        waiting = select(literal(1)).select_from(JobRow).where(JobRow.lease.is_(None))
        with self._store.read() as session:  # an idle worker takes no write lock
            if session.scalar(waiting.limit(1)) is None:
                return None
        with self._store.write() as session:
            return self._lease_next(session, worker)

    def _lease_next(self, session: Session, worker: str) -> Job | None:
        self._store.lock(session, "queue:claim")  # two at once would both take the same account's turn
        rows: Sequence[JobRow | None] = session.scalars(_next_job()).all()
        row = next((row for row in rows if row is not None), None)  # None: its id cannot be read
        if row is None:
            return None
        scan = session.get_one(Scan, row.scan_id)
        lease = uuid.uuid4().hex
        row.worker, row.lease, row.lease_until = worker, lease, now_ms() + self._lease_ms
        row.attempts = _attempts(row) + 1
        scan.status, scan.started = ScanStatus.RUNNING.value, now_ms()
        last = session.scalar(select(func.max(TurnRow.turn))) or 0
        session.merge(TurnRow(submitter=scan.submitter, turn=last + 1))
        who = (scan.submitter, scan.fresh, scan.size, scan.depth, scan.project_id)
        return Job(scan.id, scan.manager, scan.sha256, scan.purl, row.attempts, lease, *who)

    def heartbeat(self, job: Job) -> None:
        """See the port."""
        with self._store.write() as session:
            statement = update(JobRow).where(*_held(job)).values(lease_until=now_ms() + self._lease_ms)
            if session.scalar(statement.returning(JobRow.scan_id)) is None:
                raise LeaseLostError

    def finish(self, job: Job, report: Report) -> None:
        """See the port."""
        packed = reports.prepare(self._store, job.scan_id, to_json(report))
        with self._store.write() as session:
            scan = self._take_off(session, job)
            scan.status = _final_status(report)
            scan.reason = _reason(report)
            scan.verdict, scan.decision = report.verdict.value, report.decision.value
            scan.known_from = None if report.known_from is None else uuid.UUID(report.known_from)
            scan.target = scans.clean_text(report.target.name, MAX_TARGET) or scan.target
            reports.attach(session, scan.id, packed)
            results.stored(session, scan, report)

    def fail(self, job: Job, reason: str, exit_code: int = 70) -> None:
        """See the port."""
        with self._store.write() as session:
            _set_failed(self._take_off(session, job), reason, exit_code)

    def retry(self, job: Job, reason: str, exit_code: int = 70) -> bool:
        """See the port."""
        with self._store.write() as session:
            row = session.scalar(select(JobRow).where(*_held(job)).with_for_update())
            if row is None:
                raise LeaseLostError
            if _attempts(row) < self._max_attempts:
                _wait_again(row, session.get_one(Scan, row.scan_id))
                return True
            _set_failed(self._take_off(session, job), reason, exit_code)
            return False

    def release(self, job: Job) -> None:
        """See the port."""
        with self._store.write() as session:
            statement = (
                update(JobRow)
                .where(*_held(job))
                .values(worker=None, lease=None, lease_until=None, attempts=JobRow.attempts - 1)
            )
            if session.scalar(statement.returning(JobRow.scan_id)) is None:
                raise LeaseLostError
            scan = session.get_one(Scan, job.scan_id)
            scan.status, scan.started = ScanStatus.PENDING.value, None

    def requeue_expired(self) -> int:
        """See the port."""
        return self._requeue(JobRow.lease_until < now_ms(), "fell silent")

    def recover(self, worker: str) -> int:
        """See the port."""
        number = self._requeue(JobRow.worker == worker, "died")
        with self._store.write() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.name == worker))
        return number

    def seen(self, worker: str, lacks: str | None = None) -> None:
        """See the port."""
        with self._store.write() as session:
            session.merge(WorkerRow(name=worker, seen=now_ms(), lacks=lacks))
            session.execute(delete(WorkerRow).where(WorkerRow.seen < now_ms() - _WORKERS_KEPT_MS))

    def _take_off(self, session: Session, job: Job) -> Scan:
        """Take the job off the queue and give its scan, to be ended in the same transaction."""
        statement = delete(JobRow).where(*_held(job)).returning(JobRow.scan_id)
        if session.scalar(statement) is None:
            raise LeaseLostError
        scan = session.get_one(Scan, job.scan_id)
        scan.finished = now_ms()
        return scan

    def _requeue(self, which: ColumnElement[bool], what_happened: str) -> int:
        query = select(JobRow).where(JobRow.lease.is_not(None), which)
        with self._store.read() as session:
            if not session.scalar(select(query.exists())):
                return 0
        with self._store.write() as session:
            rows = session.scalars(query.with_for_update(skip_locked=True)).all()
            self._back_or_failed(session, rows, what_happened)
            return len(rows)

    def _back_or_failed(self, session: Session, rows: Sequence[JobRow | None], what_happened: str) -> None:
        for row in rows:
            scan = None if row is None else session.get(Scan, row.scan_id)
            if row is None or scan is None:
                continue  # malformed: nobody can run it
            if _attempts(row) < self._max_attempts:
                _wait_again(row, scan)
            else:
                session.delete(row)
                times = "once" if row.attempts == 1 else f"{row.attempts} times"
                scan.finished = now_ms()
                _set_failed(scan, f"The worker {what_happened} during this scan, {times}: given up.")


def _next_job() -> Select[JobRow]:
    """The longest waiting scan of the account whose turn it is: of those with the fewest scans running, the one
    whose last scan was begun first. So a thousand scans of one account do not keep another's waiting."""
    running = (
        select(Scan.submitter, func.count().label("number"))
        .join(JobRow, JobRow.scan_id == Scan.id)
        .where(JobRow.lease.is_not(None))
        .group_by(Scan.submitter)
        .subquery()
    )
    return (
        select(JobRow)
        .join(Scan, Scan.id == JobRow.scan_id)
        .outerjoin(TurnRow, TurnRow.submitter == Scan.submitter)
        .outerjoin(running, running.c.submitter == Scan.submitter)
        .where(JobRow.lease.is_(None))
        .order_by(
            func.coalesce(running.c.number, 0),
            func.coalesce(TurnRow.turn, 0),
            JobRow.enqueued,
            JobRow.scan_id,
        )
        .limit(_MALFORMED + 1)
        .with_for_update(of=JobRow, skip_locked=True)
    )


def _attempts(row: JobRow) -> int:
    """How often it was begun; a count that is none (SQLite takes any value) begins anew."""
    return row.attempts if isinstance(row.attempts, int) else 0


def _wait_again(row: JobRow, scan: Scan) -> None:
    row.worker = row.lease = row.lease_until = None
    scan.status, scan.started = ScanStatus.PENDING.value, None


def _held(job: Job) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return JobRow.scan_id == job.scan_id, JobRow.lease == job.lease


def _set_failed(scan: Scan, reason: str, exit_code: int = 70) -> None:
    scan.status = ScanStatus.FAILED.value
    scan.exit_code = exit_code
    scan.reason = scans.clean_text(reason, scans.MAX_REASON)


def _final_status(report: Report) -> str:
    failed = report.status is ScanStatus.FAILED
    return (ScanStatus.FAILED if failed else ScanStatus.FINISHED).value


def _reason(report: Report) -> str | None:
    """Why the scan failed or stayed inconclusive, in the report's own words."""
    if report.status is not ScanStatus.FAILED and report.verdict is not Verdict.INCONCLUSIVE:
        return None
    said = [report.error, *report.coverage.reasons]
    text = " ".join(s for s in said if s) or "The scan could not see all that it should have seen."
    return scans.clean_text(text, scans.MAX_REASON)
