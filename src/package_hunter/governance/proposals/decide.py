"""What people decide on a proposal: approve, reject, withdraw, break the glass, review."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people, telling
from package_hunter.governance.proposals.errors import ClosedError, ForbiddenError
from package_hunter.governance.proposals.life import (
    Applying,
    apply,
    approvals,
    locked,
    require_open,
    settle,
)
from package_hunter.governance.proposals.propose import Asked, By, Prepared, create
from package_hunter.store.history import MAX_WHY
from package_hunter.store.members import access_of
from package_hunter.store.proposal_tables import Approval, Proposal


class Emergency(StrEnum):
    """Why the glass was broken."""

    PRODUCTION = "production-emergency"
    DEADLINE = "critical-deadline"
    LIMIT = "technical-limit"
    RISK = "accepted-risk"


def propose(session: Session, by: By, prepared: Prepared, asked: Asked) -> Proposal:
    """Make a proposal; applied at once where its author alone may approve at its place."""
    made = create(session, by, prepared, asked)
    settle(session, made, by.at, Applying("", by.actor, by.account.id))
    return made


@dataclass(frozen=True, slots=True)
class Seen:
    """What an approver looked at. The content's hash alone does not say it: an edit may change why and when, too."""

    content_hash: str
    version: int


def approve(session: Session, by: By, number: int, seen: Seen, proof: str) -> Proposal:
    """Approve what the approver saw; applied once there are enough. ``proof``: how it was just shown who that is.
    ForbiddenError, ClosedError, MissingError."""
    proposal = locked(session, number)
    require_open(proposal, by.at)
    _require(session, by, proposal, Permission.PROPOSAL_APPROVE)
    if seen != Seen(proposal.content_hash, proposal.version):
        raise ClosedError(f"Proposal {number} was edited: it is not what you saw.", "Look at it again.")
    me = people.person(session, by.account)
    if me in people.editors(session, number):
        raise ForbiddenError("Author and editors do not approve their own.", "Somebody else must.")
    if me in people.persons(session, [a.account_id for a in approvals(session, proposal)]):
        raise ClosedError("You have approved it already.", "Somebody else must, too.")
    row = Approval(
        proposal=number,
        version=proposal.version,
        content_hash=seen.content_hash,
        account_id=by.account.id,
        approver=by.account.name,
        proof=proof,
        created=by.at,
    )
    session.add(row)
    session.flush()
    said = {"content": seen.content_hash, "version": seen.version, "proof": proof}
    telling.entry(session, by.actor, proposal, "proposal.approve", None, said)
    settle(session, proposal, by.at, Applying("", by.actor, by.account.id))
    return proposal


def reject(session: Session, by: By, number: int, why: str) -> Proposal:
    """Close it, unapplied."""
    proposal = locked(session, number)
    require_open(proposal, by.at)
    _require(session, by, proposal, Permission.PROPOSAL_APPROVE)
    return _close(session, by, proposal, "rejected", why)


def withdraw(session: Session, by: By, number: int, why: str) -> Proposal:
    """Close what one proposed oneself."""
    proposal = locked(session, number)
    require_open(proposal, by.at)
    if people.person(session, by.account) not in people.persons(session, [proposal.author_id]):
        raise ForbiddenError("Only its author withdraws a proposal.", "Who may approve it rejects it.")
    return _close(session, by, proposal, "withdrawn", why)


def _close(session: Session, by: By, proposal: Proposal, state: str, why: str) -> Proposal:
    proposal.decided_why = _said(why)
    proposal.state, proposal.decided, proposal.decided_by = state, by.at, by.actor.name[:160]
    session.flush()
    action = {"rejected": "proposal.reject", "withdrawn": "proposal.withdraw"}[state]
    telling.entry(session, by.actor, proposal, action, None, {"state": state}, why=why)
    return proposal


def break_glass(session: Session, by: By, number: int, emergency: Emergency, text: str) -> Proposal:
    """Apply it now, without approval, by a permission of its own. Everybody concerned is told, and it stays open
    until somebody else has reviewed it."""
    proposal = locked(session, number)
    require_open(proposal, by.at)
    _require(session, by, proposal, Permission.GLASS_BREAK)
    proposal.emergency_text, proposal.emergency = _said(text), emergency.value
    apply(session, proposal, by.at, Applying("break-glass", by.actor, by.account.id))
    if proposal.state == "applied":
        said = {"reason": emergency.value, "content": proposal.content_hash}
        telling.entry(session, by.actor, proposal, "proposal.break-glass", None, said, why=text)
        telling.glass_broken(session, proposal, by.actor)
    return proposal


def review(session: Session, by: By, number: int, text: str) -> Proposal:
    """Say, as somebody who had no part in it, that one has looked at what was applied without approval."""
    proposal = locked(session, number)
    _require(session, by, proposal, Permission.PROPOSAL_APPROVE)
    if proposal.state != "applied" or proposal.way == "approved" or proposal.reviewed is not None:
        raise ClosedError(f"Proposal {number} waits for no review.", "See proposals list --unreviewed.")
    me, part = people.person(session, by.account), people.editors(session, number)
    if proposal.applied_by_id is not None:
        part |= people.persons(session, [proposal.applied_by_id])
    if me in part:
        raise ForbiddenError("Who had a part in it does not review it.", "Somebody else must.")
    proposal.review = _said(text)
    proposal.reviewed, proposal.reviewer_id = by.at, by.account.id
    session.flush()
    telling.entry(session, by.actor, proposal, "proposal.review", None, {"way": proposal.way}, why=text)
    return proposal


def _require(session: Session, by: By, proposal: Proposal, permission: Permission) -> None:
    if by.account.kind != "user":
        raise ForbiddenError("Tokens propose; they never approve.", "A user must do that.")
    place = people.place_of(session, proposal)
    if not people.may_at(access_of(session, by.account.name), place, permission):
        raise ForbiddenError(
            f"{by.account.name!r} may not do that to proposal {proposal.number}.",
            f"It takes the permission {permission.value} there.",
        )


def _said(text: str) -> str:
    said = text.strip()
    if not said or len(said) > MAX_WHY:
        raise UsageError(f"It takes a reason in words (at most {MAX_WHY} characters).", "Say why.")
    return said
