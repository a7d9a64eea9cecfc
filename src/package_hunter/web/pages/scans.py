"""The list of scans: filters, how they stand, and the same as a file."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.service import Service
from package_hunter.model.depth import DEPTHS
from package_hunter.model.ecosystem import names
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.web import export
from package_hunter.web.inside import get_or
from package_hunter.web.lists import asked, rows
from package_hunter.web.page import PageRoute, show

_LISTING = export.Listing("/scans", "scans", "before")
_MOST_STEPS = 8
_COLUMNS: export.Columns = (
    *((name, lambda one, name=name: one[name]) for name in ("id", "target", "purl", "ecosystem", "status")),
    *((name, lambda one, name=name: one[name]) for name in ("verdict", "decision", "reason", "submitter")),
    *((name, lambda one, name=name: one[name]) for name in ("depth", "created", "started", "finished")),
)


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/scans")
    async def page(request: Request) -> Response:
        query = asked(request, _LISTING, "scan")
        found = await rows(request, _LISTING, {**query, "before": request.query_params.get("before")})
        return show(
            request,
            "scans",
            {
                "scans": found.items,
                "asked": query,
                "choices": _choices(),
                "older": found.next and export.address("/scans", {**query, "before": found.next}),
                "csv": export.address("/scans.csv", query),
                "json": export.address("/api/v1/scans", query),
                "chosen": request.query_params.getlist("scan"),
                "steps": await _steps(request, found.items),
                "paths": await _paths(request, found.items),
                "live": any(one["finished"] is None for one in found.items),
            },
            problem=found.problem,
        )

    @router.get("/scans.csv")
    async def as_csv(request: Request) -> Response:
        return await export.as_csv(request, _LISTING, asked(request, _LISTING, "scan"), _COLUMNS, "scans")

    return router


async def _paths(request: Request, scans: list[dict[str, Any]]) -> dict[str, str]:
    """The paths of their projects, by id, as far as the account may see them."""
    if not scans:
        return {}
    listed = (await get_or(request, "/projects", {"items": []}))["items"]
    return {one["id"]: one["path"] for one in listed}


async def _steps(request: Request, scans: list[dict[str, Any]]) -> dict[str, str]:
    """What was said last of those that run; there are no more than workers."""
    found = {}
    for scan in [one for one in scans if one["status"] == "running"][:_MOST_STEPS]:
        said = await get_or(request, f"/scans/{scan['id']}/steps", {"items": []})
        if said["items"]:
            found[scan["id"]] = said["items"][-1]["text"]
    return found


def _choices() -> dict[str, Any]:
    return {
        "status": [one.value for one in ScanStatus],
        "verdict": [one.value for one in Verdict],
        "decision": [one.value for one in Decision],
        "ecosystem": list(names()),
        "depth": list(DEPTHS),
    }
