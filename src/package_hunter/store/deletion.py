"""Deleting a scan: its rows, its report and what is kept beside it; the history keeps what it was.

What people said of its findings stays (states, notes), and so do the findings as they are listed. A scan under a hold
is never deleted: whoever wants that lifts the hold first, which the history tells. A scan that shows an open finding
(where it was first seen, and where last) is deleted only by force.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.view import View
from package_hunter.errors import UsageError
from package_hunter.storage.base import Kind
from package_hunter.store import history, holds, scans
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.dooms import Name
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.history import MAX_WHY, Change
from package_hunter.store.locks import KEEPING, hold
from package_hunter.store.models import Scan, StoredReport
from package_hunter.store.places import MissingError
from package_hunter.store.scans import UNFINISHED, clean_text

OPEN_STATES = ("needs_triage", "confirmed")
"""Of findings: somebody still has to do something about them."""


class KeptError(UsageError):
    """The scan may not be deleted now. ``by_force``: who may do so can delete it all the same."""

    def __init__(self, message: str, advice: str, by_force: bool = False) -> None:
        super().__init__(message, advice)
        self.by_force = by_force


@dataclass(frozen=True, slots=True)
class Deletion:
    """Why, and whether although an open finding rests on it."""

    reason: str
    force: bool = False


def delete_scan(session: Session, view: View, by: Actor, scan_id: uuid.UUID, asked: Deletion) -> list[Name]:
    """Delete a scan that the view sees, in the caller's transaction; the artefacts that it had, for
    `collection.remove_unwanted` once that is committed. MissingError, KeptError, UsageError (no reason)."""
    reason = clean_text(asked.reason, MAX_WHY)
    if not reason:
        raise UsageError("A deletion needs a reason.", "Say why: it stays in the history.")
    scan = scans.get(session, view, scan_id)
    if scan is None:
        raise MissingError("There is no scan of this id.", "Use the id that the submission returned.")
    hold(session, KEEPING)
    _require_free(session, scan, asked.force)
    return remove(session, by, scan, reason)


def _require_free(session: Session, scan: Scan, force: bool) -> None:
    if scan.status in UNFINISHED:
        raise KeptError("This scan has not ended.", "Cancel it first.")
    kept = holds.on_scan(session, scan)
    if kept is not None:
        raise KeptError(
            f"Hold {kept.number} keeps this scan ({kept.reason}).",
            "Lift it first: package-hunter hold remove.",
        )
    if not force and _shows_open(session, scan):
        raise KeptError(
            "An open finding rests on this scan.", "Decide about the finding, or delete it by force.", True
        )


def _shows_open(session: Session, scan: Scan) -> bool:
    query = select(FindingRow.id).where(
        FindingRow.project_id == scan.project_id,
        FindingRow.state.in_(OPEN_STATES),
        or_(FindingRow.first_scan == scan.id, FindingRow.last_scan == scan.id),
    )
    return session.scalar(query.limit(1)) is not None


def shows_open() -> ColumnElement[bool]:
    """Of a query of scans: an open finding was first seen there, or last."""
    is_open = FindingRow.state.in_(OPEN_STATES)
    return or_(
        Scan.id.in_(select(FindingRow.first_scan).where(is_open)),
        Scan.id.in_(select(FindingRow.last_scan).where(is_open)),
    )


def remove(session: Session, by: Actor, scan: Scan, reason: str) -> list[Name]:
    """Delete it, whatever speaks against it, and leave a tombstone; the artefacts that it had."""
    refs = select(ArtefactRef.kind, ArtefactRef.digest).where(ArtefactRef.scan_id == scan.id)
    names = [(Kind(kind), digest) for kind, digest in session.execute(refs)]
    change = Change(
        "scan.delete", str(scan.id), before=_tombstone(session, scan), why=reason, project=scan.project_id
    )
    history.record(session, by, change)
    session.execute(delete(Scan).where(Scan.id == scan.id))  # all that is the scan's goes with it (ON DELETE)
    session.expire_all()
    return names


def _tombstone(session: Session, scan: Scan) -> dict[str, object]:
    """What it was: enough to know it again, and what it had come to."""
    report = session.scalar(select(StoredReport.digest).where(StoredReport.scan_id == scan.id))
    number, size = session.execute(
        select(func.count(), func.coalesce(func.sum(ArtefactRef.size), 0)).where(
            ArtefactRef.scan_id == scan.id
        )
    ).one()
    told = {
        "target": scan.target,
        "purl": scan.purl,
        "sha256": scan.sha256,
        "by": scan.submitter,
        "created": scan.created,
        "finished": scan.finished,
        "status": scan.status,
        "verdict": scan.verdict,
        "decision": scan.decision,
        "report": report,
        "artefacts": int(number),
        "bytes": int(size),
    }
    return {key: value for key, value in told.items() if value is not None}
