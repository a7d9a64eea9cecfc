"""Findings, listed: by filters, a page at a time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL, View
from package_hunter.errors import UsageError
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import Verdict
from package_hunter.policy.decide import today
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import FindingRow, StateRow, WordsRow
from package_hunter.store.scoping import Q, scoped
from package_hunter.triage.behaviour import Behaviour, grown
from package_hunter.triage.values import MAX_DAYS, Asks, State

MAX_PAGE = 500
_DAY_MS = 86_400_000
_FEW = 1_000
_FENCE = 1_000_000_000
_LAST = "\U0010ffff"  # no text goes on with what is after it
_LISTED = (
    *(FindingRow.last_seen, FindingRow.id, FindingRow.project_id, FindingRow.severity, FindingRow.state),
    *(FindingRow.asks, FindingRow.kind, FindingRow.verdict, FindingRow.detected, FindingRow.claimed_until),
    *(FindingRow.first_seen, FindingRow.package, FindingRow.claimed_by, FindingRow.until),
)


class Order(StrEnum):
    """What comes first."""

    SEEN = "seen"  # what was seen last
    SEVERITY = "severity"  # the gravest, of those what was seen last


@dataclass(frozen=True, slots=True)
class Filters:
    """Which findings; what is None is not asked. ``severity``: this or worse; ``package``: a purl without version, or
    the begin of one and a ``*``; ages in days since it was first seen; ``text``: in title, package, kind or
    fingerprint; ``claimed``: by anybody, or nobody; ``claimed_by``: an account, that is on it now; ``expires_in``: the
    acceptance ends within so many days; ``drill``: of standing drills, or of all else."""

    state: State | None = None
    asks: Asks | None = None
    kind: str | None = None
    severity: str | None = None
    verdict: Verdict | None = None
    package: str | None = None
    fingerprint: str | None = None
    older_than: int | None = None
    newer_than: int | None = None
    detected: bool | None = None
    claimed: bool | None = None
    claimed_by: str | None = None
    expires_in: int | None = None
    drill: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some findings; ``next`` is where the following ones begin, None at the end."""

    rows: Sequence[FindingRow]
    next: str | None


def page(
    session: Session,
    view: View,
    filters: Filters,
    limit: int = 50,
    after: str | None = None,
    order: Order = Order.SEEN,
) -> Page:
    """Findings of the projects that the view sees. UsageError where ``after`` is no `Page.next` of this order."""
    limit = min(limit, MAX_PAGE)
    begin = None if after is None else _position(after, order)
    ids = session.scalars(_asked(session, view, filters, order, begin).limit(limit + 1)).all()
    shown = _whole(session, ids[:limit], order)
    return Page(shown, _cursor(shown[-1], order) if len(ids) > limit else None)


def first(session: Session, view: View, filters: Filters, limit: int) -> Sequence[FindingRow]:
    """So many of them, what was seen last first."""
    ids = session.scalars(_asked(session, view, filters, Order.SEEN).limit(limit)).all()
    return _whole(session, ids, Order.SEEN)


