"""Scans at set times: which are due, and what is submitted for them.

A time that passed while no server ran is made up for once. What cannot be scanned from here (an archive is not kept
once it was scanned) is said, and not silently left out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL
from package_hunter.governance import policies, policy_file
from package_hunter.governance.requirements import applies
from package_hunter.package_url import UnscannableError, scannable
from package_hunter.policy.cron import Cron
from package_hunter.policy.model import Policy, Schedule, When
from package_hunter.store.access_tables import Project
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import LineRow
from package_hunter.store.members import Place
from package_hunter.store.policy_tables import ScheduleRow
from package_hunter.store.scans import NewScan
from package_hunter.triage.chain import projects_in

NIGHTLY = "required: nightly"
_NIGHT = "0 2 * * *"
MAX_AT_ONCE = 200  # scans for one schedule and project
SUBMITTER = "schedule"

Submit = Callable[[Session, NewScan], None]
"""Stores a scan and lets it run."""


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose time has come in a project. ``moment``: which time that was, ms since the epoch."""

    key: str
    schedule: Schedule
    project: uuid.UUID
    path: str
    moment: int


def due(session: Session, now: dt.datetime) -> list[Due]:
    """What is due by then, and was not served yet."""
    served = {(row.key, row.project_id): row.due for row in session.scalars(select(ScheduleRow))}
    paths = dict(session.execute(select(Project.id, Project.path).where(Project.id != DRILL)).all())
    found = []
    for place, policy, since in _policies(session):
        inside = projects_in(session, place)
        projects = paths if inside is None else {key: paths[key] for key in inside if key in paths}
        for schedule in _schedules(policy):
            moment = _moment(schedule, now)
            key = key_of(place, schedule.name)
            for project, path in projects.items():
                last = max(since, served.get((key, project), 0))
                if moment is not None and moment > last and applies(schedule.projects, path):
                    found.append(Due(key, schedule, project, path, moment))
    return sorted(found, key=lambda one: (one.moment, one.path, one.key))


def key_of(place: Place, name: str) -> str:
    """What a schedule's runs are stored under."""
    return hashlib.sha256(f"{place.key}\0{name}".encode()).hexdigest()


def _moment(schedule: Schedule, now: dt.datetime) -> int | None:
    found = Cron.of(schedule.cron).before(now)
    return None if found is None else int(found.timestamp() * 1000)


def _schedules(policy: Policy) -> Iterator[Schedule]:
    """Those of the document, and one for each scan that is required every night."""
    yield from policy.schedules
    for number, requirement in enumerate(policy.requirements, 1):
        if requirement.when is When.NIGHTLY:
            yield Schedule(f"{NIGHTLY} {number}", _NIGHT, requirement.projects, (), requirement.depth)


def _policies(session: Session) -> Iterator[tuple[Place, Policy, int]]:
    """Each scope that has a policy, what it says, and since when."""
    for_all = False
    for place in policies.scopes(session):
        for_all = for_all or place == Place()
        standing = policies.current(session, place)
        if standing.document is not None:
            yield place, policies.check(place, standing.document), standing.time
    if not for_all:
        yield Place(), policy_file.layer().policy, policy_file.since()


def serve(session: Session, one: Due, submit: Submit) -> ScheduleRow:
    """Submit what is due, and note what came of it."""
    targets, left, wrong = _targets(session, one)
    for target in targets[:MAX_AT_ONCE]:
        submit(
            session,
            NewScan(
                target=target,
                submitter=f"{SUBMITTER}:{one.schedule.name}",
                purl=target,
                fresh=True,
                depth=one.schedule.depth or None,
                project=one.project,
            ),
        )
    row = ScheduleRow(
        key=one.key,
        project_id=one.project,
        due=one.moment,
        ran=now_ms(),
        submitted=min(len(targets), MAX_AT_ONCE),
        said=_said(len(targets), left, wrong),
    )
    session.merge(row)
    session.flush()
    return row


def _targets(session: Session, one: Due) -> tuple[Sequence[str], list[str], list[str]]:
    """Package URLs to scan, the names of what cannot be scanned from here, and why others are none to scan."""
    asked, left = one.schedule.targets, list[str]()
    if not asked:
        query = select(LineRow).where(LineRow.project_id == one.project).order_by(LineRow.name)
        lines = session.scalars(query).all()
        asked, left = tuple(row.purl for row in lines if row.purl), [x.name for x in lines if not x.purl]
    found, wrong = [], []
    for target in asked:
        try:
            found.append(scannable(target).purl)
        except UnscannableError as error:
            wrong.append(error.message)
    return found, left, wrong


def _said(targets: int, left: Sequence[str], wrong: Sequence[str]) -> str:
    said = list(wrong[:5]) + ([f"So are {len(wrong) - 5} more."] if len(wrong) > 5 else [])
    if targets > MAX_AT_ONCE:
        said.append(f"{targets - MAX_AT_ONCE} packages were left for the next time: {MAX_AT_ONCE} at once.")
    if left:
        names = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        said.append(f"Not scanned: {names}. Archives are not kept: a pipeline must submit them.")
    if not targets and not left and not wrong:
        said.append("Nothing was scanned in this project yet, and the schedule names no packages.")
    return " ".join(said)


def runs(session: Session, project: uuid.UUID) -> Sequence[ScheduleRow]:
    """What came of the schedules in a project, by when they ran, the last first."""
    query = select(ScheduleRow).where(ScheduleRow.project_id == project).order_by(ScheduleRow.ran.desc())
    return session.scalars(query).all()
