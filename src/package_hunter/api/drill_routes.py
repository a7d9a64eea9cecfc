"""Routes of the standing drill: how it went, and another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.api.allowed import PermittedRoute, actor_of
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import as_time, maybe_time, read, told
from package_hunter.drill import overview
from package_hunter.drill.overview import Overview
from package_hunter.drill.run import Drills

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "There is no place for drills here."},
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "The account has not the permission."},
    429: {"model": Problem, "description": "Too many failed logins; see the header Retry-After."},
    503: {"model": Problem, "description": "The store is full, busy or gone."},
}


class DrillFailure(BaseModel):
    """A drill that failed."""

    begun: datetime
    said: str = Field(description="Why, a sentence.")


class DrillInfo(BaseModel):
    """How the standing drill goes."""

    says: str = Field(description="All of it in a sentence.")
    state: str = Field(
        description="Of the last drill: `running`, `proven`, `failed`; `none`: there was none."
    )
    begun: datetime | None
    scan: str | None
    commit: str | None = Field(description="The made-up commit that the gate is asked about.")
    fingerprint: str | None = Field(description="Of its finding in triage.")
    proven: datetime | None = Field(description="When a drill was blocked in time, last.")
    seconds_to_block: float | None = Field(description="Of the drill that was proven last: from submission.")
    minutes_until_decided: float | None = Field(
        description="From the block until a person set a state of the finding; of the last one that somebody decided."
    )
    decided_by: str | None
    undecided_minutes: float | None = Field(
        description="So long the newest drill's finding has waited for a person."
    )
    next: datetime | None = Field(description="When the next one begins by itself.")
    failures: list[DrillFailure] = Field(description="The last five that failed.")


def info(found: Overview) -> DrillInfo:
    """As the API answers it."""
    return DrillInfo(
        says=found.says,
        state=found.state,
        begun=maybe_time(found.begun),
        scan=found.scan,
        commit=found.commit,
        fingerprint=found.fingerprint,
        proven=maybe_time(found.proven),
        seconds_to_block=found.seconds_to_block,
        minutes_until_decided=found.minutes_until_decided,
        decided_by=found.decided_by,
        undecided_minutes=found.undecided_minutes,
        next=maybe_time(found.next),
        failures=[DrillFailure(begun=as_time(one.begun), said=one.said) for one in found.failures],
    )


def routes(service: Service) -> APIRouter:
    """Both."""
    router = APIRouter(prefix="/api/v1", tags=["server"], responses=_PROBLEMS, route_class=PermittedRoute)
    drills = Drills(service.settings, service.store, service.queue)

    def look(session: Session) -> DrillInfo:
        return info(overview.of(session, service.settings))

    @router.get("/drill", summary="How the standing drill went")
    async def status() -> DrillInfo:
        return await read(service, look)

    @router.post(
        "/drill",
        summary="Begin a standing drill",
        description="A harmless simulation goes through queue, box, judgement, gate and triage.",
        status_code=202,
        responses={409: {"model": Problem, "description": "A drill runs already."}},
    )
    async def run(request: Request) -> DrillInfo:
        await run_sync(_begin, drills, actor_of(request))
        return await read(service, look)

    return router


def _begin(drills: Drills, by: Actor) -> None:
    with told():
        drills.begin(by)
