"""The route of the overview: what needs a person now."""

from __future__ import annotations

import time
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access, View
from package_hunter.api import drill_routes
from package_hunter.api.allowed import PermittedRoute, access_to
from package_hunter.api.drill_routes import DrillInfo
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, as_time, read
from package_hunter.drill import overview as drills
from package_hunter.governance.overview import waiting, weeks
from package_hunter.governance.overview.waiting import Stopped
from package_hunter.governance.overview.weeks import Week
from package_hunter.model.scan import Verdict
from package_hunter.queue import fleet
from package_hunter.store import places
from package_hunter.store.database import now_ms
from package_hunter.store.worker_states import State

_SHOWN = 20
_RECENT_DAYS = 7
_KEPT_SECONDS = 60.0
_MAX_KEPT = 200


class StoppedInfo(BaseModel):
    """A commit that the gate stops."""

    project: str = Field(description="The project's id.")
    path: str
    commit: str
    merge_request: str | None
    result: str = Field(description="`block`, or `review`: a person must look first.")
    says: str
    since: datetime
    scan: str | None


class StoppedInfos(BaseModel):
    """Commits that the gate stops; of a merge request its newest commit alone."""

    count: int
    newest: list[StoppedInfo] = Field(description=f"The newest {_SHOWN}.")


class UntriagedInfo(BaseModel):
    """Findings that nobody decided about and that scans still find, from severity `low` on, by age: days since each
    was first seen."""

    under_1: int
    under_7: int
    under_30: int
    older: int


class FleetInfo(BaseModel):
    """The workers."""

    count: int
    lost: list[str] = Field(description="Names of those that fell silent.")
    unfit: list[str] = Field(description="Names of those that cannot scan.")


class WeekInfo(BaseModel):
    """A week, and what came of the scans that were accepted in it."""

    begin: datetime
    malicious: int
    suspicious: int
    inconclusive: int
    no_findings: int
    failed: int
    answer_seconds: float | None = Field(
        description="Median of those that ran: from submission to verdict. Null: none did."
    )
    decision_hours: float | None = Field(
        description="Median of the findings that somebody decided about in this week: from first sight to the state."
    )


class OverviewInfo(BaseModel):
    """What needs a person now, of all that the account may see; null where it may not see any such thing."""

    stopped: StoppedInfos
    untriaged: UntriagedInfo
    expiring: int = Field(description=f"Acceptances that end within {waiting.SOON} days.")
    expired: int = Field(description="Findings that ask again since their acceptance ended.")
    since: datetime = Field(description="The scans below were accepted since then.")
    inconclusive: int
    failed: int
    to_approve: int = Field(description="Open proposals that this account could approve.")
    unreviewed: int = Field(description="Applied without approval, and not looked at yet.")
    workers: FleetInfo | None
    drill: DrillInfo | None
    weeks: list[WeekInfo] = Field(description="Thirteen, oldest first; up to a minute old.")


class _Weeks:
    """What the last weeks were, worked out once a minute for all who see the same: it is most of the work."""

    def __init__(self) -> None:
        self._known: dict[tuple[View, View], tuple[float, list[Week]]] = {}

    def of(self, session: Session, scans: View, findings: View, now: int) -> list[Week]:
        """See `weeks.weeks`."""
        key, moment = (scans, findings), time.monotonic()
        known = self._known.get(key)
        if known is not None and known[0] > moment:
            return known[1]
        found = weeks.weeks(session, scans, findings, now)
        if len(self._known) >= _MAX_KEPT:
            self._known.clear()
        self._known[key] = (moment + _KEPT_SECONDS, found)
        return found


def routes(service: Service) -> APIRouter:
    """It alone."""
    kept = _Weeks()
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute, tags=["server"])

    @router.get("/overview", summary="What needs a person now, and how the last weeks went")
    async def overview(request: Request) -> OverviewInfo:
        access = access_to(request)
        return await read(service, lambda s: _overview(s, service, kept, access))

    return router


def _overview(session: Session, service: Service, kept: _Weeks, access: Access) -> OverviewInfo:
    now, findings = now_ms(), access.view(Permission.FINDING_READ)
    scans, since = access.view(Permission.SCAN_READ), now - _RECENT_DAYS * waiting.DAY_MS
    stopped = waiting.stopped(session, access.view(Permission.GATE_READ), now)
    inconclusive, failed = waiting.unclear(session, scans, since)
    to_approve, unreviewed = waiting.proposals(session, access, now)
    under_1, under_7, under_30, older = waiting.untriaged(session, findings, now)
    return OverviewInfo(
        stopped=_stopped(session, access, stopped),
        untriaged=UntriagedInfo(under_1=under_1, under_7=under_7, under_30=under_30, older=older),
        expiring=waiting.expiring(session, findings),
        expired=waiting.expired(session, findings),
        since=as_time(since),
        inconclusive=inconclusive,
        failed=failed,
        to_approve=to_approve,
        unreviewed=unreviewed,
        workers=_fleet(session, service) if access.may(Permission.WORKER_READ) else None,
        drill=(
            drill_routes.info(drills.of(session, service.settings))
            if access.may(Permission.DRILL_READ)
            else None
        ),
        weeks=[_week(one) for one in kept.of(session, scans, findings, now)],
    )


def _stopped(session: Session, access: Access, found: list[Stopped]) -> StoppedInfos:
    shown = found[:_SHOWN]
    view = access.view(Permission.PROJECT_READ)
    paths = places.paths_of(session, view, {one.project for one in shown})
    return StoppedInfos(
        count=len(found),
        newest=[
            StoppedInfo(
                project=str(one.project),
                path=paths.get(one.project, ""),
                commit=one.commit,
                merge_request=one.merge_request,
                result=one.result,
                says=one.says,
                since=as_time(one.since),
                scan=one.scan,
            )
            for one in shown
        ],
    )


def _fleet(session: Session, service: Service) -> FleetInfo:
    every = fleet.listed(session, service.settings)
    return FleetInfo(
        count=len(every),
        lost=[one.name for one in every if one.state is State.LOST],
        unfit=[one.name for one in every if one.state is State.UNFIT],
    )


def _week(one: Week) -> WeekInfo:
    said = one.verdicts
    return WeekInfo(
        begin=as_time(one.begin),
        malicious=said[Verdict.MALICIOUS.value],
        suspicious=said[Verdict.SUSPICIOUS.value],
        inconclusive=said[Verdict.INCONCLUSIVE.value],
        no_findings=said[Verdict.NO_FINDINGS.value],
        failed=said["failed"],
        answer_seconds=None if one.answer_ms is None else one.answer_ms / 1_000,
        decision_hours=None if one.decision_ms is None else one.decision_ms / 3_600_000,
    )
