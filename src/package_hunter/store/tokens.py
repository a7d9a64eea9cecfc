"""Machines' bearer tokens: what they are limited to, when they end, whose they are."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from package_hunter.access import token_form
from package_hunter.access.actor import Actor, command_line
from package_hunter.access.permissions import Permission
from package_hunter.errors import UsageError
from package_hunter.store import history, members, places
from package_hunter.store.access_tables import Account
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.models import Token
from package_hunter.store.starts import Newcomer, Start, begin, check_name

DAY_MS = 86_400_000
USUAL_DAYS = 365
MAX_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Limits:
    """What a new token is limited to, whatever its roles: these permissions (None: any), in these places (None:
    anywhere), until then (ms since the epoch; None: without an end), as a token of this user, whose rights bound
    it. ``delegated``: it needs no roles, and can what its owner can."""

    permissions: tuple[Permission, ...] | None = None
    places: tuple[members.Place, ...] | None = None
    expires: int | None = None
    owner: str | None = None
    delegated: bool = False


NO_LIMITS = Limits()


def expiry(days: int | None) -> int | None:
    """When a token ends that is made now for so many days (None: never); UsageError."""
    if days is None:
        return None
    if not 0 < days <= MAX_DAYS:
        raise UsageError(f"A token is good for 1 to {MAX_DAYS} days.", "Or say that it is never to expire.")
    return now_ms() + days * DAY_MS


def add_token(
    session: Session,
    name: str,
    start: Start | None = None,
    by: Actor | None = None,
    why: str | None = None,
    limits: Limits = NO_LIMITS,
) -> str:
    """Store a new token and return it: it cannot be shown again. UsageError where the name is taken."""
    if session.get(Token, check_name(name)) is not None:
        raise places.TakenError(
            f"There is a token {name!r} already (perhaps revoked).", "Choose another name."
        )
    owner = None if limits.owner is None else _owner(session, limits.owner)
    value = token_form.new_token()
    session.add(
        Token(
            name=name,
            sha256=token_digest(value),
            created=now_ms(),
            expires=limits.expires,
            permissions=_json(limits.permissions),
            places=_json(None if limits.places is None else [place.key for place in limits.places]),
            owner_id=None if owner is None else owner.id,
            delegated=limits.delegated and owner is not None,
        )
    )
    new = Newcomer(token_account(name), "token", None if owner is None else owner.person, _said(limits))
    begin(session, new, start, by or command_line(), why)
    return value


def _owner(session: Session, name: str) -> Account:
    found = members.account(session, name)
    if found is None or found.kind != "user":
        raise places.MissingError(f"There is no user {name[:140]!r}.", "See package-hunter user list.")
    return found


def _json(values: Sequence[str] | None) -> str | None:
    return None if values is None else json.dumps([str(value) for value in values])


def _said(limits: Limits) -> tuple[tuple[str, object], ...]:
    where = None if limits.places is None else [place.name for place in limits.places]
    facts = {
        "expires": limits.expires,
        "owner": limits.owner,
        "delegated": limits.delegated or None,
        "permissions": None if limits.permissions is None else [p.value for p in limits.permissions],
        "places": where,
    }
    return tuple((key, value) for key, value in facts.items() if value is not None)


def token_account(name: str) -> str:
    """The account that a token of this name speaks for."""
    return f"token:{name}"


def token_digest(value: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def tokens(session: Session, owner: uuid.UUID | None = None) -> Sequence[Token]:
    """All tokens (or those of this account) by name, revoked ones too."""
    query = select(Token).order_by(Token.name)
    return session.scalars(query if owner is None else query.where(Token.owner_id == owner)).all()


@dataclass(frozen=True, slots=True)
class Listed:
    """A token with what it may: its owner's name, its roles (each with its place's path), and what it is limited to
    (None: to nothing)."""

    token: Token
    owner: str | None
    roles: tuple[tuple[str, str], ...]
    permissions: tuple[str, ...] | None
    places: tuple[str, ...] | None


def listed(session: Session, owner: uuid.UUID | None = None) -> Sequence[Listed]:
    """The same as `tokens`, with what each may: a handful of queries, however many there are."""
    found = tokens(session, owner)
    owners = {one.owner_id for one in found}
    names = {key: name for key, name in session.execute(select(Account.id, Account.name)) if key in owners}
    account = {name: key for key, name in session.execute(_LIVE_TOKENS)}
    roles = members.all_roles(session, "token")
    paths = places.all_paths(session)
    return [
        Listed(
            one,
            None if one.owner_id is None else names.get(one.owner_id),
            tuple(roles.get(account[token_account(one.name)], ()))
            if token_account(one.name) in account
            else (),
            None if one.permissions is None else tuple(json.loads(one.permissions)),
            None if one.places is None else tuple(paths.get(key, key) for key in json.loads(one.places)),
        )
        for one in found
    ]


_LIVE_TOKENS = select(Account.id, Account.name).where(Account.kind == "token", Account.removed.is_(None))


def revoke_token(session: Session, name: str, by: Actor | None = None, why: str | None = None) -> None:
    """Make a token worthless; UsageError where there is none of that name."""
    token = session.get(Token, name)
    if token is None:
        raise places.MissingError(f"There is no token {name!r}.", "See package-hunter token list.")
    if token.revoked is not None:
        return
    token.revoked = now_ms()
    account = token_account(name)
    before = {"name": account, "roles": members.roles_of(session, account)}
    members.remove_account(session, account)
    history.record(session, by or command_line(), Change("token.revoke", account, before=before, why=why))


def revoke_all_of(session: Session, owner: uuid.UUID, by: Actor, why: str) -> None:
    """Revoke all tokens of this account."""
    for token in tokens(session, owner):
        revoke_token(session, token.name, by, why)


def valid_token(session: Session, value: str) -> Token | None:
    """The token with this value, where it is neither revoked nor expired. Writes nothing."""
    query = select(Token).where(
        Token.sha256 == token_digest(value),
        Token.revoked.is_(None),
        or_(Token.expires.is_(None), Token.expires > now_ms()),
    )
    return session.scalar(query)


def find_token(session: Session, value: str) -> str | None:
    """The name of the valid token with this value, None where there is none. Writes nothing."""
    token = valid_token(session, value)
    return None if token is None else token.name


def token_owner(session: Session, value: str) -> str | None:
    """The name of the valid token with this value, noted as used; None where there is none."""
    token = valid_token(session, value)
    if token is None:
        return None
    token.last_used = now_ms()
    return token.name
