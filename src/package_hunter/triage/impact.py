"""What a change would do: the newest scan of each line, judged as things stand and as they would stand.

It says which scans would flip, and how many it did not try within its budget. It changes nothing.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING, View
from package_hunter.governance.document import Document
from package_hunter.model.scan import Decision, Verdict
from package_hunter.store.finding_tables import LineRow, OccurrenceRow, ScanResultRow
from package_hunter.store.members import Place
from package_hunter.store.scoping import scoped
from package_hunter.triage.chain import projects_in
from package_hunter.triage.decide import Held
from package_hunter.triage.results import Standing, judge, load

_MAX_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Budget:
    """How many scans are tried, and for how many seconds."""

    scans: int = 2_000
    seconds: float = 10.0


USUAL = Budget()


@dataclass(frozen=True, slots=True)
class Flip:
    """A scan that would come to another decision (or verdict). ``line`` is what was scanned, for people."""

    scan: uuid.UUID
    project: uuid.UUID
    line: str
    before: Decision
    after: Decision
    verdict_before: Verdict
    verdict_after: Verdict


@dataclass(frozen=True, slots=True)
class Impact:
    """``flips`` are those whose decision changes, the newest first, at most a thousand; ``milder`` and ``stricter``
    count all."""

    tried: int
    not_tried: int
    milder: int
    stricter: int
    flips: tuple[Flip, ...]


StatesAfter = Callable[[uuid.UUID], Mapping[str, Held]]
"""Of a project: the states by fingerprint that would reach its findings, beside or in place of what stands."""


def of_policy(
    session: Session,
    place: Place,
    document: Document | None,
    view: View = EVERYTHING,
    budget: Budget = USUAL,
) -> Impact:
    """Of a policy for a scope (None: of there being none)."""
    inside = projects_in(session, place)
    query = _newest(view if inside is None else _only(view, inside))
    after = Standing(session, instead={place.key: document})
    return _compare(session, query, after, lambda _: {}, budget)


def of_states(
    session: Session,
    marks: Mapping[uuid.UUID, Mapping[str, Held]],
    view: View = EVERYTHING,
    budget: Budget = USUAL,
) -> Impact:
    """Of states by project and fingerprint."""
    wanted = {mark for states in marks.values() for mark in states}
    having = select(OccurrenceRow.scan_id).where(OccurrenceRow.fingerprint.in_(wanted))
    query = _newest(_only(view, list(marks))).where(LineRow.last_scan.in_(having))
    return _compare(session, query, Standing(session), lambda project: marks.get(project, {}), budget)


def _only(view: View, projects: Sequence[uuid.UUID]) -> View:
    return View(frozenset(p for p in projects if view.sees(p)))


_Query = Select[ScanResultRow, str]


def _newest(view: View) -> _Query:
    """The result of the newest scan of each line, and what the line is called; newest first."""
    query = select(ScanResultRow, LineRow.name).join(LineRow, LineRow.last_scan == ScanResultRow.scan_id)
    order = LineRow.last_created.desc(), LineRow.project_id, LineRow.key
    query = query.order_by(*order)
    return scoped(query, view, LineRow.project_id)  # type: ignore[type-var]  # of two columns


def _compare(session: Session, query: _Query, after: Standing, states: StatesAfter, budget: Budget) -> Impact:
    before, end = Standing(session), time.monotonic() + budget.seconds
    rows = session.execute(query).all()
    names = {row.scan_id: name for row, name in rows}
    flips, tried = [], 0
    after.ahead({row.project_id for row, _ in rows[: budget.scans]})
    for loaded in load(before, [row for row, _ in rows[: budget.scans]]):
        if time.monotonic() > end:
            break
        tried += 1
        row = loaded.row
        was, now = judge(before, loaded), judge(after, loaded, states(row.project_id))
        if was.decision is not now.decision:
            flip = (was.decision, now.decision, was.verdict, now.verdict)
            flips.append(Flip(row.scan_id, row.project_id, names[row.scan_id], *flip))
    milder = sum(f.after.rank < f.before.rank for f in flips)
    return Impact(tried, len(rows) - tried, milder, len(flips) - milder, tuple(flips[:_MAX_SHOWN]))
