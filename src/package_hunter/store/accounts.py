"""Accounts: users with passwords (HTTP Basic, sessions), and what else can log in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from package_hunter.access import token_form
from package_hunter.access.actor import Actor, command_line
from package_hunter.errors import UsageError
from package_hunter.store import history, members, places
from package_hunter.store.access_tables import Account
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.identity_tables import IdentityRow, RecoveryCodeRow, SessionRow, TotpRow
from package_hunter.store.models import Token, User
from package_hunter.store.passwords import MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, hash_password, kind_of

# part of this module's interface
from package_hunter.store.starts import Grant as Grant
from package_hunter.store.starts import Newcomer, begin
from package_hunter.store.starts import Start as Start
from package_hunter.store.starts import check_name as check_name
from package_hunter.store.starts import lookalike as lookalike
from package_hunter.store.starts import usual_start as usual_start
from package_hunter.store.tokens import add_token as add_token
from package_hunter.store.tokens import find_token as find_token
from package_hunter.store.tokens import revoke_all_of
from package_hunter.store.tokens import revoke_token as revoke_token
from package_hunter.store.tokens import token_account as token_account
from package_hunter.store.tokens import token_digest as token_digest
from package_hunter.store.tokens import token_owner as token_owner
from package_hunter.store.tokens import tokens as tokens


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
    check_password(password)
    require_free(session, name)
    session.add(User(name=name, password=hash_password(password), created=now_ms()))
    begin(session, Newcomer(name, "user"), start, by or command_line(), why)


def check_password(password: str) -> None:
    """UsageError where this cannot be a password."""
    if (
        len(password) < MIN_PASSWORD_CHARS
        or len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES
    ):
        raise UsageError(
            f"The password must have {MIN_PASSWORD_CHARS} characters or more, and {MAX_PASSWORD_BYTES} bytes "
            "at most.",
            "Choose another one.",
        )
    if token_form.is_token(password):  # HTTP Basic would take it for one
        raise UsageError("A token is no password.", "Choose another one.")


def require_free(session: Session, name: str) -> None:
    """TakenError where a user has this name, or one that looks the same; UsageError where none can."""
    if session.get(User, check_name(name)) is not None or members.account(session, name) is not None:
        raise places.TakenError(
            f"There is a user {name!r} already.", "Remove it first: package-hunter user remove."
        )
    other = lookalike(session, name)
    if other is not None:
        raise places.TakenError(
            f"There is, or was, a user {other!r}, whose name looks the same.",
            "Choose a name that nobody mistakes.",
        )


def users(session: Session) -> Sequence[Account]:
    """All users by name, those without a password of ours too."""
    query = select(Account).where(Account.kind == "user", Account.removed.is_(None)).order_by(Account.name)
    return session.scalars(query).all()


def user(session: Session, name: str) -> Account:
    """The user's account; MissingError."""
    found = members.account(session, name)
    if found is None or found.kind != "user":
        raise places.MissingError(f"There is no user {name[:140]!r}.", "See package-hunter user list.")
    return found


def remove_user(session: Session, name: str, by: Actor | None = None, why: str | None = None) -> None:
    """Forget a user: its roles, sessions, tokens, codes and links to identity providers; MissingError where there is
    none of that name."""
    found, by = user(session, name), by or command_line()
    before = {"name": name, "roles": members.roles_of(session, name)}
    revoke_all_of(session, found.id, by, why or f"its owner {name} was removed")
    session.execute(delete(User).where(User.name == name))
    for table in (SessionRow, TotpRow, RecoveryCodeRow, IdentityRow):
        session.execute(delete(table).where(table.account_id == found.id))
    members.remove_account(session, name)
    history.record(session, by, Change("user.remove", name, before=before, why=why))


def set_password(session: Session, name: str, password: str, by: Actor, why: str | None = None) -> None:
    """Give a user a (new) password, and end all its sessions; UsageError, MissingError."""
    check_password(password)
    found, hashed = user(session, name), hash_password(password)
    row = session.get(User, name)
    if row is None:
        session.add(User(name=name, password=hashed, created=now_ms()))
    else:
        row.password = hashed
    session.execute(delete(SessionRow).where(SessionRow.account_id == found.id))
    history.record(session, by, Change("user.password", name, why=why))


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


def any_account(session: Session) -> bool:
    """Whether anybody can log in at all."""
    user = session.scalar(
        select(Account.id).where(Account.kind == "user", Account.removed.is_(None)).limit(1)
    )
    return (
        user is not None
        or session.scalar(select(Token.name).where(Token.revoked.is_(None)).limit(1)) is not None
    )
