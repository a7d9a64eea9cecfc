"""The scan of the version before: what "new" is meant against."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from package_hunter.model.scan import ScanStatus
from package_hunter.store.finding_tables import ScanResultRow
from package_hunter.store.models import Scan

_LOOKED_AT = 2_000  # scans of the project, the newest before


def of(session: Session, scan: Scan) -> Scan | None:
    """The newest scan of this one's line (`triage.lines`) that ended with a result, was accepted before it, and was of
    another version, or of other bytes; None where there is none."""
    own = session.get(ScanResultRow, scan.id)
    if own is None or not own.line:
        return None
    earlier = (
        select(Scan.id)
        .where(Scan.project_id == scan.project_id, Scan.created < scan.created)
        .order_by(Scan.created.desc(), Scan.id.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    same = Scan.purl == scan.purl if scan.purl is not None else Scan.sha256 == scan.sha256
    query = (
        select(Scan)
        .join(earlier, earlier.c.id == Scan.id)
        .join(ScanResultRow, ScanResultRow.scan_id == Scan.id)
        .where(ScanResultRow.line == own.line, Scan.status == ScanStatus.FINISHED.value)
        .where(or_(same.is_(None), ~same))
        .order_by(Scan.created.desc(), Scan.id.desc())
        .limit(1)
    )
    return session.scalar(query)
