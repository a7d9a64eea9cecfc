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
from package_hunter.store.gate_tables import ScanOrigin
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.triage.chain import projects_in
from package_hunter.triage.decide import Result
from package_hunter.triage.results import Loaded, Standing, judge, load

_AT_ONCE = 50  # scans that are loaded together: between them the clock is looked at
_IDS_AT_ONCE = 20_000

Judge = Callable[[Loaded], Result]


def rejudged(session: Session, query: Select[ScanResultRow, Scan], then: Judge, budget: Budget) -> Impact:
    """The stored scans of a query (`stored_scans`), newest first, within the budget. ``then`` judges one as though the
    change was made."""
    end, now = budget.end(), Standing(session)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    paths = {p.id: p.path for p in session.scalars(select(Project))}
    tried, flips = 0, []
    found = query.order_by(Scan.created.desc(), Scan.id.desc()).execution_options(yield_per=_AT_ONCE)
    with session.execute(found) as rows:
        for some in rows.partitions():
            if time.monotonic() >= end:
                break
            scans = {scan.id: scan for _, scan in some}
            requests = _merge_requests(session, list(scans))
            for loaded in load(now, [row for row, _ in some]):
                was, becomes = judge(now, loaded), then(loaded)
                tried += 1
                if was.decision is not becomes.decision:
                    scan = scans[loaded.row.scan_id]
                    where = paths.get(scan.project_id, str(scan.project_id))
                    flips.append(_flip(scan, where, requests.get(scan.id), (was, becomes)))
    return Impact("scans", total, tried, tuple(flips))


def _merge_requests(session: Session, ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Of scans that are of a merge request: its number."""
    query = select(ScanOrigin.scan_id, ScanOrigin.merge_request).where(ScanOrigin.scan_id.in_(ids))
    return {key: number for key, number in session.execute(query) if number}


def _flip(scan: Scan, project: str, request: str | None, results: tuple[Result, Result]) -> Flip:
    was, becomes = (result.decision.value for result in results)
    return Flip(str(scan.id), scan.target, project, was, becomes, request)


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
