"""Who has which role where; what that comes to is `rights`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import SERVER_ROLES, Role
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.access_tables import EVERYWHERE, Account, Group, Member, Project
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.places import MissingError, TakenError
from package_hunter.store.rights import access_of as access_of  # part of this module's interface
from package_hunter.store.rights import account as account


@dataclass(frozen=True, slots=True)
class Place:
    """Where a role is held: everywhere (neither), in a group and all below it, or in a project."""

    group: Group | None = None
    project: Project | None = None

    @property
    def key(self) -> str:
        """As `Member.place` has it."""
        where = self.group or self.project
        return EVERYWHERE if where is None else where.id.hex

    @property
    def name(self) -> str:
        """For people."""
        where = self.group or self.project
        return EVERYWHERE if where is None else where.path


def add_account(
    session: Session, name: str, kind: str, home: uuid.UUID, person: uuid.UUID | None = None
) -> Account:
    """A new account without any role; the caller has seen to it that the name is free. ``person`` None: somebody
    new."""
    key = uuid.uuid4()
    made = Account(id=key, name=name, kind=kind, home=home, created=now_ms(), person=person or key)
    session.add(made)
    session.flush()
    return made


def remove_account(session: Session, name: str) -> None:
    """It can do nothing from now on. A later account of that name is another one."""
    found = account(session, name)
    if found is not None:
        found.removed = now_ms()


def give(session: Session, name: str, role: Role, place: Place, by: Actor, why: str | None = None) -> Member:
    """Give a role; UsageError where there is no such account, it has it, or it can mean nothing there."""
    who = _require(session, name)
    if place.key != EVERYWHERE and role in SERVER_ROLES:
        raise UsageError(f"{role.value} is a role for the whole server.", "Give it everywhere.")
    if session.get(Member, (who.id, place.key, role.value)) is not None:
        raise TakenError(f"{name!r} is {role.value} there already.", "")
    member = Member(account_id=who.id, place=place.key, role=role.value, created=now_ms())
    who.rights += 1
    member.group_id = None if place.group is None else place.group.id
    member.project_id = None if place.project is None else place.project.id
    session.add(member)
    said = {"account": name, "role": role.value, "place": place.name}
    history.record(session, by, Change("member.add", name, project=member.project_id, after=said, why=why))
    return member


def take(session: Session, name: str, role: Role, place: Place, by: Actor, why: str | None = None) -> None:
    """Take a role away; MissingError where the account has it not (what it has from above stays)."""
    who = _require(session, name)
    member = session.get(Member, (who.id, place.key, role.value))
    if member is None:
        raise MissingError(f"{name!r} is not {role.value} there.", "See package-hunter member list.")
    project = member.project_id
    session.delete(member)
    who.rights += 1
    said = {"account": name, "role": role.value, "place": place.name}
    history.record(session, by, Change("member.remove", name, project=project, before=said, why=why))


def _require(session: Session, name: str) -> Account:
    found = account(session, name)
    if found is None:
        raise MissingError(f"There is no account {name[:140]!r}.", "A token's is token:NAME.")
    return found


def members(session: Session, place: Place) -> list[tuple[str, str, int]]:
    """Name, role and since when, of those whose role was given right there; by name."""
    query = (
        select(Account.name, Member.role, Member.created)
        .join(Member, Member.account_id == Account.id)
        .where(Member.place == place.key, Account.removed.is_(None))
        .order_by(Account.name, Member.role)
    )
    return [(name, role, since) for name, role, since in session.execute(query)]


def roles_of(session: Session, name: str) -> list[tuple[str, str]]:
    """The account's roles, each with its place's path (or ``everywhere``)."""
    query = (
        select(Member.role, Member.place, Group.path, Project.path)
        .join(Account, Account.id == Member.account_id)
        .outerjoin(Group, Group.id == Member.group_id)
        .outerjoin(Project, Project.id == Member.project_id)
        .where(Account.name == name, Account.removed.is_(None))
        .order_by(Member.role)
    )
    return [(role, group or project or place) for role, place, group, project in session.execute(query)]


def all_roles(session: Session, kind: str) -> dict[uuid.UUID, list[tuple[str, str]]]:
    """By account (its id) of this kind: its roles, each with its place's path (or ``everywhere``)."""
    query = (
        select(Account.id, Member.role, Member.place, Group.path, Project.path)
        .join(Account, Account.id == Member.account_id)
        .outerjoin(Group, Group.id == Member.group_id)
        .outerjoin(Project, Project.id == Member.project_id)
        .where(Account.kind == kind, Account.removed.is_(None))
        .order_by(Member.role)
    )
    found: dict[uuid.UUID, list[tuple[str, str]]] = {}
    for key, role, place, group, project in session.execute(query):
        found.setdefault(key, []).append((role, group or project or place))
    return found
