"""Notes on findings, as threads. A note is never changed: what was wrong is answered."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import FindingRow, NoteRow
from package_hunter.store.history import Change
from package_hunter.store.places import MissingError

MAX_TEXT = 10_000  # characters
MAX_NOTES = 1_000  # on one finding


def add(
    session: Session, by: Actor, finding: FindingRow, text: str, parent: uuid.UUID | None = None
) -> NoteRow:
    """Write a note; ``parent``: in answer to another of the same finding. UsageError, MissingError."""
    if not text.strip() or len(text) > MAX_TEXT:
        raise UsageError(f"A note has 1 to {MAX_TEXT} characters.", "Write it anew.")
    if parent is not None:
        answered = session.get(NoteRow, parent)
        if answered is None or answered.finding_id != finding.id:
            raise MissingError("This finding has no such note.", "")
    query = select(func.count()).select_from(NoteRow).where(NoteRow.finding_id == finding.id)
    if (session.scalar(query) or 0) >= MAX_NOTES:
        raise UsageError(f"This finding has {MAX_NOTES} notes already.", "Go on where there is more room.")
    clean = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    note = NoteRow(
        id=uuid.uuid4(),
        finding_id=finding.id,
        parent_id=parent,
        who=by.name[:160],
        time=now_ms(),
        text=clean.encode("utf-8", "replace").decode(),
    )
    session.add(note)
    session.flush()
    after = {"note": str(note.id), "parent": None if parent is None else str(parent), "text": note.text}
    change = Change("finding.note", finding.fingerprint, None, after, None, finding.project_id)
    history.record(session, by, change)
    return note


def listed(session: Session, finding: FindingRow) -> Sequence[NoteRow]:
    """All of a finding, oldest first."""
    query = select(NoteRow).where(NoteRow.finding_id == finding.id).order_by(NoteRow.time, NoteRow.id)
    return session.scalars(query).all()
