"""Thirteen weeks: what scans found, how long they took, and how long findings waited for a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL, View
from package_hunter.model.scan import ScanStatus
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.models import Scan
from package_hunter.store.scoping import scoped
from package_hunter.triage.values import State

WEEKS = 13
WEEK_MS = 7 * 86_400_000


@dataclass(slots=True)
class Week:
    """``begin``: ms since the epoch. ``verdicts``: of the scans accepted in it, by verdict, and how many ``failed``.
    Medians, None where there was nothing: ``answer_ms`` from a scan's submission to its verdict (of those that ran),
    ``decision_ms`` from a finding's first sight to the state that somebody set in this week."""

    begin: int
    verdicts: Counter[str] = field(default_factory=Counter)
    answer_ms: int | None = None
    decision_ms: int | None = None


def weeks(session: Session, scans: View, findings: View, now: int) -> list[Week]:
    """The last weeks, oldest first, drills left out; the last one ends now. ``scans``, ``findings``: what may be
    seen of each."""
    begin = now - WEEKS * WEEK_MS + 1
    found = [Week(begin + number * WEEK_MS) for number in range(WEEKS)]
    for number, verdict, count in session.execute(_verdicts(scans, begin, now)):
        found[number].verdicts[verdict] += count
    for number, took in session.execute(_median(_answers(scans, begin, now))):
        found[number].answer_ms = took
    for number, took in session.execute(_median(_decisions(findings, begin, now))):
        found[number].decision_ms = took
    return found


def _number(time: Any, begin: int) -> Any:
    return ((time - begin) // WEEK_MS).label("number")


def _verdicts(view: View, begin: int, now: int) -> Select[Any]:
    """Week, verdict (or ``failed``), and how many."""
    said = func.coalesce(Scan.verdict, Scan.status).label("said")
    number = _number(Scan.created, begin)
    ended = Scan.status.in_((ScanStatus.FINISHED.value, ScanStatus.FAILED.value))
    query = select(number, said, func.count()).where(Scan.created >= begin, Scan.created <= now, ended)
    query = query.where(Scan.project_id != DRILL).group_by(number, said)
    return scoped(query, view, Scan.project_id)


def _answers(view: View, begin: int, now: int) -> Select[Any]:
    """Week, and how long each scan that ran took, waiting included."""
    took = (Scan.finished - Scan.created).label("took")
    query = select(_number(Scan.created, begin), took).where(
        Scan.created >= begin,
        Scan.created <= now,
        Scan.status == ScanStatus.FINISHED.value,
        Scan.known_from.is_(None),
        Scan.finished.is_not(None),
        Scan.project_id != DRILL,
    )
    return scoped(query, view, Scan.project_id)


def _decisions(view: View, begin: int, now: int) -> Select[Any]:
    """Week, and how long each finding had waited that somebody decided about. One that was first seen when the state
    stood already waited for nobody."""
    took = (StateRow.time - FindingRow.first_seen).label("took")
    query = (
        select(_number(StateRow.time, begin), took)
        .join(
            FindingRow,
            (FindingRow.fingerprint == StateRow.fingerprint) & (FindingRow.place == StateRow.place),
        )
        .where(
            StateRow.time >= begin,
            StateRow.time <= now,
            StateRow.state != State.NEEDS_TRIAGE.value,
            FindingRow.first_seen <= StateRow.time,
            FindingRow.project_id != DRILL,
        )
    )
    return scoped(query, view, FindingRow.project_id)


def _median(rows: Select[Any]) -> Select[Any]:
    """The middle one of each week: the lower, of two."""
    all_ = rows.subquery()
    place = func.row_number().over(partition_by=all_.c.number, order_by=all_.c.took).label("place")
    many = func.count().over(partition_by=all_.c.number).label("many")
    ranked = select(all_.c.number, all_.c.took, place, many).subquery()
    return select(ranked.c.number, ranked.c.took).where(ranked.c.place == (ranked.c.many + 1) // 2)
