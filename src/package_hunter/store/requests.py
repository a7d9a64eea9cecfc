"""Requests that are to be done once, whoever sends them again: reserved, done, answered. For a day."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from package_hunter.store.database import Store, now_ms
from package_hunter.store.request_tables import KeptRequest

KEPT_MS = 86_400_000
LEASE_MS = 60_000
MAX_KEYS = 5_000
"""Of an account, in a day."""


@dataclass(frozen=True, slots=True)
class Name:
    """Whose key it is, and which of the requests that bring it holds it now."""

    account: str
    key: str
    holder: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given."""

    status: int
    body: bytes = b""
    location: str | None = None


class TooManyKeysError(Exception):
    """The account used more keys in a day than are kept."""


def reserve(store: Store, session: Session, name: Name) -> KeptRequest | None:
    """None: the key is the holder's now. Else the request that has it: done, or under way elsewhere."""
    store.lock(session, f"idempotency:{name.account}")
    now = now_ms()
    session.execute(delete(KeptRequest).where(KeptRequest.created < now - KEPT_MS))
    row = session.get(KeptRequest, (name.account, name.key))
    if row is None:
        _require_room(session, name.account)
        made = KeptRequest(account=name.account, key=name.key, created=now, holder=name.holder)
        made.until = now + LEASE_MS
        session.add(made)
        return None
    if row.digest is not None or row.until >= now:
        return row
    row.holder, row.until = name.holder, now + LEASE_MS  # whoever had it is gone, and changed nothing
    return None


def _require_room(session: Session, account: str) -> None:
    query = select(func.count()).select_from(KeptRequest).where(KeptRequest.account == account)
    if (session.scalar(query) or 0) >= MAX_KEYS:
        raise TooManyKeysError


def renew(session: Session, name: Name) -> None:
    """The holder is still at it."""
    session.execute(update(KeptRequest).where(*_held(name)).values(until=now_ms() + LEASE_MS))


def done(session: Session, name: Name, digest: str, answer: Kept | None) -> bool:
    """In the transaction of the change itself: it is made. False where the holder lost the key meanwhile: then it must
    not be made."""
    values = {"digest": digest, **({} if answer is None else _columns(answer))}
    found = session.execute(update(KeptRequest).where(*_held(name)).values(values))
    return bool(found.rowcount)  # type: ignore[attr-defined]


def keep(session: Session, name: Name, answer: Kept) -> None:
    """Keep the answer of what was done."""
    held = _of(name)
    session.execute(update(KeptRequest).where(*held).values(_columns(answer)))


def release(session: Session, name: Name) -> None:
    """Nothing was done: who comes again begins anew."""
    session.execute(delete(KeptRequest).where(*_held(name)))


def _of(name: Name) -> tuple[ColumnElement[bool], ...]:
    mine = KeptRequest.account == name.account, KeptRequest.key == name.key
    return *mine, KeptRequest.holder == name.holder


def _held(name: Name) -> tuple[ColumnElement[bool], ...]:
    return *_of(name), KeptRequest.digest.is_(None)


def _columns(answer: Kept) -> dict[str, object]:
    return {"status": answer.status, "body": answer.body, "location": answer.location}
