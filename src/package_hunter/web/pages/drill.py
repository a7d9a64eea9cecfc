"""The standing drill: when the whole way from a submission to a blocked gate was proven last; and another one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web.inside import ask, get
from package_hunter.web.navigation import settings_tabs
from package_hunter.web.page import PageRoute, show, to
from package_hunter.web.pages.people import may_manage


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/settings/drill")
    async def page(request: Request) -> Response:
        return await _shown(request)

    @router.post("/settings/drill/run")
    async def run(request: Request) -> Response:
        answer = await ask(request, "POST", "/drill")
        return to("/settings/drill", "drill-begun") if answer.ok else await _shown(request, answer.error)

    return router


async def _shown(request: Request, problem: ApiError | None = None) -> Response:
    values = {
        "tabs": settings_tabs(request.state.access, request.url.path),
        "drill": await get(request, "/drill"),
        "may": may_manage(request, Permission.DRILL_RUN),
        "sees_scans": request.state.access.may(Permission.SCAN_READ),
    }
    return show(request, "drill", values, problem=problem)
