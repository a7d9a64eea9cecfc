"""Users as whoever administers them lists them: roles, and how each can sign in."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.store import accounts, members
from package_hunter.store.access_tables import Account
from package_hunter.store.database import now_ms
from package_hunter.store.identity_tables import IdentityRow, ProviderRow, SessionRow, TotpRow
from package_hunter.store.models import User
from package_hunter.store.sessions import Times


@dataclass(frozen=True, slots=True)
class Listed:
    """A user. ``roles``: role and place; ``codes``: one-time codes are in force; ``locked`` (since), ``created`` and
    ``seen`` in ms since the epoch; ``sessions`` that have not ended."""

    name: str
    created: int
    roles: tuple[tuple[str, str], ...]
    password: bool
    codes: bool
    locked: int | None
    sessions: int
    seen: int | None
    providers: tuple[str, ...]


def listed(session: Session, times: Times) -> Sequence[Listed]:
    """All users, by name: a handful of queries, however many there are."""
    roles = members.all_roles(session, "user")
    totp = {row.account_id: row for row in session.scalars(select(TotpRow))}
    live = _sessions(session, times)
    known = _providers(session)
    passwords = set(session.scalars(select(User.name)))
    return [
        _one(one, tuple(roles.get(one.id, ())), totp.get(one.id), live.get(one.id), known[one.id], passwords)
        for one in accounts.users(session)
    ]


def _one(
    account: Account,
    roles: tuple[tuple[str, str], ...],
    totp: TotpRow | None,
    live: tuple[int, int] | None,
    providers: list[str],
    passwords: set[str],
) -> Listed:
    return Listed(
        name=account.name,
        created=account.created,
        roles=roles,
        password=account.name in passwords,
        codes=totp is not None and totp.confirmed is not None,
        locked=None if totp is None else totp.locked,
        sessions=0 if live is None else live[0],
        seen=None if live is None else live[1],
        providers=tuple(providers),
    )


def _sessions(session: Session, times: Times) -> dict[uuid.UUID, tuple[int, int]]:
    """By account: how many, and when one was last used."""
    now = now_ms()
    query = (
        select(SessionRow.account_id, func.count(), func.max(SessionRow.seen))
        .where(SessionRow.ends > now, SessionRow.seen > now - times.idle)
        .group_by(SessionRow.account_id)
    )
    return {key: (number, seen) for key, number, seen in session.execute(query)}


def _providers(session: Session) -> dict[uuid.UUID, list[str]]:
    query = (
        select(IdentityRow.account_id, ProviderRow.name)
        .join(ProviderRow, ProviderRow.id == IdentityRow.provider_id)
        .order_by(ProviderRow.name)
    )
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for key, name in session.execute(query):
        found[key].append(name)
    return found
