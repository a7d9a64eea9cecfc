"""What was said of scans while they ran, read: of one scan, and of many at once whether there is anything new."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.store.models import Scan
from package_hunter.store.request_tables import ScanEvent

MAX_READ = 500


def after(session: Session, scan_id: uuid.UUID, seq: int) -> Sequence[ScanEvent]:
    """The first of those that follow ``seq``, in order. Whoever calls this has looked whether the scan may be seen."""
    query = select(ScanEvent).where(ScanEvent.scan_id == scan_id, ScanEvent.seq > seq)
    return session.scalars(query.order_by(ScanEvent.seq).limit(MAX_READ)).all()


def standing(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, int]]:
    """Of each scan that is there: its status, and the number of what was said last (0: nothing was)."""
    last = select(ScanEvent.scan_id, func.max(ScanEvent.seq)).where(ScanEvent.scan_id.in_(ids))
    said = {row[0]: row[1] for row in session.execute(last.group_by(ScanEvent.scan_id))}
    found = session.execute(select(Scan.id, Scan.status).where(Scan.id.in_(ids)))
    return {row[0]: (row[1], said.get(row[0], 0)) for row in found}
