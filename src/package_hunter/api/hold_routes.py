"""Routes of legal holds: what is under one is not deleted."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.api.allowed import PermittedRoute, actor_of, unknown, view_of
from package_hunter.api.scan_act_routes import scan_of
from package_hunter.api.scan_schemas import HoldBody, HoldInfo, HoldList
from package_hunter.api.service import Service
from package_hunter.api.transactions import add, as_time, project_of, read
from package_hunter.store import holds
from package_hunter.store.artefact_tables import HoldRow
from package_hunter.store.history import MAX_WHY


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute, tags=["holds"])

    @router.get("/holds", summary="Legal holds, oldest first")
    async def list_holds(request: Request) -> HoldList:
        view = view_of(request)

        def look(session: Session) -> HoldList:
            return HoldList(items=[_info(row, project) for row, project in holds.listed(session, view)])

        return await read(service, look)

    _place(router, service)
    return router


def _place(router: APIRouter, service: Service) -> None:
    @router.post("/scans/{scan_id}/holds", status_code=201, summary="Keep a scan from being deleted")
    async def hold_scan(request: Request, scan_id: str, asked: HoldBody) -> HoldInfo:
        def change(session: Session) -> HoldInfo:
            scan = scan_of(session, request, scan_id)
            return _info(holds.add(session, actor_of(request), scan, asked.why), scan.project_id)

        return await add(service, change)

    @router.post(
        "/projects/{project_id}/holds",
        status_code=201,
        summary="Keep all scans of a project from being deleted, those to come too",
    )
    async def hold_project(request: Request, project_id: str, asked: HoldBody) -> HoldInfo:
        def change(session: Session) -> HoldInfo:
            project = project_of(session, request.state.place)
            return _info(holds.add(session, actor_of(request), project, asked.why), project.id)

        return await add(service, change)

    @router.delete("/holds/{hold}", status_code=204, summary="Lift a legal hold")
    async def lift(
        request: Request, hold: str, why: Annotated[str, Query(min_length=1, max_length=MAX_WHY)]
    ) -> None:
        view = view_of(request)

        def change(session: Session) -> None:
            number = int(hold) if hold.isascii() and hold.isdigit() and len(hold) < 10 else 0
            if all(row.number != number for row, _ in holds.listed(session, view)):
                raise unknown("hold")
            holds.lift(session, view, actor_of(request), number, why)

        await add(service, change)


def _info(row: HoldRow, project: uuid.UUID) -> HoldInfo:
    values: dict[str, Any] = {"number": row.number, "reason": row.reason, "who": row.who}
    scan = None if row.scan_id is None else str(row.scan_id)
    return HoldInfo(project=str(project), scan=scan, since=as_time(row.created), **values)
