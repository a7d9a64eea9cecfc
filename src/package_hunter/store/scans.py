"""Scans in the store: put in, looked up, listed, counted. Each function works in the caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select
from sqlalchemy.orm import Session

from package_hunter.access.view import LEGACY, View
from package_hunter.model.ecosystem import facts_of
from package_hunter.model.scan import ScanStatus
from package_hunter.store import reports
from package_hunter.store.database import StoreError, now_ms
from package_hunter.store.models import MAX_NAME, MAX_TARGET, JobRow, Scan, StoredReport, WorkerRow
from package_hunter.store.scoping import scoped

MAX_REASON = 4_000
UNFINISHED = (ScanStatus.PENDING.value, ScanStatus.RUNNING.value)


@dataclass(frozen=True, slots=True)
class NewScan:
    """What was submitted: an archive by its digest, or a purl; ``manager`` None means: recognise it."""

    target: str
    submitter: str
    manager: str | None = None
    sha256: str | None = None
    size: int | None = None
    purl: str | None = None
    fresh: bool = False
    depth: str | None = None
    project: uuid.UUID = LEGACY


def clean_text(text: str, limit: int) -> str:
    """The text without control characters (a terminal or a database would stumble), cut to ``limit``."""
    printable = "".join(c if c.isprintable() else " " for c in text[: limit * 2])
    return printable.encode("utf-8", "replace").decode()[:limit].strip()


def add(session: Session, new: NewScan) -> Scan:
    """Store a scan as pending. It runs once it is also enqueued, in the same transaction."""
    scan = Scan(
        id=uuid.uuid4(),
        target=clean_text(new.target, MAX_TARGET),
        manager=new.manager,
        ecosystem=_ecosystem_of(new),
        sha256=new.sha256,
        size=new.size,
        purl=new.purl,
        fresh=new.fresh,
        depth=new.depth,
        project_id=new.project,
        submitter=clean_text(new.submitter, MAX_NAME),
        created=now_ms(),
        status=ScanStatus.PENDING.value,
    )
    session.add(scan)
    session.flush()
    return scan


def _ecosystem_of(new: NewScan) -> str | None:
    """As far as its submitter says; what a report says later counts."""
    said = new.manager or (new.purl or "").removeprefix("pkg:").partition("/")[0]
    facts = facts_of(said) if said else None
    return None if facts is None else facts.name


_TABLE = Scan.metadata.tables["scans"]
# built once: building a query costs more than asking it
_BY_IDS = select(_TABLE).where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))


def get_many(connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Row[Any]]:
    """The rows (attributes as `Scan` has them) of those scans that exist; StoreError where one is malformed.

    Of all projects, since the questions of many are asked at once: `Service.find` gives none to who may not see it.
    """
    found = {row.id: row for row in connection.execute(_BY_IDS, {"ids": ids})}
    if any(row.created is None for row in found.values()):
        raise StoreError(
            "The store's row of this scan is malformed.", "Whoever runs the server must mend it."
        )
    return found


def get(session: Session, view: View, scan_id: uuid.UUID) -> Scan | None:
    """The scan, or None where there is none that the view sees."""
    return session.scalar(scoped(select(Scan).where(Scan.id == scan_id), view, Scan.project_id))


def report(session: Session, view: View, scan_id: uuid.UUID) -> dict[str, Any] | None:
    """The scan's report (JSON form), or None while there is none, or where the view does not see the scan. StoreError;
    UnreadableReportError where it is damaged."""
    row = stored_report(session, view, scan_id)
    return None if row is None else reports.read(session, row.body, row.digest)


def stored_report(session: Session, view: View, scan_id: uuid.UUID) -> StoredReport | None:
    """The same as its row says: for `reports.read`."""
    query = select(StoredReport).join(Scan, Scan.id == StoredReport.scan_id)
    return session.scalar(scoped(query.where(Scan.id == scan_id), view, Scan.project_id))


def counts(session: Session) -> dict[str, int]:
    """How many scans there are by status."""
    rows = session.execute(select(Scan.status, func.count()).group_by(Scan.status))
    return {status: int(number) for status, number in rows}


def unfinished(session: Session) -> int:
    """How many scans wait or run."""
    return session.scalar(select(func.count()).select_from(JobRow)) or 0


def unfinished_by_account(session: Session) -> dict[str, int]:
    """How many scans of each account wait or run."""
    query = select(Scan.submitter, func.count()).join(JobRow, JobRow.scan_id == Scan.id)
    return {name: int(number) for name, number in session.execute(query.group_by(Scan.submitter))}


def unfinished_bytes(session: Session, submitter: str) -> int:
    """The size of the account's archives whose scans wait or run."""
    query = select(func.sum(Scan.size)).join(JobRow, JobRow.scan_id == Scan.id)
    return int(session.scalar(query.where(Scan.submitter == submitter)) or 0)


def oldest_waiting(session: Session) -> int | None:
    """When the scan that waits longest was submitted (ms since the epoch), or None where none waits."""
    return session.scalar(select(func.min(JobRow.enqueued)).where(JobRow.lease.is_(None)))


def worker_lacks(session: Session, since: int) -> str | None:
    """What the workers seen ``since`` (ms since the epoch) lack, where none of them lacks nothing; else None."""
    said = session.scalars(
        select(WorkerRow.lacks).where(WorkerRow.seen >= since).order_by(WorkerRow.seen.desc())
    ).all()
    return None if None in said else next(iter(said), None)


def worker_seen(session: Session) -> int | None:
    """When any worker was last seen (ms since the epoch), or None."""
    return session.scalar(select(func.max(WorkerRow.seen)))
