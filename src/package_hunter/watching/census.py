"""What the store says of the whole service at one moment: of all its processes and machines, whichever is asked.

Labels are bounded: of projects the busiest are named, the rest is one. What stands in a row and is none of our words
(whoever could write the store's file may have put it there) is ``other``.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL
from package_hunter.model.priority import Priority
from package_hunter.model.scan import Verdict
from package_hunter.store.access_tables import MAX_PATH, Project
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.database import now_ms
from package_hunter.store.models import ChoreRow, JobRow, Scan, WorkerRow
from package_hunter.store.watching_tables import StepsRow
from package_hunter.store.worker_states import State, lost_before, state_of

BUSIEST = 20
"""Projects that are named."""
REST = "(other)"
"""All other projects together: no project can be called so."""
OTHER = "other"
_DAY_MS = 86_400_000
_MAX_CHORES = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """Scans of one priority: how many wait and run, and when the first of those that wait came (ms since the epoch)."""

    waiting: int = 0
    running: int = 0
    oldest: int | None = None


@dataclass(frozen=True, slots=True)
class Chore:
    """When it was done last (ms since the epoch), and whether that went wrong."""

    name: str
    done: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Census:
    """``queue`` by priority; ``projects``: by path, how many wait and run; ``day``: by path and verdict, the results of
    scans of the last day; ``workers`` by state; ``traces`` that wait to be sent; ``dead`` letters."""

    queue: Mapping[str, Waiting]
    projects: Mapping[str, tuple[int, int]]
    day: Mapping[tuple[str, str], int]
    workers: Mapping[str, int]
    chores: tuple[Chore, ...]
    traces: int
    dead: int


def take(session: Session, lease_seconds: float) -> Census:
    """Now. ``lease_seconds``: the setting, by which workers are taken to be lost."""
    return Census(
        queue=queue(session),
        projects=_projects(session),
        day=_day(session),
        workers=_workers(session, lease_seconds),
        chores=_chores(session),
        traces=_number(session, StepsRow.due.is_not(None)),
        dead=dead(session),
    )


def _number(session: Session, which: object) -> int:
    return session.scalar(select(func.count()).where(which)) or 0  # type: ignore[arg-type]


def dead(session: Session) -> int:
    """How many dead letters there are."""
    return _number(session, Scan.dead.is_not(None))


_WAITS = case((JobRow.lease.is_(None), 1), else_=0)


def queue(session: Session) -> dict[str, Waiting]:
    """By priority, the least urgent first."""
    first = func.min(case((JobRow.lease.is_(None), JobRow.enqueued)))
    query = select(JobRow.priority, func.sum(_WAITS), func.count(), first).group_by(JobRow.priority)
    found = {one.word: Waiting() for one in Priority}
    for priority, waiting, together, oldest in session.execute(query):
        word = Priority(priority).word if priority in set(Priority) else OTHER
        found[word] = Waiting(int(waiting), together - int(waiting), oldest)
    return found


def _projects(session: Session) -> dict[str, tuple[int, int]]:
    query = (
        select(JobRow.project_id, func.sum(_WAITS), func.count())
        .where(JobRow.project_id != DRILL)
        .group_by(JobRow.project_id)
    )
    found = {
        key: (int(waiting), together - int(waiting)) for key, waiting, together in session.execute(query)
    }
    names = _named(session, Counter({key: sum(both) for key, both in found.items()}))
    sums: dict[str, tuple[int, int]] = {}
    for key, (waiting, running) in found.items():
        path = names.get(key, REST)
        before = sums.get(path, (0, 0))
        sums[path] = before[0] + waiting, before[1] + running
    return sums


def _day(session: Session) -> dict[tuple[str, str], int]:
    since = now_ms() - _DAY_MS
    query = (
        select(Scan.project_id, Scan.verdict, func.count())
        .where(Scan.created >= since, Scan.verdict.is_not(None), Scan.project_id != DRILL)
        .group_by(Scan.project_id, Scan.verdict)
    )
    rows = [
        (key, verdict if verdict in set(Verdict) else OTHER, n) for key, verdict, n in session.execute(query)
    ]
    totals: Counter[uuid.UUID | None] = Counter()
    for key, _, number in rows:
        totals[key] += number
    names = _named(session, totals)
    sums: Counter[tuple[str, str]] = Counter()
    for key, verdict, number in rows:
        sums[names.get(key, REST), verdict] += number
    return dict(sums)


def _named(session: Session, totals: Counter[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    """The paths of the busiest; the same ones where several are equal."""
    known = [key for key in totals if key is not None]
    busiest = sorted(known, key=lambda key: (-totals[key], key))[:BUSIEST]
    return {key: path[:MAX_PATH] for key, path in _paths(session, busiest)}


def _paths(session: Session, keys: Collection[uuid.UUID]) -> Iterable[tuple[uuid.UUID, str]]:
    query = select(Project.id, Project.path).where(Project.id.in_(keys))
    return [(key, path) for key, path in session.execute(query)]


def _workers(session: Session, lease_seconds: float) -> dict[str, int]:
    busy = set(session.scalars(select(JobRow.worker).where(JobRow.lease.is_not(None))))
    found = {state.value: 0 for state in State}
    since = lost_before(now_ms(), lease_seconds)
    for row in session.scalars(select(WorkerRow)):
        found[state_of(row, row.name in busy, since).value] += 1
    return found


def artefacts(session: Session) -> dict[str, tuple[int, int]]:
    """By kind: how many there are and their bytes, each counted once, however many refer to it. It looks at all of
    them: not to be asked at each scrape."""
    once = select(ArtefactRef.kind, ArtefactRef.digest, func.max(ArtefactRef.size).label("size"))
    table = once.group_by(ArtefactRef.kind, ArtefactRef.digest).subquery()
    query = select(table.c.kind, func.count(), func.sum(table.c.size)).group_by(table.c.kind)
    return {str(kind)[:32]: (number, int(size or 0)) for kind, number, size in session.execute(query)}


def _chores(session: Session) -> tuple[Chore, ...]:
    rows = session.scalars(select(ChoreRow).order_by(ChoreRow.name).limit(_MAX_CHORES))
    return tuple(Chore(row.name, row.done or 0, row.error is not None) for row in rows if row is not None)
