"""Whose turn it is: which of the waiting scans is begun next.

The most urgent first. Among those accounts take turns: next is the account with the fewest scans running, and among
such the one whose last scan was begun first; of its projects likewise. So a thousand scans of one account, or of one
project, delay another's by one for each worker. Both queues decide by this; docs/server.md tells it whole.

What waits of an account in a project is a *lane*, a row of ``project_turns``: a decision looks at each lane's first
scan and not at ten thousand of them. All is SQL that both databases have, built once: it is asked at each claim.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Text, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from package_hunter.store.database import now_ms
from package_hunter.store.models import JobRow, Scan
from package_hunter.store.types import Id

_MALFORMED = 100  # rows whose id cannot be read, passed over
_KEPT_TURNS = 100_000  # a project whose last scan was begun so long ago is as one that never had any

_FENCE = 1_000_000_000  # PostgreSQL looks through a subquery without a limit, and would ask each lane before it sorts
_NEVER = 1 << 53  # ms; turns of lanes that had none are below zero: among those, who came first is first
# Not begun, in time, and not waiting for the end of another scan of the same (one that cannot be read never ends).
_WAITS = """jobs.lease IS NULL AND (jobs.deadline IS NULL OR jobs.deadline > :now)
  AND (jobs.joined IS NULL OR NOT EXISTS (
    SELECT 1 FROM jobs AS leader JOIN scans ON scans.id = leader.scan_id WHERE leader.scan_id = jobs.joined))"""
_WAITING, _FITS = _WAITS + " {fits}", "AND jobs.needs IN :needs"
_RUNNING = "SELECT {0}, count(*) AS number FROM jobs WHERE lease IS NOT NULL GROUP BY {0}"
# All lanes in the order of turns, which are small rows; then each is asked for its first scan, until there are enough.
_LANES = f"""
SELECT * FROM (SELECT lanes.submitter, lanes.project_id, (
  SELECT jobs.scan_id FROM jobs WHERE jobs.submitter = lanes.submitter AND jobs.project_id = lanes.project_id
    AND jobs.priority = :priority AND {_WAITING} ORDER BY jobs.enqueued, jobs.scan_id LIMIT 1) AS first
FROM (SELECT p.submitter, p.project_id
  FROM project_turns AS p JOIN turns AS t ON t.submitter = p.submitter
  LEFT JOIN ({_RUNNING.format("submitter")}) AS account ON account.submitter = p.submitter
  LEFT JOIN ({_RUNNING.format("project_id")}) AS project ON project.project_id = p.project_id
  LEFT JOIN ({_RUNNING.format("submitter, project_id")}) AS lane
    ON lane.submitter = p.submitter AND lane.project_id = p.project_id
  WHERE :most = 0 OR coalesce(project.number, 0) < :most
  ORDER BY coalesce(account.number, 0), t.turn, coalesce(lane.number, 0), p.turn LIMIT {_FENCE}) AS lanes) AS asked
WHERE first IS NOT NULL LIMIT :lanes"""  # noqa: S608 - ours
# each value that a column of waiting jobs has, by an index: neither database skips in DISTINCT by itself
_EACH = """WITH RECURSIVE found(value) AS (
  SELECT {pick}({column}) FROM jobs WHERE lease IS NULL UNION ALL
  SELECT (SELECT {pick}({column}) FROM jobs WHERE lease IS NULL AND {column} {beyond} found.value)
  FROM found WHERE found.value IS NOT NULL)
