"""Sessions of people: kept here, not in the browser, which has a random secret alone."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.config import Settings
from package_hunter.store import history
from package_hunter.store.access_tables import Account
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.identity_tables import SessionRow
from package_hunter.store.places import MissingError

_GRACE_MS = 60_000  # a secret before the last goes on for so long: requests were under way with it
_MAX_OF_ACCOUNT = 50  # then the one that was seen last ends
_MAX_AGENT = 200


@dataclass(frozen=True, slots=True)
class Times:
    """How long a session lasts, in ms: unused, and at all."""

    idle: int
    whole: int

    @classmethod
    def of(cls, settings: Settings) -> Times:
        """As the settings say."""
        return cls(int(settings.session_idle_seconds * 1_000), int(settings.session_seconds * 1_000))


@dataclass(frozen=True, slots=True)
class Begun:
    """A session and its secret, which is told this once."""

    row: SessionRow
    secret: str


@dataclass(frozen=True, slots=True)
class Live:
    """A session that holds, whose it is, and until when by itself (ms). ``outdated``: the account's rights changed
    since its secret was made."""

    row: SessionRow
    account: str
    until: int
    outdated: bool


def begin(session: Session, account: Account, method: str, times: Times, by: Actor, agent: str = "") -> Begun:
    """A new session, of somebody who has just shown who he is (by ``method``)."""
    _end_too_many(session, account, times)
    now, secret = now_ms(), secrets.token_urlsafe(32)
    row = SessionRow(
        id=uuid.uuid4(),
        account_id=account.id,
        sha256=_digest(secret),
        csrf=secrets.token_urlsafe(32),
        rights=account.rights,
        method=method,
        origin=by.origin[:64],
        agent="".join(c for c in agent if c.isprintable())[:_MAX_AGENT],
        created=now,
        seen=now,
        authenticated=now,
        ends=now + times.whole,
    )
    session.add(row)
    said = {"session": str(row.id), "method": method}
    history.record(session, by, Change("session.add", account.name, after=said))
    return Begun(row, secret)


def _end_too_many(session: Session, account: Account, times: Times) -> None:
    now = now_ms()
    dead = or_(SessionRow.ends <= now, SessionRow.seen <= now - times.idle)
    session.execute(delete(SessionRow).where(dead))
    kept = select(SessionRow).where(SessionRow.account_id == account.id).order_by(SessionRow.seen.desc())
    for row in session.scalars(kept.offset(_MAX_OF_ACCOUNT - 1)).all():
        session.delete(row)


def find(session: Session, secret: str, times: Times) -> Live | None:
    """The session of this secret, if it holds. Writes nothing."""
    digest, now = _digest(secret), now_ms()
    before: ColumnElement[bool] = (SessionRow.previous == digest) & (SessionRow.previous_until > now)
    query = (
        select(SessionRow, Account)
        .join(Account, Account.id == SessionRow.account_id)
        .where(or_(SessionRow.sha256 == digest, before), Account.removed.is_(None))
    )
    found = session.execute(query).first()
    if found is None:
        return None
    row, account = found
    until = min(row.ends, row.seen + times.idle)
    if until <= now:
        return None
    if row.sha256 != digest:
        return Live(row, account.name, min(until, row.previous_until or 0), outdated=False)
    return Live(row, account.name, until, outdated=row.rights != account.rights)


def rotate(session: Session, secret: str, times: Times) -> str | None:
    """A new secret for a session whose account's rights changed; None where another request did it already, or the
    session ended meanwhile."""
    live = find(session, secret, times)
    if live is None or not live.outdated:
        return None
    account = session.get(Account, live.row.account_id)
    assert account is not None, "the session was found by it"
    return _new_secret(live.row, account)


def _new_secret(row: SessionRow, account: Account) -> str:
    new = secrets.token_urlsafe(32)
    row.previous, row.previous_until = row.sha256, now_ms() + _GRACE_MS
    row.sha256, row.rights = _digest(new), account.rights
    return new


def note_seen(session: Session, key: uuid.UUID) -> None:
    """The session was used just now."""
    row = session.get(SessionRow, key)
    if row is not None:
        row.seen = now_ms()


def confirmed(session: Session, key: uuid.UUID, by: Actor, method: str) -> None:
    """The person showed once more who he is. MissingError."""
    row = session.get(SessionRow, key)
    if row is None:
        raise MissingError("There is no such session.", "Sign in again.")
    row.authenticated = now_ms()
    said = {"session": str(key), "method": method}
    history.record(session, by, Change("session.confirm", by.name, after=said))


def of_account(session: Session, account: Account, times: Times) -> Sequence[SessionRow]:
    """The account's sessions that hold, the one seen last first."""
    now = now_ms()
    query = select(SessionRow).where(
        SessionRow.account_id == account.id, SessionRow.ends > now, SessionRow.seen > now - times.idle
    )
    return session.scalars(query.order_by(SessionRow.seen.desc(), SessionRow.id)).all()


def end(session: Session, account: Account, key: uuid.UUID, by: Actor) -> None:
    """End one of the account's sessions; MissingError where it has none of this id."""
    row = session.get(SessionRow, key)
    if row is None or row.account_id != account.id:
        raise MissingError("There is no such session.", "")
    session.delete(row)
    history.record(session, by, Change("session.end", account.name, before={"session": str(key)}))


def end_all(
    session: Session, account: Account, by: Actor, but: uuid.UUID | None = None, why: str | None = None
) -> int:
    """End the account's sessions (but one); how many there were."""
    query = select(SessionRow).where(SessionRow.account_id == account.id)
    rows = [row for row in session.scalars(query) if row.id != but]
    for row in rows:
        session.delete(row)
    if rows:
        history.record(session, by, Change("session.end", account.name, before={"count": len(rows)}, why=why))
    return len(rows)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
