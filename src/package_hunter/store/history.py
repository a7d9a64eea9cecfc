"""The history: each change says in its own transaction who made it, from where, what it was and why."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.model.text import well_formed
from package_hunter.store.database import now_ms
from package_hunter.store.history_tables import HistoryRow, SealRow, UnsealedRow

MAX_WHY = 2_000
_MAX_OBJECT = 512

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed: ``action`` is ``thing.verb`` (``user.add``), ``what`` the thing's name. ``before`` and
    ``after`` are null where there was, or is, nothing. Secrets do not belong in them."""

    action: str
    what: str
    before: Values | None = None
    after: Values | None = None
    why: str | None = None
    project: uuid.UUID | None = None


def record(session: Session, by: Actor, change: Change) -> None:
    """Write a change into the history, in the transaction that makes it."""
    row = HistoryRow(
        time=now_ms(),
        who=_storable(by.name)[:160],
        origin=_storable(by.origin)[:64],
        action=change.action,
        object=_storable(change.what)[:_MAX_OBJECT],
        project_id=change.project,
        before=_json(change.before),
        after=_json(change.after),
        why=None if change.why is None else _storable(change.why)[:MAX_WHY],
    )
    session.add(row)
    session.flush()
    session.add(UnsealedRow(entry_id=row.id, time=row.time))


def _storable(text: str) -> str:
    """As every database can keep it, so that no crafted name keeps a change from being told: PostgreSQL has no NUL, and
    nothing has lone surrogates. The rest is kept as it is, and shown harmlessly."""
    return well_formed(text).replace("\x00", "\\x00")


def _json(values: Values | None) -> str | None:
    return None if values is None else json.dumps(values, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Further:
    """What else entries must be, and in which order they come. ``object``: the name of what was changed, whole; times
    in ms since the epoch, ``until`` exclusive."""

    origin: str | None = None
    object: str | None = None
    project: uuid.UUID | None = None
    since: int | None = None
    until: int | None = None
    newest_first: bool = False


ANY = Further()


def entries(
    session: Session,
    limit: int,
    after: int = 0,
    action: str | None = None,
    who: str | None = None,
    further: Further = ANY,
) -> Sequence[HistoryRow]:
    """Up to ``limit`` entries, oldest first where nothing else is asked for: those that follow the one of the number
    ``after`` (0: from the beginning of the list). ``action``: one (``user.add``), or all of a thing (``user``)."""
    number, newest_first = HistoryRow.id, further.newest_first
    query = select(HistoryRow).order_by(number.desc() if newest_first else number).limit(limit)
    if after:
        query = query.where(number < after if newest_first else number > after)
    if action is not None:
        said = HistoryRow.action
        query = query.where(
            said == action if "." in action else said.startswith(f"{action}.", autoescape=True)
        )
    if who is not None:
        query = query.where(HistoryRow.who == who)
    return session.scalars(query.where(*_conditions(further))).all()


def _conditions(further: Further) -> list[ColumnElement[bool]]:
    row, found = HistoryRow, []
    if further.origin is not None:
        found.append(row.origin == further.origin)
    if further.object is not None:
        found.append(row.object == further.object)
    if further.project is not None:
        found.append(row.project_id == further.project)
    if further.since is not None:
        found.append(row.time >= further.since)
    if further.until is not None:
        found.append(row.time < further.until)
    return found


def positions(session: Session, rows: Sequence[HistoryRow]) -> dict[int, int]:
    """By their numbers: the places of these entries in the chain; who is not in it waits for its seal."""
    query = select(SealRow.entry_id, SealRow.position).where(SealRow.entry_id.in_([row.id for row in rows]))
    return {row.entry_id: row.position for row in session.execute(query)}


def about(
    session: Session, actions: Sequence[str], things: Sequence[str], project: uuid.UUID, limit: int
) -> Sequence[HistoryRow]:
    """The newest ``limit`` changes of these kinds of things of these names, in this project or of none in particular,
    newest first."""
    here = or_(HistoryRow.project_id.is_(None), HistoryRow.project_id == project)
    query = select(HistoryRow).where(HistoryRow.object.in_(things), HistoryRow.action.in_(actions), here)
    return session.scalars(query.order_by(HistoryRow.id.desc()).limit(limit)).all()
