"""Setting a finding's state, for a project, a group or all.

Nobody silences proof, or what an enforced rule decides, by himself: that takes a proposal which somebody else approves,
and `triage.decide` heeds no state that was set without. The same holds below a place where it was confirmed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.governance import policies
from package_hunter.policy.decide import today
from package_hunter.store import history
from package_hunter.store.access_tables import EVERYWHERE
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.history import Change
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.members import Place
from package_hunter.store.places import MissingError
from package_hunter.triage import claims, held
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.chain import Chains, projects_in, scope_name
from package_hunter.triage.decide import needs_grant
from package_hunter.triage.stored import facts_of
from package_hunter.triage.values import Grant, NewState, State


class NeedsProposalError(UsageError):
    """One person alone may not do that."""


def set_state(
    session: Session,
    by: Actor,
    place: Place,
    fingerprint: str,
    new: NewState,
    grant: Grant | None = None,
) -> StateRow:
    """Set the state of the findings of this fingerprint in a place. ``grant``: by an approved proposal.

    UsageError where the state lacks something, MissingError where there is no such finding there, NeedsProposalError
    where it would lift proof or an enforced rule without a grant."""
    hold(session, FINDINGS)
    day = today()
    new.check(day)
    chains, found = Chains(session), held.findings_with(session, fingerprint, projects_in(session, place))
    if not found:
        raise MissingError(f"No scan in {scope_name(place)} had a finding {fingerprint[:64]!r}.", "")
    if new.state.silences and grant is None:
        require_free(session, place, found, chains)
    row = _write(session, by, place, found, new, grant)
    if new.state is State.CONFIRMED:
        _end_narrower(session, by, place, fingerprint, chains)
    held.bump(session, place.key)
    for finding in found:
        held.restate(session, chains.of(finding.project_id), [finding], day)
        claims.decided(session, by, finding, new.state)
    return row


def require_free(session: Session, place: Place, found: Sequence[FindingRow], chains: Chains) -> None:
    """NeedsProposalError where silencing these findings in this place is nothing for one person."""
    for finding in found:
        why = why_not(session, place, finding, chains)
        if why is not None:
            raise NeedsProposalError(
                f"The finding {finding.fingerprint} ({finding.kind}) cannot be silenced by one person: {why}.",
                "Propose a waiver (package-hunter proposals make); it holds once somebody else has approved it.",
            )


def why_not(session: Session, place: Place, finding: FindingRow, chains: Chains) -> str | None:
    """Why one person may not silence it there, a phrase; None where one may."""
    chain = chains.of(finding.project_id)
    why = needs_grant(facts_of(finding, today()), policies.over(session, chain), today())
    if why is not None:
        return why
    wider = chain[: [p.key for p in chain].index(place.key)]
    above = held.rows(session, wider, [finding.fingerprint]).get(finding.fingerprint)
    if above is not None and above.state == State.CONFIRMED.value:
        return f"it is confirmed for {_scope_of(wider, above.place)}"
    return None


def _scope_of(places: Sequence[Place], key: str) -> str:
    return next((scope_name(p) for p in places if p.key == key), "a wider place")


def _write(
    session: Session,
    by: Actor,
    place: Place,
    found: Sequence[FindingRow],
    new: NewState,
    grant: Grant | None,
) -> StateRow:
    fingerprint, seen = found[0].fingerprint, Behaviour.from_json(found[0].behaviour)
    for finding in found[1:]:
        seen = seen.with_(Behaviour.from_json(finding.behaviour))
    row = session.get(StateRow, (place.key, fingerprint))
    before = None if row is None else said(row)
    if row is None:
        row = StateRow(place=place.key, fingerprint=fingerprint)
        session.add(row)
    row.state, row.remark = new.state.value, new.remark
    row.reason = None if new.reason is None else new.reason.value
    row.until = None if new.until is None else new.until.isoformat()
    row.proposal = None if grant is None else grant.proposal
    row.behaviour = seen.to_json()
    row.who, row.time = by.name[:160], now_ms()
    session.flush()
    project: uuid.UUID | None = None if place.project is None else place.project.id
    what = f"{fingerprint} in {scope_name(place)}"
    history.record(session, by, Change("finding.state", what, before, said(row), new.remark or None, project))
    return row


def said(row: StateRow) -> dict[str, Any]:
    """A state for the history and for answers."""
    return {
        "state": row.state,
        "reason": row.reason,
        "remark": row.remark,
        "until": row.until,
        "proposal": row.proposal,
        "who": row.who,
    }


def _end_narrower(session: Session, by: Actor, place: Place, fingerprint: str, chains: Chains) -> None:
    """What was confirmed for many is accepted nowhere below by what was set before."""
    if place.project is not None:
        return
    below = select(StateRow).where(StateRow.fingerprint == fingerprint, StateRow.place != place.key)
    for row in session.scalars(below).all():
        if not State(row.state).silences or not _lies_in(row.place, place, chains):
            continue
        change = Change(
            "finding.state", f"{fingerprint} in {row.place}", said(row), None, "confirmed above it"
        )
        history.record(session, by, change)
        session.execute(
            delete(StateRow).where(StateRow.place == row.place, StateRow.fingerprint == fingerprint)
        )
        held.bump(session, row.place)


def _lies_in(key: str, place: Place, chains: Chains) -> bool:
    if key == EVERYWHERE:
        return False
    if place.group is None:
        return True
    inner = chains.path_of(key)
    return inner is not None and inner.startswith(place.group.path + "/")