def _asked(
    session: Session, view: View, filters: Filters, order: Order, begin: list[int | uuid.UUID] | None = None
) -> Select[uuid.UUID]:
    """The ids of all of them after ``begin``, in order. Rows are wide: a page of what is rare, or of the little that
    three filters leave, would read them all. So every filter is asked of one index, which holds all that filters ask
    for in the order of the list (`finding_tables`).

    SQLite, which knows no figures of its tables, would take another index for one of the filters, and the rows for the
    rest: into a subquery with a limit it does not look. Its order is the list's."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    inner: Any = select(*_LISTED).where(*_few(session, view, filters))
    if begin is not None:
        inner = inner.where(tuple_(*_columns(FindingRow, order)) < tuple_(*begin))
    if sqlite:
        inner = _in_order(inner, FindingRow, order).limit(_FENCE)
    row = inner.subquery().c
    query = select(row.id).where(*_wanted(row, filters, sqlite))
    if view.projects is not None:
        query = query.where(row.project_id.in_(view.projects))
    if filters.text:
        words = select(WordsRow).where(WordsRow.finding_id == row.id, _has(filters.text))
        query = query.where(words.exists())
    return query if sqlite else _in_order(query, row, order)


def _few(session: Session, view: View, filters: Filters) -> list[Any]:
    """What leaves few by an index of its own."""
    found = []
    if filters.fingerprint is not None:
        found.append(FindingRow.fingerprint == filters.fingerprint)
    elif filters.text and (ids := _said(session, filters.text)) is not None:
        found.append(FindingRow.id.in_(ids))
    elif filters.package is not None and not filters.package.endswith("*"):
        found.append(FindingRow.package == filters.package)
    elif view.projects is not None and len(view.projects) == 1:
        found.append(FindingRow.project_id.in_(view.projects))
    return found


def _said(session: Session, text: str) -> Sequence[uuid.UUID] | None:
    """Which have this text, where they are few."""
    found = session.scalars(select(WordsRow.finding_id).where(_has(text)).limit(_FEW + 1)).all()
    return found if len(found) <= _FEW else None


def _has(text: str) -> Any:
    return WordsRow.words.contains(text.lower(), autoescape=True)


def _whole(session: Session, ids: Sequence[uuid.UUID], order: Order) -> Sequence[FindingRow]:
    return session.scalars(
        _in_order(select(FindingRow).where(FindingRow.id.in_(ids)), FindingRow, order)
    ).all()


def _in_order(query: Q, row: Any, order: Order) -> Q:
    return query.order_by(*(column.desc() for column in _columns(row, order)))


def _columns(row: Any, order: Order) -> list[Any]:
    columns = [row.last_seen, row.id]
    return [row.severity, *columns] if order is Order.SEVERITY else columns


def _cursor(row: FindingRow, order: Order) -> str:
    head = f"{row.severity}." if order is Order.SEVERITY else ""
    return f"{head}{row.last_seen}.{row.id}"


def _position(after: str, order: Order) -> list[int | uuid.UUID]:
    parts = after.split(".")
    try:
        if len(parts) != len(_columns(FindingRow, order)) or len(after) > 80:
            raise ValueError
        return [*map(int, parts[:-1]), uuid.UUID(parts[-1])]
    except ValueError:
        raise UsageError("That is no place in this list.", "Give `next` of the page before.") from None


def _wanted(row: Any, filters: Filters, sqlite: bool) -> list[Any]:
    now = now_ms()
    asked: list[tuple[object, Any]] = [
        (filters.state, row.state == filters.state),
        (filters.asks, row.asks == filters.asks),
        (filters.kind, row.kind == filters.kind),
        (filters.verdict, row.verdict == filters.verdict),
        (filters.detected, row.detected.is_(filters.detected)),
        (filters.claimed or None, row.claimed_until > now),
        (filters.claimed_by, and_(row.claimed_by == filters.claimed_by, row.claimed_until > now)),
        (filters.drill, row.project_id == DRILL if filters.drill else row.project_id != DRILL),
    ]
    found = [condition for value, condition in asked if value is not None]
    if filters.claimed is False:
        found.append(or_(row.claimed_until.is_(None), row.claimed_until <= now))
    if filters.severity is not None:
        found.append(row.severity >= severity_rank(filters.severity))
    if filters.older_than is not None:
        found.append(row.first_seen < now - filters.older_than * _DAY_MS)
    if filters.newer_than is not None:
        found.append(row.first_seen > now - filters.newer_than * _DAY_MS)
    if filters.expires_in is not None:
        last = today() + dt.timedelta(days=min(filters.expires_in, MAX_DAYS))
        found += [row.state == State.ACCEPTED, row.until <= last.isoformat()]
    if filters.package is not None:
        found.append(_package(row, filters.package, sqlite))
    return found


def _package(row: Any, said: str, sqlite: bool) -> Any:
    if not said.endswith("*"):
        return row.package == said
    begin = said[:-1]
    if not sqlite:
        return row.package.startswith(begin, autoescape=True)
    return and_(row.package >= begin, row.package < begin + _LAST)  # by bytes; its LIKE takes A for a


def get(session: Session, view: View, finding_id: uuid.UUID) -> FindingRow | None:
    """The finding, or None where there is none that the view sees."""
    query = scoped(select(FindingRow).where(FindingRow.id == finding_id), view, FindingRow.project_id)
    return session.scalar(query)


def state_of(session: Session, finding: FindingRow) -> StateRow | None:
    """The state that reaches it, whether or not it still holds."""
    return None if finding.place is None else session.get(StateRow, (finding.place, finding.fingerprint))


def changes(session: Session, finding: FindingRow) -> tuple[str, ...]:
    """What it does that it did not when its state was set, sentences."""
    row = state_of(session, finding)
    if row is None or row.behaviour is None:
        return ()
    return grown(Behaviour.from_json(row.behaviour), Behaviour.from_json(finding.behaviour))
