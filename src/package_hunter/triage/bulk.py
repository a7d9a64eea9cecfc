"""Many findings at once: first what it would do, then exactly that."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.view import View
from package_hunter.errors import UsageError
from package_hunter.policy.decide import today
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.members import Place
from package_hunter.store.places import TakenError
from package_hunter.store.scoping import scoped
from package_hunter.triage import states
from package_hunter.triage.chain import Chains
from package_hunter.triage.decide import Held
from package_hunter.triage.impact import USUAL, Budget, Impact, of_states
from package_hunter.triage.listing import Filters, first
from package_hunter.triage.values import NewState

MAX_FINDINGS = 1_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A finding that stays as it is, and why (a phrase)."""

    finding: uuid.UUID
    fingerprint: str
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """``digest`` is what is to be given to do exactly this; ``detected`` counts those that scans still find."""

    findings: int
    projects: int
    detected: int
    refused: tuple[Refused, ...]
    impact: Impact
    digest: str


def chosen(session: Session, view: View, which: Filters | Sequence[uuid.UUID]) -> list[FindingRow]:
    """The findings that are meant, of those that the view sees; UsageError where they are too many, or none."""
    if isinstance(which, Filters):
        found = list(first(session, view, which, MAX_FINDINGS + 1))
    else:
        query = select(FindingRow).where(FindingRow.id.in_(which)).order_by(FindingRow.id)
        found = list(session.scalars(scoped(query, view, FindingRow.project_id).limit(MAX_FINDINGS + 1)))
    if len(found) > MAX_FINDINGS:
        raise UsageError(f"These are more than {MAX_FINDINGS} findings.", "Narrow the filters.")
    if not found:
        raise UsageError("No finding is meant.", "Widen the filters.")
    return found


def preview(
    session: Session,
    by: Actor,
    view: View,
    which: Filters | Sequence[uuid.UUID],
    new: NewState,
    budget: Budget = USUAL,
) -> Preview:
    """What setting this state for all of them would do, each in its own project. UsageError."""
    new.check(today())
    found = chosen(session, view, which)
    refused, allowed = _split(session, found, new)
    said = f"{new.state.value.replace('_', ' ')}: {new.remark or new.reason} ({by.name})"
    marks: dict[uuid.UUID, dict[str, Held]] = {}
    for finding in allowed:
        marks.setdefault(finding.project_id, {})[finding.fingerprint] = Held(new.state, said, new.until)
    return Preview(
        findings=len(allowed),
        projects=len(marks),
        detected=sum(finding.detected for finding in allowed),
        refused=tuple(refused),
        impact=of_states(session, marks, view, budget),
        digest=_digest(found, new),
    )


def apply(
    session: Session,
    by: Actor,
    view: View,
    which: Filters | Sequence[uuid.UUID],
    new: NewState,
    digest: str,
) -> tuple[int, tuple[Refused, ...]]:
    """Do what a preview of this digest said; how many were set, and which stay. TakenError where it would be something
    else by now."""
    hold(session, FINDINGS)
    new.check(today())
    found = chosen(session, view, which)
    if _digest(found, new) != digest:
        raise TakenError("These are not the findings that were previewed.", "Look at the preview again.")
    refused, allowed = _split(session, found, new)
    chains = Chains(session)
    for finding in allowed:
        states.set_state(session, by, _own_place(chains, finding), finding.fingerprint, new)
    return len(allowed), tuple(refused)


def _split(
    session: Session, found: Sequence[FindingRow], new: NewState
) -> tuple[list[Refused], list[FindingRow]]:
    """Those that one person may not silence, and the others."""
    if not new.state.silences:
        return [], list(found)
    chains, refused, allowed = Chains(session), [], []
    for finding in found:
        why = states.why_not(session, _own_place(chains, finding), finding, chains)
        if why is None:
            allowed.append(finding)
        else:
            refused.append(Refused(finding.id, finding.fingerprint, why))
    return refused, allowed


def _own_place(chains: Chains, finding: FindingRow) -> Place:
    return chains.of(finding.project_id)[-1]


def _digest(found: Sequence[FindingRow], new: NewState) -> str:
    """Of which findings they are, what they do and how they stand, and the state."""
    rows = sorted(
        [str(row.id), row.behaviour_digest, row.state, row.until, row.asks, row.proof] for row in found
    )
    state = [new.state, new.reason, new.remark, None if new.until is None else new.until.isoformat()]
    return hashlib.sha256(json.dumps([rows, state], separators=(",", ":")).encode()).hexdigest()
