"""What waits for people: commits that the gate stops, findings that nobody decided about, acceptances that end."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from package_hunter.access.view import DRILL, Access, View
from package_hunter.governance.proposals import waiting as proposed
from package_hunter.governance.proposals.views import UNREVIEWED, Sight
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.policy.decide import today
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.gate_tables import GateAnswer, ScanOrigin
from package_hunter.store.models import Scan
from package_hunter.store.proposal_tables import Proposal
from package_hunter.store.scoping import scoped
from package_hunter.triage.values import Asks, State

DAY_MS = 86_400_000
LEAST = "low"
"""The severity from which on a finding waits for a person: what is milder counts in no policy."""
AGES = (1, 7, 30)
"""Days: where one age of what waits ends and the next begins."""
SOON = 14
"""Days in which an acceptance ends soon."""
STOPPED = ("block", "review")
"""What the gate says where a person must do something. (Missing is for whoever submits.)"""
_STOPPED_DAYS = 30
_MAX_STOPPED = 200


@dataclass(frozen=True, slots=True)
class Stopped:
    """A commit that the gate stops: what it said last, since when (ms since the epoch), and the scan that says so."""

    project: uuid.UUID
    commit: str
    merge_request: str | None
    result: str
    says: str
    since: int
    scan: str | None


def stopped(session: Session, view: View, now: int) -> list[Stopped]:
    """Commits of the last month that are blocked or under review, newest first; of a merge request its newest commit
    alone."""
    later = aliased(GateAnswer)
    newer = exists().where(
        later.project_id == GateAnswer.project_id,
        later.commit == GateAnswer.commit,
        later.created > GateAnswer.created,
    )
    query = select(GateAnswer).where(
        GateAnswer.result.in_(STOPPED),
        GateAnswer.created > now - _STOPPED_DAYS * DAY_MS,
        GateAnswer.project_id != DRILL,
        ~newer,
    )
    query = scoped(query, view, GateAnswer.project_id).order_by(GateAnswer.created.desc())
    answers = session.scalars(query.limit(_MAX_STOPPED)).all()
    requests = _merge_requests(session, answers)
    found = []
    for answer in answers:
        number, newest = requests.get((answer.project_id, answer.commit), (None, answer.commit))
        if newest == answer.commit:
            found.append(_stopped(answer, number))
    return found


_Commit = tuple[uuid.UUID, str]


def _merge_requests(session: Session, answers: Sequence[GateAnswer]) -> dict[_Commit, tuple[str | None, str]]:
    """Of each commit the merge request that it is of, and that one's newest commit."""
    commits = [answer.commit for answer in answers]
    mine = select(ScanOrigin).where(ScanOrigin.commit.in_(commits), ScanOrigin.merge_request.is_not(None))
    projects = {answer.project_id for answer in answers}
    of = {(o.project_id, o.commit): o.merge_request for o in session.scalars(_in(mine, projects))}
    every = select(ScanOrigin).where(
        ScanOrigin.merge_request.in_({number for number in of.values() if number})
    )
    newest: dict[tuple[uuid.UUID, str | None], str] = {}
    for origin in session.scalars(_in(every, projects).order_by(ScanOrigin.created)):
        newest[origin.project_id, origin.merge_request] = origin.commit
    return {key: (number, newest[key[0], number]) for key, number in of.items()}


def _in(query: Any, projects: set[uuid.UUID]) -> Any:
    return query.where(ScanOrigin.project_id.in_(projects))


def _stopped(answer: GateAnswer, number: str | None) -> Stopped:
    said = json.loads(answer.body)
    scans = [one["scan"] for one in said["reasons"] if one.get("scan")]
    return Stopped(
        answer.project_id,
        answer.commit,
        number,
        answer.result,
        str(said["says"]),
        answer.created,
        scans[0] if scans else None,
    )


def untriaged(session: Session, view: View, now: int) -> list[int]:
    """How many findings wait for a person, by age: young to old, one more than there are `AGES`. Those that scans still
    find, of severity `LEAST` or worse."""
    begins = [now - days * DAY_MS for days in AGES]
    seen = FindingRow.first_seen
    parts = [
        seen >= begins[0],
        *(and_(seen < younger, seen >= older) for younger, older in itertools.pairwise(begins)),
        seen < begins[-1],
    ]
    query = select(*(func.sum(case((part, 1), else_=0)) for part in parts)).where(
        FindingRow.state == State.NEEDS_TRIAGE.value,
        FindingRow.detected.is_(True),
        FindingRow.severity >= severity_rank(LEAST),
        FindingRow.project_id != DRILL,
    )
    row = session.execute(scoped(query, view, FindingRow.project_id)).one()
    return [int(value or 0) for value in row]


def expiring(session: Session, view: View) -> int:
    """How many acceptances end within `SOON` days."""
    last = (today() + dt.timedelta(days=SOON)).isoformat()
    return _findings(session, view, FindingRow.state == State.ACCEPTED.value, FindingRow.until <= last)


def expired(session: Session, view: View) -> int:
    """How many findings ask again because their acceptance ended."""
    return _findings(session, view, FindingRow.asks == Asks.EXPIRED.value)  # what asks needs triage


def _findings(session: Session, view: View, *conditions: Any) -> int:
    query = select(func.count()).select_from(FindingRow).where(*conditions)
    return session.scalar(scoped(query, view, FindingRow.project_id)) or 0


def proposals(session: Session, access: Access, now: int) -> tuple[int, int]:
    """How many proposals wait for this account's approval, and how many were applied without any and nobody looked at
    since."""
    counted = []
    for clause in (proposed.on(session, access, now), and_(Sight.of(access).clause, UNREVIEWED)):
        query = select(func.count()).select_from(Proposal).where(clause)
        counted.append(session.scalar(query) or 0)
    return counted[0], counted[1]


def unclear(session: Session, view: View, since: int) -> tuple[int, int]:
    """Of the scans accepted since then (ms since the epoch): how many are inconclusive, and how many failed."""
    counted = []
    for condition in (Scan.verdict == Verdict.INCONCLUSIVE.value, Scan.status == ScanStatus.FAILED.value):
        query = select(func.count()).select_from(Scan).where(condition, Scan.created >= since)
        counted.append(session.scalar(scoped(query, view, Scan.project_id)) or 0)
    return counted[0], counted[1]
