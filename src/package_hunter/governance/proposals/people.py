"""Who stands behind accounts, and who may approve: persons are compared, never accounts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES
from package_hunter.access.view import Access
from package_hunter.store import members
from package_hunter.store.access_tables import Account, Group, Member, Project
from package_hunter.store.members import Place
from package_hunter.store.places import MissingError
from package_hunter.store.proposal_tables import ACCOUNT_PERSONS, Proposal, ProposalEdit

APPROVING_ROLES = tuple(role for role in ROLES if Permission.PROPOSAL_APPROVE in ROLES[role])


def account(session: Session, name: str) -> Account:
    """The live account of this name; MissingError."""
    found = members.account(session, name)
    if found is None:
        raise MissingError(f"There is no account {name[:140]!r}.", "See package-hunter user list.")
    return found


def persons(session: Session, accounts: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """The persons behind these accounts."""
    query = select(ACCOUNT_PERSONS.c.person_id).where(ACCOUNT_PERSONS.c.account_id.in_(list(accounts)))
    return set(session.scalars(query))


def person(session: Session, of: Account) -> uuid.UUID:
    """The person behind an account."""
    return next(iter(persons(session, [of.id])), of.id)


def editors(session: Session, number: int) -> set[uuid.UUID]:
    """The persons who wrote a proposal: its author, and whoever edited it."""
    written = select(ProposalEdit.account_id).where(ProposalEdit.proposal == number)
    return persons(session, session.scalars(written))


def is_somebody(session: Session, account: Account) -> bool:
    """Whether a human being stands behind an account: a user, or a token with an owner. Nobody is behind a token
    without one, nor behind a CI job's: whoever holds it would be a second person by it."""
    me = person(session, account)
    behind = select(ACCOUNT_PERSONS.c.account_id).where(ACCOUNT_PERSONS.c.person_id == me)
    query = select(Account.id).where(Account.id.in_(behind), Account.kind == "user")
    return session.scalar(query.limit(1)) is not None


def may_at(access: Access, place: Place, permission: Permission) -> bool:
    """Whether the permission is held at that place."""
    if place.project is not None:
        return access.may_in(place.project.id, permission)
    if place.group is not None:
        return access.may_in_group(place.group.id, permission)
    return access.may(permission)


def place_of(session: Session, proposal: Proposal) -> Place:
    """Where a proposal is meant to hold."""
    group = None if proposal.group_id is None else session.get(Group, proposal.group_id)
    project = None if proposal.project_id is None else session.get(Project, proposal.project_id)
    return Place(group, project)


def places_of(session: Session, proposals: Sequence[Proposal]) -> dict[int, Place]:
    """The same of many, by number, in two queries."""
    in_groups = select(Group).where(Group.id.in_({p.group_id for p in proposals if p.group_id is not None}))
    in_projects = select(Project).where(
        Project.id.in_({p.project_id for p in proposals if p.project_id is not None})
    )
    groups = {group.id: group for group in session.scalars(in_groups)}
    projects = {project.id: project for project in session.scalars(in_projects)}
    return {
        one.number: Place(
            None if one.group_id is None else groups.get(one.group_id),
            None if one.project_id is None else projects.get(one.project_id),
        )
        for one in proposals
    }


def approvers(session: Session, place: Place) -> dict[uuid.UUID, list[str]]:
    """The persons who may approve there, each with the names of the accounts by which."""
    found: dict[uuid.UUID, list[str]] = {}
    for who in _who_approve_somewhere(session):
        if may_at(members.access_of(session, who.name), place, Permission.PROPOSAL_APPROVE):
            found.setdefault(person(session, who), []).append(who.name)
    return found


def _who_approve_somewhere(session: Session) -> list[Account]:
    roles = [role.value for role in APPROVING_ROLES]
    query = select(Account).join(Member, Member.account_id == Account.id)
    live = query.where(Member.role.in_(roles), Account.kind == "user", Account.removed.is_(None))
    return list(session.scalars(live.distinct().order_by(Account.name)).all())
