"""Workers: who runs the scans and what each can; what waits; what failed through faults of ours."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web.inside import ask, get_or, part
from package_hunter.web.page import PageRoute, field, show, to
from package_hunter.web.pages.people import may_manage

_MOST_DEAD = 50


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/workers")
    async def page(request: Request) -> Response:
        return await _shown(request)

    @router.post("/workers/drain")
    async def drain(request: Request) -> Response:
        return await _told(request, "/workers/drain", "worker-drained")

    @router.post("/workers/resume")
    async def resume(request: Request) -> Response:
        return await _told(request, "/workers/resume", "worker-resumed")

    @router.post("/workers/rerun")
    async def rerun(request: Request) -> Response:
        answer = await ask(request, "POST", f"/scans/{part(field(request, 'scan'))}/rerun", body={})
        return to("/workers", "dead-rerun") if answer.ok else await _shown(request, answer.error)

    return router


async def _told(request: Request, route: str, said: str) -> Response:
    query = {name: field(request, name) for name in ("name", "why")}
    answer = await ask(request, "POST", route, query)
    return to("/workers", said) if answer.ok else await _shown(request, answer.error)


async def _shown(request: Request, problem: ApiError | None = None) -> Response:
    fleet = await get_or(request, "/workers", None)
    dead = (await get_or(request, "/dead-letters", {"scans": []}, {"limit": _MOST_DEAD}))["scans"]
    access = request.state.access
    values = {
        "workers": None if fleet is None else fleet["items"],
        "queue": await get_or(request, "/queue", None),
        "dead": dead,
        "most_dead": _MOST_DEAD,
        "may": may_manage(request, Permission.WORKER_MANAGE),
        "may_rerun": {
            one["id"] for one in dead if access.view(Permission.SCAN_SUBMIT).sees(uuid.UUID(one["project"]))
        },
        "sees_scans": access.may(Permission.SCAN_READ),
    }
    return show(request, "workers", values, problem=problem)
