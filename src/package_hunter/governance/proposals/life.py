"""A proposal's way from open to applied, stale or expired. The database holds the same rules once more (migration
0009): what is wrong here is refused there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.permissions import Permission
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people, telling
from package_hunter.governance.proposals.alone import is_alone
from package_hunter.governance.proposals.errors import ClosedError
from package_hunter.governance.proposals.kind import Act
from package_hunter.governance.proposals.kinds import KINDS
from package_hunter.governance.proposals.settings import effective
from package_hunter.store.access_tables import Account
from package_hunter.store.canonical import canonical, content_hash, parsed
from package_hunter.store.history import MAX_WHY
from package_hunter.store.members import access_of
from package_hunter.store.places import MissingError
from package_hunter.store.proposal_tables import Approval, Proposal

OPEN = ("open", "approved")
STATES = (*OPEN, "applied", "rejected", "withdrawn", "stale", "expired")
CLOCK = Actor("package-hunter", "clock")
"""Who applies what was approved for a later time."""


@dataclass(frozen=True, slots=True)
class Applying:
    """How a proposal comes to be applied: ``way``, by whom, and which account (None: the clock)."""

    way: str
    by: Actor
    account: uuid.UUID | None


def locked(session: Session, number: int) -> Proposal:
    """The proposal, held until this transaction ends: what is decided on it is decided one after the other.
    MissingError."""
    query = select(Proposal).where(Proposal.number == number).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise MissingError(f"There is no proposal {number}.", "See package-hunter proposals list.")
    return found


def shown_state(proposal: Proposal, now: int) -> str:
    """Its state at that moment; from ``expires`` on it is expired, whether that was written down or not."""
    return "expired" if proposal.state in OPEN and now >= proposal.expires else proposal.state


def require_open(proposal: Proposal, now: int) -> None:
    """ClosedError where nothing can be decided on it any more."""
    state = shown_state(proposal, now)
    if state not in OPEN:
        raise ClosedError(f"Proposal {proposal.number} is {state}.", "Make a new one.")


def approvals(session: Session, proposal: Proposal) -> list[Approval]:
    """The approvals of what it says now that were not dropped, oldest first."""
    query = select(Approval).where(
        Approval.proposal == proposal.number,
        Approval.version == proposal.version,
        Approval.content_hash == proposal.content_hash,
        Approval.dropped.is_(None),
    )
    return list(session.scalars(query.order_by(Approval.id)).all())


def settle(session: Session, proposal: Proposal, now: int, by: Applying | None = None) -> None:
    """Do what is due: expire it, drop approvals that count no more, apply it. ``by``: whose act this follows."""
    if proposal.state not in OPEN:
        return
    if now >= proposal.expires:
        _close(session, proposal, "expired", now, "its time ran out")
        return
    way = _way(session, proposal, now)
    if way is None:
        proposal.state = "open"
        session.flush()
    elif proposal.apply_at is not None and now < proposal.apply_at:
        if way == "approved" and proposal.state == "open":
            proposal.state = "approved"
            session.flush()
    else:
        who = by or Applying("", CLOCK, None)
        account = proposal.author_id if way == "alone" else who.account
        apply(session, proposal, now, Applying(way, who.by, account))


def _way(session: Session, proposal: Proposal, now: int) -> str | None:
    """In which way it may be applied now; None: not yet."""
    _drop_what_counts_no_more(session, proposal, now)
    place = people.place_of(session, proposal)
    needed = max(proposal.needed, effective(session, place).needed(proposal.kind))
    if needed > proposal.needed:
        proposal.needed = needed
        session.flush()
    given = people.persons(session, [a.account_id for a in approvals(session, proposal)])
    if len(given) >= needed:
        return "approved"
    return "alone" if is_alone(session, proposal) else None


def _drop_what_counts_no_more(session: Session, proposal: Proposal, now: int) -> None:
    """Approvals of people who were removed, lost the permission, or turned out to be one of the editors."""
    writers = people.editors(session, proposal.number)
    place = people.place_of(session, proposal)
    for approval in approvals(session, proposal):
        account = session.get(Account, approval.account_id)
        why = None
        if account is None or account.removed is not None:
            why = "the account is removed"
        elif not people.may_at(access_of(session, account.name), place, Permission.PROPOSAL_APPROVE):
            why = "the permission to approve was taken away"
        elif people.person(session, account) in writers:
            why = "the person is author or editor"
        if why is not None:
            approval.dropped, approval.dropped_why = now, why
            said = {"approver": approval.approver, "content": approval.content_hash}
            telling.entry(session, CLOCK, proposal, "proposal.drop-approval", said, None, why=why)
    session.flush()


def apply(session: Session, proposal: Proposal, now: int, how: Applying) -> None:
    """Put exactly what was approved in force, or close it as stale where that cannot be done any more."""
    kind, place = KINDS[proposal.kind], people.place_of(session, proposal)
    document = parsed(proposal.document)
    if content_hash(canonical(document)) != proposal.content_hash:
        raise ClosedError(f"Proposal {proposal.number} is not what its hash says.", "Look at audit verify.")
    try:
        with session.begin_nested():
            wanted = kind.read(session, place, document)
            base = content_hash(canonical(kind.base(session, place, wanted)))
            if (
                base != proposal.base_hash
                or content_hash(canonical(wanted.document)) != proposal.content_hash
            ):
                raise ClosedError("What it would change was changed meanwhile.")  # undone with the savepoint
            why = f"proposal {proposal.number}: {proposal.reason}"[:MAX_WHY]
            _write_applied(session, proposal, now, how)
            kind.apply(session, place, wanted, Act(proposal.number, how.by, why, how.way == "approved"))
    except UsageError as error:
        session.refresh(proposal)
        _close(session, proposal, "stale", now, error.message)


def _write_applied(session: Session, proposal: Proposal, now: int, how: Applying) -> None:
    proposal.state, proposal.way, proposal.applied = "applied", how.way, now
    proposal.applied_by_id = how.account
    proposal.decided, proposal.decided_by = now, how.by.name[:160]
    session.flush()
    said = {"content": proposal.content_hash, "way": how.way, "unreviewed": how.way != "approved"}
    said["approved_by"] = [a.approver for a in approvals(session, proposal)]
    telling.entry(session, how.by, proposal, "proposal.apply", {"content": proposal.base_hash}, said)


def _close(session: Session, proposal: Proposal, state: str, now: int, why: str) -> None:
    proposal.state, proposal.decided, proposal.decided_by = state, now, CLOCK.name
    proposal.decided_why = why[:MAX_WHY]
    session.flush()
    telling.entry(session, CLOCK, proposal, f"proposal.{state}", None, {"state": state}, why=why)


def settle_due(session: Session, now: int, most: int = 100) -> int:
    """Settle what is due by the clock: expired ones, and approved ones whose time has come. How many there were."""
    query = select(Proposal.number).where(Proposal.state.in_(OPEN))
    due = query.where((Proposal.expires <= now) | (Proposal.apply_at <= now)).order_by(Proposal.number)
    numbers = session.scalars(due.limit(most)).all()
    for number in numbers:
        settle(session, locked(session, number), now)
    return len(numbers)
