"""Two scans beside each other: what is in one and not in the other."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.report import words
from package_hunter.web.inside import ask, get, get_or, part
from package_hunter.web.page import PageRoute, show

_CHOICES = 30


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/scans/compare")
    async def page(request: Request) -> Response:
        one, two = (request.query_params.get(name, "").strip() for name in ("one", "two"))
        chosen = request.query_params.getlist(
            "scan"
        )  # two ticks of the list of scans: the older one is the first
        if len(chosen) == 2 and not (one or two):
            one, two = await _in_order(request, chosen)
        problem = None
        if chosen and len(chosen) != 2:
            problem = ApiError(400, "Choose two scans.", "Tick two in the list, or name them here.")
        return await _page(request, one, two, problem)

    return router


async def _in_order(request: Request, chosen: list[str]) -> tuple[str, str]:
    found = [await get(request, f"/scans/{part(one)}") for one in chosen]
    older, newer = sorted(found, key=lambda scan: str(scan["created"]))
    return str(older["id"]), str(newer["id"])


async def _page(request: Request, one: str, two: str, problem: ApiError | None) -> Response:
    values: dict[str, Any] = {"one": one, "two": two, "found": None, "words": words, "choices": []}
    if two and problem is None:
        answer = await ask(request, "GET", f"/scans/{part(two)}/compare", {"with": one})
        if answer.ok:
            values["found"] = answer.json()
        elif answer.status == 409 and not one:
            problem = ApiError(200, answer.error.reason, "Choose the scan to compare it with.")
        else:
            problem = answer.error
    if values["found"] is None and two:
        values["choices"] = await _others(request, two)
    return show(request, "compare", values, problem=problem)


async def _others(request: Request, two: str) -> list[Any]:
    """Scans that it may be compared with: of the same package, else of the same project."""
    scan = await get_or(request, f"/scans/{part(two)}", None)
    if scan is None:
        return []
    query: dict[str, Any] = {"status": "finished", "limit": _CHOICES}
    if scan["purl"]:
        query["package"] = scan["purl"].rpartition("@")[0] or scan["purl"]
    else:
        project = await get_or(request, f"/projects/{scan['project']}", None)
        query["project"] = None if project is None else project["path"]
    found = await get_or(request, "/scans", {"scans": []}, query)
    return [other for other in found["scans"] if other["id"] != scan["id"]]
