"""Claims: who is on a finding. A claim runs out by itself; what passed from it to a state is what the finding cost."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import EffortRow, FindingRow
from package_hunter.store.history import Change
from package_hunter.store.places import TakenError
from package_hunter.triage.values import State

MAX_HOURS = 7 * 24
USUAL_HOURS = 8
_HOUR_MS = 3_600_000


def claim(session: Session, by: Actor, finding: FindingRow, hours: int = USUAL_HOURS) -> None:
    """Say that one is on it; one's own claim is prolonged. TakenError while somebody else is."""
    if not 1 <= hours <= MAX_HOURS:
        raise UsageError(f"A claim is for 1 to {MAX_HOURS} hours.", "")
    now, who = now_ms(), by.name[:160]
    holder = holder_of(finding, now)
    if holder not in (None, who):
        raise TakenError(f"{holder} is on this finding.", "Wait until the claim runs out, or ask.")
    if holder is None:
        finding.claimed_by, finding.claimed = who, now
    finding.claimed_until = now + hours * _HOUR_MS
    after = {"claimed_by": who, "hours": hours}
    _record(session, by, finding, None if holder is None else {"claimed_by": holder}, after)


def release(session: Session, by: Actor, finding: FindingRow) -> None:
    """Let go of it; TakenError where it is somebody else's."""
    holder = holder_of(finding, now_ms())
    if holder not in (None, by.name[:160]):
        raise TakenError(f"{holder} is on this finding.", "Only who claimed it lets go of it.")
    if holder is not None:
        _record(session, by, finding, {"claimed_by": holder}, None)
    _clear(finding)


def holder_of(finding: FindingRow, now: int) -> str | None:
    """Who is on it at that time (ms since the epoch)."""
    running = finding.claimed_until is not None and finding.claimed_until > now
    return finding.claimed_by if running else None


def decided(session: Session, by: Actor, finding: FindingRow, state: State) -> None:
    """A state ends the claim of who set it, and says what it cost; anybody else's claim ends without a word."""
    now = now_ms()
    if finding.claimed is not None and finding.claimed_by == by.name[:160]:
        ended = min(now, finding.claimed_until or now)
        session.add(
            EffortRow(
                id=uuid.uuid4(),
                finding_id=finding.id,
                who=by.name[:160],
                began=finding.claimed,
                ended=ended,
                state=state.value,
            )
        )
    _clear(finding)


def _clear(finding: FindingRow) -> None:
    finding.claimed_by = finding.claimed = finding.claimed_until = None


def _record(
    session: Session,
    by: Actor,
    finding: FindingRow,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    change = Change("finding.claim", finding.fingerprint, before, after, None, finding.project_id)
    history.record(session, by, change)
