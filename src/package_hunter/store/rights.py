"""What an account may do: its roles, and for a token what it is limited to and whose it is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES
from package_hunter.access.view import LEGACY, Access, Scope
from package_hunter.store.access_tables import EVERYWHERE, Account, Group, Member, Project
from package_hunter.store.database import now_ms
from package_hunter.store.models import Token
from package_hunter.store.places import above


def account(session: Session, name: str) -> Account | None:
    """The account of this name that is there now."""
    return session.scalar(select(Account).where(Account.name == name, Account.removed.is_(None)))


def access_of(session: Session, name: str) -> Access:
    """What the account of this name may do; nothing where there is none. A token may do what its roles, its limits
    and its owner's rights all allow, until it expires."""
    who = account(session, name)
    if who is None:
        return Access(name)
    held = _held_by(session, who)
    return _limited(session, who, held) if who.kind == "token" else held


def _limited(session: Session, who: Account, held: Access) -> Access:
    token = session.get(Token, who.name.removeprefix("token:"))
    if (
        token is None
        or token.revoked is not None
        or (token.expires is not None and token.expires <= now_ms())
    ):
        return Access(who.name)
    if token.owner_id is not None:
        owner = session.get(Account, token.owner_id)
        if owner is None or owner.removed is not None:
            return Access(who.name)
        owners = _held_by(session, owner)
        held = replace(owners, principal=who.name) if token.delegated else held.shared_with(owners)
    return held.within(scope_of(session, token))


def scope_of(session: Session, token: Token) -> Scope:
    """What the token is limited to."""
    permissions = None if token.permissions is None else known_permissions(json.loads(token.permissions))
    if token.places is None:
        return Scope(permissions)
    named = frozenset(uuid.UUID(key) for key in json.loads(token.places))
    groups = {group.id: group.path for group in session.scalars(select(Group))}
    inside = {key for key, path in groups.items() if key in named or _below(path, groups, named)}
    projects = {
        key
        for key, path in session.execute(select(Project.id, Project.path))
        if key in named or _below(path, groups, named)
    }
    return Scope(permissions, frozenset(projects), frozenset(inside))


def _below(path: str, groups: dict[uuid.UUID, str], named: frozenset[uuid.UUID]) -> bool:
    parents = set(above(path))
    return any(key in named and group in parents for key, group in groups.items())


def known_permissions(names: Iterable[str]) -> frozenset[Permission]:
    """Those that this version knows; another one allows nothing."""
    known = {p.value: p for p in Permission}
    return frozenset(known[name] for name in names if name in known)


def _held_by(session: Session, who: Account) -> Access:
    """What the roles of this account come to."""
    name = who.name
    held = session.scalars(select(Member).where(Member.account_id == who.id)).all()
    everywhere = _permissions(m.role for m in held if m.place == EVERYWHERE)
    own_groups, own_projects = _by_place(held, "group_id"), _by_place(held, "project_id")
    if not own_groups and not own_projects:
        return Access(name, everywhere, home=who.home)
    all_groups = {path: key for key, path in session.execute(select(Group.id, Group.path))}
    groups: dict[uuid.UUID, frozenset[Permission]] = {}
    for path in sorted(all_groups, key=lambda p: p.count("/")):  # from the top: each has what is above it
        held_here = own_groups.get(all_groups[path], frozenset())
        groups[all_groups[path]] = held_here | _from_above(path, all_groups, groups)
    projects = {
        key: own_projects.get(key, frozenset()) | _from_above(path, all_groups, groups)
        for key, path in session.execute(select(Project.id, Project.path))
    }
    return Access(name, everywhere, _some(projects), _some(groups), who.home or LEGACY)


def _by_place(held: Iterable[Member], column: str) -> dict[uuid.UUID, frozenset[Permission]]:
    found: dict[uuid.UUID, frozenset[Permission]] = {}
    for member in held:
        place = getattr(member, column)
        if place is not None:
            found[place] = found.get(place, frozenset()) | _permissions([member.role])
    return {place: frozenset(p for p in given if p.in_projects) for place, given in found.items()}


def _permissions(roles: Iterable[str]) -> frozenset[Permission]:
    """Of roles by name; one that this version does not know gives nothing."""
    known = {role.value: given for role, given in ROLES.items()}
    return frozenset().union(*(known.get(role, frozenset()) for role in roles))


def _from_above(
    path: str, ids: dict[str, uuid.UUID], groups: dict[uuid.UUID, frozenset[Permission]]
) -> frozenset[Permission]:
    nearest = next(iter(above(path)), None)
    return frozenset() if nearest is None or nearest not in ids else groups.get(ids[nearest], frozenset())


def _some(places: dict[uuid.UUID, frozenset[Permission]]) -> dict[uuid.UUID, frozenset[Permission]]:
    return {place: given for place, given in places.items() if given}
