"""The finding of a drill: which it is, and what people made of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from package_hunter.access.actor import Actor
from package_hunter.access.view import DRILL
from package_hunter.model.report import Report
from package_hunter.model.scales import severity_rank
from package_hunter.store.access_tables import EVERYWHERE, Project
from package_hunter.store.drill_place import GROUP
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.members import Place
from package_hunter.store.watching_tables import DrillRow
from package_hunter.triage import states
from package_hunter.triage.values import NewState, Reason, State

_REMARK = "The next drill was begun, and nobody had decided on this one."


def of(report: Report, package: str) -> str | None:
    """The fingerprint of the gravest proof against the drill's package; None where there is none."""
    proof = [
        found
        for found in report.findings
        if found.proof and found.blame is not None and package in (found.blame.package or "")
    ]
    if not proof:
        return None
    return max(proof, key=lambda found: (severity_rank(found.severity), found.fingerprint)).fingerprint


def decided(session: Session, row: DrillRow) -> tuple[int, str] | None:
    """When the first person set a state of it, and who; None while nobody did. What a token, a CI job or the server set
    is a state like others, and no person's decision: whether people still look is what the drill asks."""
    if row.fingerprint is None:
        return None
    query = select(StateRow).where(
        StateRow.fingerprint == row.fingerprint,
        StateRow.place.in_((DRILL.hex, GROUP.hex, EVERYWHERE)),
        StateRow.state != State.NEEDS_TRIAGE.value,
        StateRow.time >= row.begun,
        by_person(StateRow.who),
    )
    found = session.scalars(query.order_by(StateRow.time).limit(1)).first()
    return None if found is None else (found.time, found.who)


def by_person(who: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether it is a person's name: of a user, which has no colon, or of who sits at the machine
    (`access.actor.command_line`); tokens, jobs, schedules have a word before one."""
    return or_(who.not_like("%:%"), who.like("uid:%"))


def close(session: Session, by: Actor, project: Project, row: DrillRow) -> None:
    """Settle a drill that nobody decided on, so that triage does not fill with them. It stays undecided in the figures:
    the drill that is newest alone is looked at."""
    query = select(FindingRow).where(
        FindingRow.project_id == DRILL, FindingRow.fingerprint == row.fingerprint
    )
    found = session.scalar(query)
    if found is not None and found.state == State.NEEDS_TRIAGE.value:
        new = NewState(State.RESOLVED, Reason.OTHER, _REMARK)
        states.set_state(session, by, Place(project=project), found.fingerprint, new)
