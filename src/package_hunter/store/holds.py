"""Legal holds: a scan, or all of a project, is not deleted until somebody lifts the hold."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.view import View
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.access_tables import Project
from package_hunter.store.artefact_tables import HoldRow
from package_hunter.store.database import now_ms
from package_hunter.store.history import MAX_WHY, Change
from package_hunter.store.locks import KEEPING, hold
from package_hunter.store.models import Scan
from package_hunter.store.scans import clean_text


def add(session: Session, by: Actor, on: Scan | Project, reason: str) -> HoldRow:
    """Hold a scan, or all scans of a project, those to come too. UsageError where no reason is given."""
    reason = clean_text(reason, MAX_WHY)
    if not reason:
        raise UsageError("A hold needs a reason.", "Say which matter it is for.")
    hold(session, KEEPING)  # nothing is deleted between the look and the hold
    is_scan = isinstance(on, Scan)
    row = HoldRow(
        scan_id=on.id if is_scan else None,
        project_id=None if is_scan else on.id,
        reason=reason,
        who=by.name[:160],
        created=now_ms(),
    )
    session.add(row)
    session.flush()
    change = Change("hold.add", f"hold {row.number}", after=_said(row), why=reason, project=_project(on))
    history.record(session, by, change)
    return row


def lift(session: Session, view: View, by: Actor, number: int, why: str) -> None:
    """End a hold; UsageError where the view sees none of this number, or no reason is given."""
    why = clean_text(why, MAX_WHY)
    if not why:
        raise UsageError("To lift a hold needs a reason.", "Say who decided it.")
    row = next((row for row, _ in listed(session, view) if row.number == number), None)
    if row is None:
        raise UsageError(f"There is no hold {number}.", "See package-hunter hold list.")
    scan = None if row.scan_id is None else session.get(Scan, row.scan_id)
    project = row.project_id if scan is None else scan.project_id
    history.record(
        session, by, Change("hold.remove", f"hold {number}", before=_said(row), why=why, project=project)
    )
    session.delete(row)


def listed(session: Session, view: View) -> Sequence[tuple[HoldRow, uuid.UUID]]:
    """The holds in projects that the view sees, oldest first, each with its project."""
    query = select(HoldRow, Scan.project_id).outerjoin(Scan, Scan.id == HoldRow.scan_id)
    rows = session.execute(query.order_by(HoldRow.number)).all()
    found = [(row, row.project_id or project) for row, project in rows]
    return [(row, project) for row, project in found if project is not None and view.sees(project)]


def held() -> ColumnElement[bool]:
    """Of a query of scans: under a hold."""
    scans = select(HoldRow.scan_id).where(HoldRow.scan_id.is_not(None))
    projects = select(HoldRow.project_id).where(HoldRow.project_id.is_not(None))
    return or_(Scan.id.in_(scans), Scan.project_id.in_(projects))


def on_scan(session: Session, scan: Scan) -> HoldRow | None:
    """The oldest hold that reaches a scan."""
    query = select(HoldRow).where(or_(HoldRow.scan_id == scan.id, HoldRow.project_id == scan.project_id))
    return session.scalar(query.order_by(HoldRow.number).limit(1))


def _project(on: Scan | Project) -> uuid.UUID:
    return on.project_id if isinstance(on, Scan) else on.id


def _said(row: HoldRow) -> dict[str, str]:
    return {"scan": str(row.scan_id)} if row.scan_id else {"project": str(row.project_id)}
