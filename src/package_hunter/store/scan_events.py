"""What was said of scans while they ran, read: of one scan, and of many at once whether there is anything new."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.store.database import now_ms
from package_hunter.store.models import Scan
from package_hunter.store.request_tables import MAX_EVENT_TEXT, ScanEvent
from package_hunter.store.scans import clean_text

MAX_READ = 500
MAX_SAID = 1_000


def after(session: Session, scan_id: uuid.UUID, seq: int) -> Sequence[ScanEvent]:
    """The first of those that follow ``seq``, in order. Whoever calls this has looked whether the scan may be seen."""
    query = select(ScanEvent).where(ScanEvent.scan_id == scan_id, ScanEvent.seq > seq)
    return session.scalars(query.order_by(ScanEvent.seq).limit(MAX_READ)).all()


def say(session: Session, scan_id: uuid.UUID, kind: str, text: str) -> None:
    """What becomes of the scan as a whole, said by who holds its job's row (so that no two take one number). It counts
    among the `progress.MAX_EVENTS` of a worker, and is said beyond them, too, up to ``MAX_SAID``."""
    last = session.scalar(select(func.max(ScanEvent.seq)).where(ScanEvent.scan_id == scan_id)) or 0
    if last >= MAX_SAID:
        return
    said = clean_text(text, MAX_EVENT_TEXT)
    session.add(ScanEvent(scan_id=scan_id, seq=last + 1, at=now_ms(), kind=kind, text=said))
    session.flush()


def standing(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, int]]:
    """Of each scan that is there: its status, and the number of what was said last (0: nothing was)."""
    last = select(ScanEvent.scan_id, func.max(ScanEvent.seq)).where(ScanEvent.scan_id.in_(ids))
    said = {row[0]: row[1] for row in session.execute(last.group_by(ScanEvent.scan_id))}
    found = session.execute(select(Scan.id, Scan.status).where(Scan.id.in_(ids)))
    return {row[0]: (row[1], said.get(row[0], 0)) for row in found}
