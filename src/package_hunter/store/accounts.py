"""Accounts: users with passwords (HTTP Basic) and bearer tokens."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor, command_line
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING, LEGACY
from package_hunter.errors import UsageError
from package_hunter.store import history, members, places
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.models import MAX_NAME, Token, User
from package_hunter.store.passwords import MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, hash_password, kind_of

TOKEN_PREFIX = "ph_"


def check_name(name: str) -> str:
    """The name, if it can be one of an account; UsageError else."""
    if not 0 < len(name) <= MAX_NAME or ":" in name or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"{name[:MAX_NAME]!r} cannot be a name.",
            f"Names have 1 to {MAX_NAME} printable characters, no colon, no space at either end.",
        )
    return name


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


def add_user(
    session: Session,
    name: str,
    password: str,
    start: Start | None = None,
    by: Actor | None = None,
    why: str | None = None,
) -> None:
    """Store a new user; UsageError where the name is taken or the password too short or long. ``start`` None: what is
    usual; ``by`` None: whoever runs this on the command line."""
    if len(password) < MIN_PASSWORD_CHARS or len(password.encode()) > MAX_PASSWORD_BYTES:
        raise UsageError(
            f"The password must have {MIN_PASSWORD_CHARS} characters or more, and {MAX_PASSWORD_BYTES} bytes "
            "at most.",
            "Choose another one.",
        )
    if session.get(User, check_name(name)) is not None:
        raise places.TakenError(
            f"There is a user {name!r} already.", "Remove it first: package-hunter user remove."
        )
    session.add(User(name=name, password=hash_password(password), created=now_ms()))
    _begin(session, name, "user", start, by or command_line(), why)


def _begin(session: Session, name: str, kind: str, start: Start | None, by: Actor, why: str | None) -> None:
    start = start or usual_start(session)
    members.add_account(session, name, kind, start.home)
    history.record(
        session, by, Change(f"{kind}.add", name, after={"name": name, "home": str(start.home)}, why=why)
    )
    for grant in start.grants:
        members.give(session, name, grant.role, grant.place, by, why)


def users(session: Session) -> Sequence[User]:
    """All users by name."""
    return session.scalars(select(User).order_by(User.name)).all()


def remove_user(session: Session, name: str, by: Actor | None = None, why: str | None = None) -> None:
    """Forget a user, and its roles; UsageError where there is none of that name."""
    roles = members.roles_of(session, name)
    gone = session.execute(delete(User).where(User.name == name).returning(User.name)).scalar()
    if gone is None:
        raise places.MissingError(f"There is no user {name!r}.", "See package-hunter user list.")
    members.remove_account(session, name)
    before = {"name": name, "roles": roles}
    history.record(session, by or command_line(), Change("user.remove", name, before=before, why=why))


def stored_password(session: Session, name: str) -> str | None:
    """The user's stored hash, or None."""
    return session.scalar(select(User.password).where(User.name == name))


def renew_hash(session: Session, name: str, old: str, new: str, by: Actor) -> bool:
    """Keep the same password by a hash of today's making; False where it was changed meanwhile (nothing is done)."""
    statement = update(User).where(User.name == name, User.password == old).values(password=new)
    if session.scalar(statement.returning(User.name)) is None:
        return False
    before, after = {"hash": kind_of(old)}, {"hash": kind_of(new)}
    history.record(session, by, Change("user.rehash", name, before=before, after=after))
    return True


def add_token(
    session: Session,
    name: str,
    start: Start | None = None,
    by: Actor | None = None,
    why: str | None = None,
) -> str:
    """Store a new token and return it: it cannot be shown again. UsageError where the name is taken."""
    if session.get(Token, check_name(name)) is not None:
        raise places.TakenError(
            f"There is a token {name!r} already (perhaps revoked).", "Choose another name."
        )
    value = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(Token(name=name, sha256=token_digest(value), created=now_ms()))
    _begin(session, token_account(name), "token", start, by or command_line(), why)
    return value


def token_account(name: str) -> str:
    """The account that a token of this name speaks for."""
    return f"token:{name}"


def token_digest(value: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def tokens(session: Session) -> Sequence[Token]:
    """All tokens by name, revoked ones too."""
    return session.scalars(select(Token).order_by(Token.name)).all()


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


def find_token(session: Session, value: str) -> str | None:
    """The name of the valid token with this value, None where there is none. Writes nothing."""
    token = _valid_token(session, value)
    return None if token is None else token.name


def token_owner(session: Session, value: str) -> str | None:
    """The name of the valid token with this value, noted as used; None where there is none."""
    token = _valid_token(session, value)
    if token is None:
        return None
    token.last_used = now_ms()
    return token.name


def _valid_token(session: Session, value: str) -> Token | None:
    query = select(Token).where(Token.sha256 == token_digest(value), Token.revoked.is_(None))
    return session.scalar(query)


def any_account(session: Session) -> bool:
    """Whether anybody can log in at all."""
    user = session.scalar(select(User.name).limit(1))
    return (
        user is not None
        or session.scalar(select(Token.name).where(Token.revoked.is_(None)).limit(1)) is not None
    )
