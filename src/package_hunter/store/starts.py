"""What a new account begins with, and how it comes to be."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.likeness import looks
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING, LEGACY
from package_hunter.errors import UsageError
from package_hunter.store import history, members, places
from package_hunter.store.access_tables import Account
from package_hunter.store.base import MAX_NAME
from package_hunter.store.history import Change


def check_name(name: str) -> str:
    """The name, if it can be one of an account; UsageError else."""
    if not 0 < len(name) <= MAX_NAME or ":" in name or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"{name[:MAX_NAME]!r} cannot be a name.",
            f"Names have 1 to {MAX_NAME} printable characters, no colon, no space at either end.",
        )
    return name


def lookalike(session: Session, name: str) -> str | None:
    """A user, there or removed, whose name a person would take for this one; None where there is none."""
    mine = looks(name)
    names = session.scalars(select(Account.name).where(Account.kind == "user"))
    return next((other for other in names if other != name and not mine.isdisjoint(looks(other))), None)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a new account begins with."""

    role: Role
    place: members.Place


@dataclass(frozen=True, slots=True)
class Start:
    """What a new account begins with: its roles, and the project of its scans that name none."""

    grants: tuple[Grant, ...]
    home: uuid.UUID = LEGACY


def usual_start(session: Session) -> Start:
    """What all accounts could do before there were roles: submit and read in ``legacy``, see the figures."""
    legacy = members.Place(project=places.project_at(session, EVERYTHING, "legacy"))
    return Start((Grant(Role.DEVELOPER, legacy), Grant(Role.MONITOR, members.Place())))


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A new account: its name, ``kind`` (``user``, ``token``), whose it is (None: a new person's), and what else the
    history is to say of it."""

    name: str
    kind: str
    person: uuid.UUID | None = None
    more: tuple[tuple[str, object], ...] = ()


def begin(session: Session, new: Newcomer, start: Start | None, by: Actor, why: str | None) -> Account:
    """Make the account with its roles (``start`` None: the usual), and tell the history."""
    start = start or usual_start(session)
    made = members.add_account(session, new.name, new.kind, start.home, new.person)
    after = {"name": new.name, "home": str(start.home), **dict(new.more)}
    history.record(session, by, Change(f"{new.kind}.add", new.name, after=after, why=why))
    for grant in start.grants:
        members.give(session, new.name, grant.role, grant.place, by, why)
    return made
