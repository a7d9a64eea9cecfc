"""Where nobody else could look at a change: judged at the place where it is to hold, never over the whole server."""

from __future__ import annotations

from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import Role
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people
from package_hunter.store.access_tables import Account
from package_hunter.store.members import Place, access_of
from package_hunter.store.proposal_tables import Proposal
from package_hunter.store.starts import Start


def is_alone(session: Session, proposal: Proposal) -> bool:
    """Whether its author may approve at its place, and nobody else may: then it needs nobody else."""
    author = session.get(Account, proposal.author_id)
    if author is None or author.removed is not None or author.kind != "user":
        return False
    place = people.place_of(session, proposal)
    if not people.may_at(access_of(session, author.name), place, Permission.PROPOSAL_APPROVE):
        return False
    return set(people.approvers(session, place)) == people.persons(session, [author.id])


def stuck(session: Session, proposal: Proposal) -> str | None:
    """Why an open proposal gets no approvals as things stand, in a sentence with what to do; None where it can."""
    place, others = people.place_of(session, proposal), others_of(session, proposal)
    if is_alone(session, proposal):
        if proposal.apply_at is not None:
            return None  # the clock applies it
        again = "withdraw it, propose it again, and it applies at once."
        return f"Nobody can approve this at {place.name} any more: {again}"
    if others >= proposal.needed:
        return None
    todo = "somebody must be given the role security-admin there, or break the glass."
    if not others:
        return (
            f"Nobody can approve this at {place.name}: nobody who did not write it may approve there; {todo}"
        )
    return (
        f"Too few can approve this at {place.name}: it takes {proposal.needed} people who did not write it, "
        f"and {others} may approve there; {todo}"
    )


def others_of(session: Session, proposal: Proposal) -> int:
    """How many people may approve at its place, and did not write it."""
    place = people.place_of(session, proposal)
    return len(set(people.approvers(session, place)) - people.editors(session, proposal.number))


def require_alone(session: Session, place: Place) -> None:
    """UsageError where two people or more may approve changes at that place."""
    count = len(people.approvers(session, place))
    if count > 1:
        raise UsageError(
            f"{count} people may approve changes here ({place.name}): a change goes by a proposal.",
            "Use package-hunter policy propose, or proposals make (in an emergency, break-glass).",
        )


def require_alone_for(session: Session, role: Role, account: str, place: Place) -> None:
    """UsageError where somebody gives or takes, by himself, a role with which a user may approve there what others
    propose, though two people or more could look at that. (Tokens never approve.)"""
    if role in people.APPROVING_ROLES and not account.startswith("token:"):
        require_alone(session, place)


def require_alone_for_start(session: Session, start: Start) -> None:
    """The same, of the roles that a new user begins with."""
    for grant in start.grants:
        require_alone_for(session, grant.role, "", grant.place)
