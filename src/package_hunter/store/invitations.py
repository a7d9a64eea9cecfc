"""One-time links: whoever has one chooses a password. No account ever has a password that was not chosen."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.errors import UsageError
from package_hunter.store import accounts, history, members
from package_hunter.store.access_tables import EVERYWHERE, Account, Group, Project
from package_hunter.store.accounts import Grant, Start
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.identity_tables import InvitationRow
from package_hunter.store.places import MissingError

PREFIX = "phinv_"
HOURS = 72.0
FIRST_HOURS = 1.0
_HOUR_MS = 3_600_000
_FIRST = "(the first administrator)"


def link(public_url: str, secret: str) -> str:
    """The address for a browser. What is behind the # stays in it, and comes into no log."""
    return f"{public_url.rstrip('/') or 'http://localhost:3000'}/welcome#{secret}"


def invite(
    session: Session, name: str, start: Start, by: Actor, hours: float = HOURS, why: str | None = None
) -> str:
    """A link for a new user of this name; its secret is told this once. UsageError where the name is taken."""
    accounts.require_free(session, name)
    return _add(session, InvitationRow(name=name), start, by, hours, why)


def invite_again(
    session: Session, account: Account, by: Actor, hours: float = HOURS, why: str | None = None
) -> str:
    """A link by which a user who is there chooses another password."""
    row = InvitationRow(account_id=account.id, name=account.name)
    return _add(session, row, Start((), account.home), by, hours, why)


def invite_first(session: Session, by: Actor) -> str:
    """A link for the first administrator, who chooses his own name: good for an hour, as long as there is no user;
    those made before are worthless."""
    session.execute(delete(InvitationRow).where(InvitationRow.name.is_(None)))
    roles = (Role.ADMINISTRATOR, Role.SECURITY_ADMIN)
    start = Start(tuple(Grant(role, members.Place()) for role in roles))
    return _add(session, InvitationRow(), start, by, FIRST_HOURS, "nobody could log in")


def _add(session: Session, row: InvitationRow, start: Start, by: Actor, hours: float, why: str | None) -> str:
    now = now_ms()
    session.execute(delete(InvitationRow).where(InvitationRow.expires <= now))
    secret = PREFIX + secrets.token_urlsafe(32)
    row.sha256, row.home = _digest(secret), start.home
    row.roles = json.dumps([[g.role.value, _place(g.place)] for g in start.grants])
    row.created, row.expires = now, now + int(hours * _HOUR_MS)
    session.add(row)
    roles = [[g.role.value, g.place.name] for g in start.grants]
    after = {"roles": roles, "expires": row.expires}
    history.record(session, by, Change("user.invite", row.name or _FIRST, after=after, why=why))
    return secret


def _place(place: members.Place) -> str:
    kind = "project" if place.project is not None else "group" if place.group is not None else ""
    return f"{kind}:{place.key}" if kind else EVERYWHERE


def take(session: Session, secret: str, name: str | None, password: str, origin: str) -> Account:
    """Take an invitation: make its user (or give it the password), once. ``name``: where the invitation names none.
    UsageError, MissingError."""
    row = session.get(InvitationRow, _digest(secret))
    if row is None or row.expires <= now_ms():
        raise MissingError("This invitation is not good any more.", "Ask for another one.")
    wanted = row.name or name
    if not wanted:
        raise UsageError("This invitation is for whoever takes it.", "Choose a name.")
    by = Actor(wanted, origin)
    if row.account_id is not None:
        _give_password(session, row, password, by)
    else:
        _make_user(session, row, wanted, password, by)
    session.delete(row)
    found = members.account(session, wanted)
    assert found is not None, "it was made, or was there"
    return found


def _give_password(session: Session, row: InvitationRow, password: str, by: Actor) -> None:
    account = session.get(Account, row.account_id)
    if account is None or account.removed is not None:
        raise MissingError("This invitation is not good any more.", "Ask for another one.")
    accounts.set_password(session, account.name, password, by, "by a one-time link")


def _make_user(session: Session, row: InvitationRow, name: str, password: str, by: Actor) -> None:
    if row.name is None and accounts.users(session):
        raise MissingError("This invitation is not good any more.", "Somebody was the first already.")
    grants = []
    for role, place in json.loads(row.roles):
        found = _place_at(session, place)
        if found is not None:
            grants.append(Grant(Role(role), found))
    accounts.add_user(session, name, password, Start(tuple(grants), row.home), by, "by an invitation")


def _place_at(session: Session, text: str) -> members.Place | None:
    """The place as it is now; None where it is gone."""
    if text == EVERYWHERE:
        return members.Place()
    kind, _, key = text.partition(":")
    if kind == "project":
        found = session.scalar(select(Project).where(Project.id == uuid.UUID(key)))
        return None if found is None else members.Place(project=found)
    group = session.scalar(select(Group).where(Group.id == uuid.UUID(key)))
    return None if group is None else members.Place(group=group)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
