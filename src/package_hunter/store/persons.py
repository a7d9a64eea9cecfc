"""Persons: all accounts and tokens of one human being, so that nobody approves his own proposal by another name."""

from __future__ import annotations

import uuid

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.access_tables import Account
from package_hunter.store.history import Change
from package_hunter.store.places import MissingError
from package_hunter.store.rights import account


def person_of(session: Session, name: str) -> uuid.UUID | None:
    """The person that the account of this name (``ana``, ``token:ci``) is; None where there is no such account (a CI
    job has none). A token with an owner is the owner; one without is nobody else."""
    found = account(session, name)
    return None if found is None else found.person or found.id


def link(session: Session, name: str, other: str, by: Actor, why: str | None = None) -> None:
    """The two accounts, and all that are linked to them, are one person from now on; UsageError."""
    one, two = _user(session, name), _user(session, other)
    if one.person == two.person:
        raise UsageError(f"{name!r} and {other!r} are one person already.", "")
    before, after = two.person, one.person
    session.execute(update(Account).where(Account.person == before).values(person=after))
    said = {"account": name, "other": other}
    history.record(session, by, Change("person.link", name, after=said, why=why))


def _user(session: Session, name: str) -> Account:
    found = account(session, name)
    if found is None or found.kind != "user":
        raise MissingError(f"There is no user {name[:140]!r}.", "See package-hunter user list.")
    return found


def accounts_of(session: Session, person: uuid.UUID) -> list[str]:
    """The names of a person's live accounts and tokens, by name."""
    query = select(Account.name).where(Account.person == person, Account.removed.is_(None))
    return list(session.scalars(query.order_by(Account.name)))
