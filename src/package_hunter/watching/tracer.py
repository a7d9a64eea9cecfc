"""Sends the traces of scans that ended to an OpenTelemetry receiver: a process of its own, without rights.

The worker, which is root, speaks to nobody: it leaves what it knows in the store. What cannot be sent waits and is
tried again, for an hour; no scan waits for it, and none fails with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import Scan
from package_hunter.store.scans import UNFINISHED
from package_hunter.store.watching_tables import StepsRow
from package_hunter.watching.steps import read
from package_hunter.watching.traces import Span, Told, spans

log = structlog.get_logger(__name__)

AT_ONCE = 20
"""Scans in one request; each has some dozens of spans."""
LEASE_MS = 60_000
"""So long those that are being sent are no other process's, and so long until they are tried again."""
KEPT_MS = 3_600_000
"""A trace that could not be sent for so long is dropped."""


class Exporter(Protocol):
    """Sends spans."""

    def send(self, found: Sequence[Span]) -> str | None:
        """What went wrong, a sentence; None where they were taken."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    scan: uuid.UUID
    spans: tuple[Span, ...]


class Tracer:
    """Takes what is due and sends it."""

    def __init__(self, store: Store, exporter: Exporter) -> None:
        self._store, self._exporter = store, exporter

    def step(self) -> bool:
        """Send some; whether there may be more at once. StoreError."""
        with self._store.read() as session:  # an idle one takes no write lock
            if not _due(session):
                return False
        with self._store.write() as session:
            self._store.lock(session, "traces")
            some = [self._take(session, key) for key in _due(session)]
        if not some:
            return False
        problem = self._exporter.send([span for one in some for span in one.spans])
        if problem is not None:
            log.warning("traces could not be sent", scans=len(some), why=problem)
            return False
        with self._store.write() as session:
            done = [one.scan for one in some]
            session.execute(update(StepsRow).where(StepsRow.scan_id.in_(done)).values(due=None, body=None))
        return len(some) == AT_ONCE

    def prune(self) -> None:
        """Drop what could not be sent for long. StoreError."""
        old = select(Scan.id).where(Scan.finished < now_ms() - KEPT_MS)
        late = StepsRow.due.is_not(None), StepsRow.scan_id.in_(old)
        with self._store.write() as session:
            gone = session.scalars(
                update(StepsRow).where(*late).values(due=None, body=None).returning(StepsRow.scan_id)
            ).all()
        if gone:
            log.warning("traces were dropped: they could not be sent for an hour", scans=len(gone))

    def _take(self, session: Session, key: uuid.UUID) -> _Waiting:
        row, scan = session.get_one(StepsRow, key), session.get_one(Scan, key)
        row.due = now_ms() + LEASE_MS
        return _Waiting(key, tuple(spans(_told(scan), read(row.body))))


def _due(session: Session) -> Sequence[uuid.UUID]:
    query = (
        select(StepsRow.scan_id)
        .join(Scan, Scan.id == StepsRow.scan_id)
        .where(StepsRow.due <= now_ms(), Scan.status.not_in(UNFINISHED))
        .order_by(StepsRow.due)
        .limit(AT_ONCE)
    )
    return [key for key in session.scalars(query) if key is not None]


def _told(scan: Scan) -> Told:
    return Told(
        id=scan.id,
        created=scan.created,
        finished=scan.finished or scan.created,
        status=scan.status,
        verdict=scan.verdict,
        decision=scan.decision,
        manager=scan.manager,
        depth=scan.depth,
    )
