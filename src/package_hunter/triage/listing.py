"""Findings, listed: by filters, a page at a time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, or_, select, true, tuple_
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL, View
from package_hunter.errors import UsageError
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import Verdict
from package_hunter.policy.decide import today
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import FindingRow, StateRow, WordsRow
from package_hunter.store.scoping import scoped
from package_hunter.triage.behaviour import Behaviour, grown
from package_hunter.triage.values import MAX_DAYS, Asks, State

MAX_PAGE = 500
_DAY_MS = 86_400_000
_FEW = 1_000


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
    few = _few(session, view, filters)
    query = query_of(view, filters, order) if few is None else _ordered(FindingRow.id.in_(few), order)
    if after is not None:
        query = query.where(tuple_(*_columns(order)) < tuple_(*_position(after, order)))
    rows: Sequence[FindingRow] = session.scalars(query.limit(min(limit, MAX_PAGE) + 1)).all()
    shown = rows[: min(limit, MAX_PAGE)]
    return Page(shown, _cursor(shown[-1], order) if len(rows) > len(shown) else None)


def query_of(view: View, filters: Filters, order: Order = Order.SEEN) -> Select[FindingRow]:
    """All of them, in order."""
    query = scoped(_ordered(and_(true(), *_wanted(filters)), order), view, FindingRow.project_id)
    if filters.text:
        query = query.where(
            select(WordsRow).where(WordsRow.finding_id == FindingRow.id, _has(filters.text)).exists()
        )
    return query


def _ordered(condition: Any, order: Order) -> Select[FindingRow]:
    return select(FindingRow).where(condition).order_by(*(column.desc() for column in _columns(order)))


def _few(session: Session, view: View, filters: Filters) -> Sequence[uuid.UUID] | None:
    """The ids of all of them, where they are few. Else, or where nobody asks for what is rare, None: then the list's
    own order finds a page soon. (A database that reads in the list's order looks at everything for a page of what is
    rare; without an order it takes the index that fits.)"""
    rare = (
        filters.text,
        filters.older_than,
        filters.newer_than,
        filters.claimed,
        filters.claimed_by,
        filters.expires_in,
        filters.package,
        filters.asks,
    )
    if all(value is None for value in rare):
        return None
    query = select(FindingRow.id).where(*_wanted(filters))
    if filters.text:
        query = query.join(WordsRow, WordsRow.finding_id == FindingRow.id).where(_has(filters.text))
    found = session.scalars(scoped(query, view, FindingRow.project_id).limit(_FEW + 1)).all()
    return found if len(found) <= _FEW else None


def _has(text: str) -> Any:
    return WordsRow.words.contains(text.lower(), autoescape=True)


def _columns(order: Order) -> list[Any]:
    columns: list[Any] = [FindingRow.last_seen, FindingRow.id]
    return [FindingRow.severity, *columns] if order is Order.SEVERITY else columns


def _cursor(row: FindingRow, order: Order) -> str:
    head = f"{row.severity}." if order is Order.SEVERITY else ""
    return f"{head}{row.last_seen}.{row.id}"


def _position(after: str, order: Order) -> list[int | uuid.UUID]:
    parts = after.split(".")
    try:
        if len(parts) != len(_columns(order)) or len(after) > 80:
            raise ValueError
        return [*map(int, parts[:-1]), uuid.UUID(parts[-1])]
    except ValueError:
        raise UsageError("That is no place in this list.", "Give `next` of the page before.") from None


def _wanted(filters: Filters) -> list[Any]:
    now, row = now_ms(), FindingRow
    asked: list[tuple[object, Any]] = [
        (filters.state, row.state == filters.state),
        (filters.asks, row.asks == filters.asks),
        (filters.kind, row.kind == filters.kind),
        (filters.verdict, row.verdict == filters.verdict),
        (filters.fingerprint, row.fingerprint == filters.fingerprint),
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
        found.append(_package(filters.package))
    return found


def _package(said: str) -> Any:
    if said.endswith("*"):
        return FindingRow.package.startswith(said[:-1], autoescape=True)
    return FindingRow.package == said


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
