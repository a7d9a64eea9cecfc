"""Routes of workers: who runs the scans, what each can, and which are to take no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from package_hunter.api.allowed import PermittedRoute, actor_of, unknown
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import add, as_time, maybe_time, read
from package_hunter.errors import UsageError
from package_hunter.queue import fleet
from package_hunter.queue.fleet import Member
from package_hunter.store.base import MAX_NAME
from package_hunter.store.history import MAX_WHY
from package_hunter.store.worker_states import State

_Why = Annotated[str | None, Query(max_length=MAX_WHY, description="Why: for the history.")]
_Name = Annotated[
    str, Query(max_length=MAX_NAME, description="Its name, or the end of it that no other has.")
]


class WorkerInfo(BaseModel):
    """A worker. What one of an older version did not register is null."""

    model_config = ConfigDict(protected_namespaces=())

    name: str
    state: State = Field(description="`lost`: it fell silent, its scans run elsewhere.")
    seen: datetime
    started: datetime | None
    version: str | None
    engine: str | None
    kernel: str | None
    machine: str | None
    image: str | None = Field(description="A digest of the image of its boxes.")
    rules: str | None = Field(description="A digest of its rules.")
    ecosystems: list[str]
    slots: int = Field(description="How many scans it runs at the same time.")
    free: int = Field(description="How many more it would take now.")
    runs: list[str] = Field(description="Ids of the scans that it holds.")
    lacks: str | None = Field(description="Why it cannot scan.")


class WorkerList(BaseModel):
    """The workers, by name."""

    items: list[WorkerInfo]


_NO_WORKER: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No worker of this name."}
}


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute, tags=["workers"])

    @router.get("/workers", summary="Who runs the scans, and what each can")
    async def workers() -> WorkerList:
        def look(session: Session) -> WorkerList:
            return WorkerList(items=[_info(one) for one in fleet.listed(session, service.settings)])

        return await read(service, look)

    @router.post("/workers/drain", responses=_NO_WORKER, summary="Let a worker take no more scans")
    async def drain(
        request: Request,
        name: _Name,
        seconds: Annotated[
            float | None,
            Query(ge=0, le=86_400, description="After so long, what it runs is given back; unset: never."),
        ] = None,
        why: _Why = None,
    ) -> WorkerInfo:
        by = actor_of(request)
        return await _told(service, name, lambda s, one: fleet.drain(s, one, by, why, seconds))

    @router.post("/workers/resume", responses=_NO_WORKER, summary="Let a worker take scans again")
    async def resume(request: Request, name: _Name, why: _Why = None) -> WorkerInfo:
        by = actor_of(request)
        return await _told(service, name, lambda s, one: fleet.resume(s, one, by, why))

    return router


async def _told(service: Service, name: str, tell: Callable[[Session, Member], None]) -> WorkerInfo:
    def change(session: Session) -> WorkerInfo:
        try:
            one = fleet.found(session, service.settings, name)
        except UsageError:
            raise unknown("worker") from None
        tell(session, one)
        session.flush()
        session.expire_all()
        return _info(fleet.found(session, service.settings, one.name))

    return await add(service, change)


def _info(one: Member) -> WorkerInfo:
    return WorkerInfo(
        name=one.name,
        state=one.state,
        seen=as_time(one.seen),
        started=maybe_time(one.started),
        version=one.version,
        engine=one.engine,
        kernel=one.kernel,
        machine=one.machine,
        image=one.image,
        rules=one.rules,
        ecosystems=list(one.ecosystems),
        slots=one.slots,
        free=one.free,
        runs=[str(scan) for scan in one.runs],
        lacks=one.lacks,
    )
