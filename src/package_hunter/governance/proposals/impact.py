"""What a change would do to what was scanned: stored scans are judged twice, as things stand and as they would."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from package_hunter.governance.proposals.kind import Budget, Flip, Impact
from package_hunter.model.scan import ScanStatus
from package_hunter.store.access_tables import Project
from package_hunter.store.finding_tables import ScanResultRow
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.triage.chain import projects_in
from package_hunter.triage.decide import Result
from package_hunter.triage.results import Standing, judge, kept

_AT_ONCE = 200
_IDS_AT_ONCE = 20_000

Judge = Callable[[ScanResultRow], Result]


def rejudged(session: Session, query: Select[ScanResultRow, Scan], then: Judge, budget: Budget) -> Impact:
    """The stored scans of a query (`stored_scans`), newest first, within the budget. ``then`` judges one as though the
    change was made."""
    end = budget.end()
    now = Standing(session)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    paths = {p.id: p.path for p in session.scalars(select(Project))}
    tried, flips = 0, []
    found = query.order_by(Scan.created.desc(), Scan.id.desc()).execution_options(yield_per=_AT_ONCE)
    with session.execute(found) as rows:
        for row, scan in rows:
            if time.monotonic() >= end:
                break
            was, becomes = _standing(now, row), then(row)
            tried += 1
            if was.decision is not becomes.decision:
                flips.append(_flip(scan, paths, was, becomes))
    return Impact("scans", total, tried, tuple(flips))


def _standing(now: Standing, row: ScanResultRow) -> Result:
    """What policies and states make of it as they are."""
    return kept(row) if row.basis == now.basis(row.project_id) else judge(now, row)


def _flip(scan: Scan, paths: dict[uuid.UUID, str], was: Result, becomes: Result) -> Flip:
    return Flip(
        scan=str(scan.id),
        target=scan.target,
        project=paths.get(scan.project_id, str(scan.project_id)),
        was=was.decision.value,
        now=becomes.decision.value,
    )


def scans_of(session: Session, place: Place) -> Select[Scan]:
    """The finished scans of the projects in a place."""
    query = select(Scan).where(Scan.status == ScanStatus.FINISHED.value)
    inside = projects_in(session, place)
    return query if inside is None else query.where(Scan.project_id.in_(inside[:_IDS_AT_ONCE]))


def stored_scans(session: Session, place: Place) -> Select[ScanResultRow, Scan]:
    """Those of the projects in a place that have a result."""
    query = select(ScanResultRow, Scan).join(Scan, Scan.id == ScanResultRow.scan_id)
    inside: Sequence[uuid.UUID] | None = projects_in(session, place)
    return query if inside is None else query.where(ScanResultRow.project_id.in_(inside[:_IDS_AT_ONCE]))
