"""Lists of findings that somebody keeps under a name, for himself alone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.store import members
from package_hunter.store.access_tables import Account
from package_hunter.store.database import now_ms
from package_hunter.store.places import MissingError
from package_hunter.store.view_tables import MAX_VIEW_NAME, SavedView

MAX_VIEWS = 50
"""Of one account."""


def listed(session: Session, account: str) -> Sequence[SavedView]:
    """Those of the account, by name."""
    query = select(SavedView).where(SavedView.account_id == _of(session, account).id)
    return session.scalars(query.order_by(SavedView.name)).all()


def keep(session: Session, account: str, name: str, query: str) -> SavedView:
    """Keep a list, in place of one of this name. UsageError: the name is none, or there are too many."""
    name = name.strip()
    if not name or len(name) > MAX_VIEW_NAME or not name.isprintable():
        raise UsageError(f"A name has 1 to {MAX_VIEW_NAME} characters that can be seen.", "Choose another.")
    owner = _of(session, account)
    found = session.get(SavedView, (owner.id, name))
    if found is None:
        number = select(func.count()).select_from(SavedView).where(SavedView.account_id == owner.id)
        if (session.scalar(number) or 0) >= MAX_VIEWS:
            raise UsageError(f"These are {MAX_VIEWS} lists already.", "Forget one of them first.")
        found = SavedView(account_id=owner.id, name=name, created=now_ms())
        session.add(found)
    found.query = query
    session.flush()
    return found


def forget(session: Session, account: str, name: str) -> None:
    """Keep it no longer; MissingError."""
    owner = _of(session, account)
    mine = SavedView.account_id == owner.id, SavedView.name == name
    if session.scalar(delete(SavedView).where(*mine).returning(SavedView.name)) is None:
        raise MissingError(f"You keep no list {name[:MAX_VIEW_NAME]!r}.", "GET /api/v1/me/views lists yours.")


def _of(session: Session, account: str) -> Account:
    found = members.account(session, account)
    if found is None:
        raise MissingError("This account keeps no lists.", "Sign in as a user.")
    return found
