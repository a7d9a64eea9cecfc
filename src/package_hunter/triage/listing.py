"""Findings, listed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.triage.behaviour import Behaviour, grown


def changes(session: Session, finding: FindingRow) -> tuple[str, ...]:
    """What it does that it did not when its state was set, sentences."""
    row = None if finding.place is None else session.get(StateRow, (finding.place, finding.fingerprint))
    if row is None or row.behaviour is None:
        return ()
    return grown(Behaviour.from_json(row.behaviour), Behaviour.from_json(finding.behaviour))