SELECT value FROM found WHERE value IS NOT NULL"""
_NEEDS = text(_EACH.format(pick="min", column="needs", beyond=">"))
_PRIORITIES = text(_EACH.format(pick="max", column="priority", beyond="<"))
_NEW_TURN = text("INSERT INTO turns (submitter, turn) VALUES (:submitter, :turn) ON CONFLICT DO NOTHING")
_NEW_LANE = text(
    "INSERT INTO project_turns (submitter, project_id, turn) VALUES (:submitter, :project, :turn) "
    "ON CONFLICT DO NOTHING"
).bindparams(bindparam("project", type_=Id))
_BEGUN = text(
    "UPDATE turns SET turn = coalesce((SELECT max(turn) FROM turns WHERE turn > 0), 0) + 1 "
    "WHERE submitter = :submitter RETURNING turn"
)
_LANE_BEGUN = text(
    "UPDATE project_turns SET turn = :turn WHERE submitter = :submitter AND project_id = :project"
).bindparams(bindparam("project", type_=Id))

_FORGET = text(
    "DELETE FROM project_turns WHERE turn < :before AND NOT EXISTS (SELECT 1 FROM jobs WHERE "
    "jobs.submitter = project_turns.submitter AND jobs.project_id = project_turns.project_id)"
)


def _asked(statement: str, fits: bool) -> TextClause:
    """The statement, of those whose needs are among ``:needs``, or of any."""
    if not fits:
        return text(statement.replace("{fits}", ""))
    return text(statement.replace("{fits}", _FITS)).bindparams(bindparam("needs", expanding=True, type_=Text))


_NEXT_LANES = {fits: _asked(_LANES, fits).columns(project_id=Id, first=Id) for fits in (False, True)}
_ANY = {fits: _asked("SELECT 1 FROM jobs WHERE " + _WAITING + " LIMIT 1", fits) for fits in (False, True)}  # noqa: S608
_ROWS = {
    fits: select(JobRow)
    .join(Scan, Scan.id == JobRow.scan_id)
    .where(
        _asked(_WAITING, fits),
        JobRow.submitter == bindparam("submitter"),
        JobRow.project_id == bindparam("project", type_=Id),
        JobRow.priority == bindparam("priority"),
    )
    .order_by(JobRow.enqueued, JobRow.scan_id)
    .limit(_MALFORMED + 1)
    for fits in (False, True)
}


def join(session: Session, submitter: str, project: uuid.UUID) -> None:
    """A scan of this account and project waits: they have a lane."""
    turn = now_ms() - _NEVER
    session.execute(_NEW_TURN, {"submitter": submitter, "turn": turn})
    session.execute(_NEW_LANE, {"submitter": submitter, "project": project, "turn": turn})


def next_jobs(
    session: Session, needs: Iterable[str] | None, most_of_project: int, number: int = 1
) -> list[JobRow]:
    """The job whose turn it is, of those whose needs (`JobRow.needs`; None: of any) are given, and of projects with
    fewer than ``most_of_project`` scans running (0: any number); and of so many more lanes the first, as things are."""
    found: list[JobRow] = []
    asked: dict[str, Any] = {"now": now_ms(), "most": most_of_project}
    if needs is not None:
        asked["needs"] = list(needs)
    for priority in session.scalars(_PRIORITIES).all():
        found += _of_priority(session, {**asked, "priority": priority}, number - len(found))
        if len(found) == number:
            break
    return found


def _of_priority(session: Session, asked: dict[str, Any], number: int) -> list[JobRow]:
    """Likewise, of one priority. Where a row is malformed more are looked at."""
    for lanes in (number, _MALFORMED + number):
        found = session.execute(_NEXT_LANES["needs" in asked], {**asked, "lanes": lanes}).all()
        known = _rows(session, [lane.first for lane in found])
        rows = [
            known.get(one.first) or _first(session, one.submitter, one.project_id, asked) for one in found
        ]
        whole = [row for row in rows if row is not None]
        if len(whole) >= number or len(found) < lanes:
            break
    return whole[:number]


def begun(session: Session, submitter: str, project: uuid.UUID) -> None:
    """An account's scan of a project is begun: others' turn is next."""
    turn = session.scalar(_BEGUN, {"submitter": submitter})
    session.execute(_LANE_BEGUN, {"submitter": submitter, "project": project, "turn": turn})
    if turn % (_KEPT_TURNS // 10) == 0:
        forget(session, turn - _KEPT_TURNS)


def forget(session: Session, before: int) -> None:
    """Drop the lanes in which nothing waits, and was begun before that turn."""
    session.execute(_FORGET, {"before": before})


def waiting_needs(session: Session) -> Sequence[str]:
    """What waiting scans need, as `JobRow.needs` has it: each once."""
    return [needs for needs in session.scalars(_NEEDS) if isinstance(needs, str)]


def needed(session: Session, can: frozenset[str] | None) -> list[str] | None:
    """Likewise, as far as who can that may have them; None: no matter."""
    return None if can is None else fitting(waiting_needs(session), can)


def fitting(waiting: Sequence[str], can: frozenset[str]) -> list[str]:
    """Those needs that who can that meets."""
    return [needs for needs in waiting if can.issuperset(needs.split())]


def any_waits(session: Session, can: frozenset[str] | None) -> bool:
    """Whether a scan waits that who can that may have."""
    needs = needed(session, can)
    asked = {"now": now_ms()} if needs is None else {"now": now_ms(), "needs": needs}
    return session.scalar(_ANY[needs is not None], asked) is not None


def _rows(session: Session, ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, JobRow]:
    """Those jobs; one that names no scan is not among them."""
    asked = select(JobRow).join(Scan, Scan.id == JobRow.scan_id)
    wanted = asked.where(JobRow.scan_id.in_([one for one in ids if one is not None]))
    found: Sequence[JobRow | None] = session.scalars(wanted).all()
    return {row.scan_id: row for row in found if row is not None}


def _first(
    session: Session, submitter: str, project: uuid.UUID | None, asked: dict[str, Any]
) -> JobRow | None:
    """The oldest of a lane; one that names no scan is passed over."""
    said = {**asked, "submitter": submitter, "project": project}
    rows: Sequence[JobRow | None] = session.scalars(_ROWS["needs" in asked], said).all()
    return next((row for row in rows if row is not None), None)
