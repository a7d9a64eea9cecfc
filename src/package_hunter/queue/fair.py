"""Whose turn it is: which of the waiting scans is begun next.

The most urgent first. Among those accounts take turns: next is the account with the fewest scans running, and among
such the one whose last scan was begun first; of its projects likewise. So a thousand scans of one account, or of one
project, delay another's by one for each worker. Both queues decide by this; it is told whole in docs/server.md.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from package_hunter.store.database import now_ms
from package_hunter.store.models import JobRow, ProjectTurnRow, Scan, TurnRow

_MALFORMED = 100  # rows whose id cannot be read, passed over


@dataclass(frozen=True, slots=True)
class _Lane:
    """What waits of one account, one project, one priority."""

    priority: int
    submitter: str
    project: uuid.UUID
    order: tuple[int, ...]


def next_job(session: Session, needs: Iterable[str] | None, most_of_project: int) -> JobRow | None:
    """The job whose turn it is, of those whose needs (`JobRow.needs`; None: of any) are given, and of projects with
    fewer than ``most_of_project`` scans running (0: any number)."""
    which = _waits(needs)
    for lane in _lanes(session, which, most_of_project):
        row = _first(session, lane, which)
        if row is not None:
            return row
    return None


def begun(session: Session, submitter: str, project: uuid.UUID) -> None:
    """An account's scan of a project is begun: others' turn is next."""
    last = session.scalar(select(func.max(TurnRow.turn))) or 0
    session.merge(TurnRow(submitter=submitter, turn=last + 1))
    session.merge(ProjectTurnRow(submitter=submitter, project_id=project, turn=last + 1))


def needed(session: Session, can: frozenset[str] | None) -> list[str] | None:
    """What waiting scans need, as `JobRow.needs` has it, as far as who can that may have them; None: no matter."""
    if can is None:
        return None
    said = session.scalars(select(JobRow.needs).where(JobRow.lease.is_(None)).distinct())
    return [needs for needs in said if isinstance(needs, str) and can.issuperset(needs.split())]


def any_waits(session: Session, can: frozenset[str] | None) -> bool:
    """Whether a scan waits that who can that may have."""
    found = select(literal(1)).select_from(JobRow).where(*_waits(needed(session, can)))
    return session.scalar(found.limit(1)) is not None


def _waits(needs: Iterable[str] | None) -> tuple[ColumnElement[bool], ...]:
    """Not begun, in time, and not waiting for the end of another scan of the same."""
    leader, its_scan = aliased(JobRow), aliased(Scan)  # one whose scan cannot be read will never end
    led = select(literal(1)).select_from(leader).join(its_scan, its_scan.id == leader.scan_id)
    alone = or_(JobRow.joined.is_(None), ~led.where(leader.scan_id == JobRow.joined).exists())
    in_time = or_(JobRow.deadline.is_(None), JobRow.deadline > now_ms())
    fits = () if needs is None else (JobRow.needs.in_(list(needs)),)
    return (JobRow.lease.is_(None), alone, in_time, *fits)


def _lanes(session: Session, which: tuple[ColumnElement[bool], ...], most: int) -> Iterator[_Lane]:
    """The lanes that may go, in the order of their turns."""
    accounts: Counter[str] = Counter()
    projects: Counter[uuid.UUID] = Counter()
    both: Counter[tuple[str, uuid.UUID]] = Counter()
    for submitter, project, number in session.execute(_running()):
        accounts[submitter] += number
        projects[project] += number
        both[submitter, project] += number
    found = []
    for row in session.execute(_waiting(which)):
        if row.project_id is None or (most and projects[row.project_id] >= most):
            continue
        running = accounts[row.submitter], both[row.submitter, row.project_id]
        found.append(_lane(row, *running))
    return iter(sorted(found, key=lambda lane: lane.order))


def _lane(row: Row[Any], of_account: int, of_project: int) -> _Lane:
    priority = row.priority if isinstance(row.priority, int) else 0
    order = (-priority, of_account, row.account_turn, of_project, row.project_turn, row.oldest or 0)
    return _Lane(priority, row.submitter, row.project_id, order)


def _running() -> Any:
    counted = select(JobRow.submitter, JobRow.project_id, func.count()).where(JobRow.lease.is_not(None))
    return counted.group_by(JobRow.submitter, JobRow.project_id)


def _waiting(which: tuple[ColumnElement[bool], ...]) -> Any:
    key = (JobRow.priority, JobRow.submitter, JobRow.project_id)
    lanes = select(*key, func.min(JobRow.enqueued).label("oldest")).where(*which).group_by(*key).subquery()
    turns = and_(
        ProjectTurnRow.submitter == lanes.c.submitter, ProjectTurnRow.project_id == lanes.c.project_id
    )
    return (
        select(
            *(lanes.c.priority, lanes.c.submitter, lanes.c.project_id, lanes.c.oldest),
            func.coalesce(TurnRow.turn, 0).label("account_turn"),
            func.coalesce(ProjectTurnRow.turn, 0).label("project_turn"),
        )
        .outerjoin(TurnRow, TurnRow.submitter == lanes.c.submitter)
        .outerjoin(ProjectTurnRow, turns)
    )


def _first(session: Session, lane: _Lane, which: tuple[ColumnElement[bool], ...]) -> JobRow | None:
    """The oldest of a lane; one that names no scan is passed over."""
    of_lane = (
        JobRow.priority == lane.priority,
        JobRow.submitter == lane.submitter,
        JobRow.project_id == lane.project,
    )
    query = select(JobRow).join(Scan, Scan.id == JobRow.scan_id).where(*which, *of_lane)
    rows = session.scalars(query.order_by(JobRow.enqueued, JobRow.scan_id).limit(_MALFORMED + 1))
    return next((row for row in rows if row is not None), None)
