"""Which proposals wait for whose approval."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, exists, false, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.governance.proposals import people
from package_hunter.governance.proposals.life import OPEN, approvals, shown_state
from package_hunter.governance.proposals.views import Sight
from package_hunter.store import members
from package_hunter.store.proposal_tables import ACCOUNT_PERSONS, Approval, Proposal, ProposalEdit


def on(session: Session, access: Access, now: int) -> ColumnElement[bool]:
    """Those that this account may approve, and whose approval they still take: neither he himself, by whatever account
    of his, wrote or edited them, nor has he approved what they say now."""
    account = members.account(session, access.principal)
    if account is None or account.kind != "user":
        return false()
    me = people.person(session, account)
    mine = select(ACCOUNT_PERSONS.c.account_id).where(ACCOUNT_PERSONS.c.person_id == me)
    wrote = exists().where(ProposalEdit.proposal == Proposal.number, ProposalEdit.account_id.in_(mine))
    approved = exists().where(
        Approval.proposal == Proposal.number,
        Approval.version == Proposal.version,
        Approval.dropped.is_(None),
        Approval.account_id.in_(mine),
    )
    there = Sight.of(access, Permission.PROPOSAL_APPROVE).clause
    return and_(there, Proposal.state == "open", Proposal.expires > now, ~wrote, ~approved)


def among(session: Session, access: Access, proposals: Sequence[Proposal], now: int) -> set[int]:
    """The numbers of those among these that wait for this account."""
    if not proposals:
        return set()
    numbers = [proposal.number for proposal in proposals]
    query = select(Proposal.number).where(Proposal.number.in_(numbers), on(session, access, now))
    return set(session.scalars(query))


def whom(session: Session, proposal: Proposal, now: int) -> list[str]:
    """The names of those who may approve it and have neither written nor approved it, a name a person; none where it
    is closed."""
    if shown_state(proposal, now) not in OPEN:
        return []
    done = people.editors(session, proposal.number)
    done |= people.persons(session, [one.account_id for one in approvals(session, proposal)])
    may = people.approvers(session, people.place_of(session, proposal))
    return sorted(names[0] for person, names in may.items() if person not in done)
