"""What the history and people are told of proposals."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.notices import outbox
from package_hunter.notices.outbox import Event, Notice, Scope
from package_hunter.store import history
from package_hunter.store.canonical import parsed
from package_hunter.store.history import Change
from package_hunter.store.proposal_tables import Proposal

Values = dict[str, Any]


def entry(
    session: Session,
    by: Actor,
    proposal: Proposal,
    action: str,
    *values: Values | None,
    why: str | None = None,
) -> None:
    """An entry about a proposal; ``values``: before, after."""
    before, after = values
    what = f"proposal {proposal.number}"
    history.record(session, by, Change(action, what, before, after, why, proposal.project_id))


def waits(session: Session, proposal: Proposal) -> None:
    """Tell those who could approve it that it waits for them."""
    impact = parsed(proposal.impact)
    flips = f"{impact['flipped']} of {impact['tried']} {impact['what']} would be decided otherwise"
    notice = Notice(
        what=f"Proposal {proposal.number} waits for approval: {proposal.subject}. {proposal.reason}",
        who=proposal.author,
        how=f"{flips}; {impact['not_tried']} were not tried.",
        todo=f"Look at it and approve or reject it: package-hunter proposals show {proposal.number}",
        look=f"/api/v1/proposals/{proposal.number}",
        facts={"proposal": proposal.number, "kind": proposal.kind, "content_hash": proposal.content_hash},
    )
    once = f"{Event.PROPOSAL_WAITS.value} {proposal.number} {proposal.version}"
    outbox.enqueue(session, Event.PROPOSAL_WAITS, _about(proposal), notice, once)


def glass_broken(session: Session, proposal: Proposal, by: Actor) -> None:
    """Tell everybody concerned that something was applied without anybody's approval."""
    notice = Notice(
        what=f"The glass was broken: proposal {proposal.number} was applied without approval: {proposal.subject}.",
        who=by.name,
        how=f"{proposal.emergency}: {proposal.emergency_text}",
        todo=f"Somebody else must review it: package-hunter proposals review {proposal.number}",
        look=f"/api/v1/proposals/{proposal.number}",
        facts={"proposal": proposal.number, "kind": proposal.kind, "reason": proposal.emergency},
    )
    once = f"{Event.BREAK_GLASS.value} {proposal.number}"
    outbox.enqueue(session, Event.BREAK_GLASS, _about(proposal), notice, once)


def _about(proposal: Proposal) -> Scope:
    return Scope(proposal.project_id, proposal.group_id)
