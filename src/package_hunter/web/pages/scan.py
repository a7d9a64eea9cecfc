"""A scan: the verdict and what to do, and its evidence, a tab a component, so that the first page is light."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import access_to
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.model.report import Report
from package_hunter.model.times import rfc3339
from package_hunter.report import evidence, words
from package_hunter.storage.handed_out import PASSWORD
from package_hunter.web import export
from package_hunter.web.inside import get, get_or, part
from package_hunter.web.page import PageRoute, show
from package_hunter.web.pages import scan_acts, scan_events
from package_hunter.web.shelf import Shelf
from package_hunter.web.shown import KINDS, Findings

TABS: Mapping[str, str] = {
    "": "Summary",
    "findings": "Findings",
    "timeline": "Timeline",
    "processes": "Processes",
    "network": "Network",
    "secrets": "Secrets",
    "files": "Files",
    "indicators": "Indicators",
    "coverage": "Coverage",
    "events": "Events",
    "keep": "Download and keep",
}
_FIRST, _FIRST_WAYS = 8, 3  # findings and secrets of the summary
_AT_ONCE = 5_000  # processes of a report that is compared without being asked for
_MAY = {
    "submit": Permission.SCAN_SUBMIT,
    "delete": Permission.SCAN_DELETE,
    "hold": Permission.HOLD_MANAGE,
    "sample": Permission.SAMPLE_READ,
    "report": Permission.REPORT_READ,
    "findings": Permission.FINDING_READ,
}


def routes(service: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    pages = ScanPages(service)
    for tab in TABS:
        router.get(f"/scans/{{scan_id}}/{tab}".rstrip("/"))(_page(pages, tab))
    scan_acts.add(router, pages.page)
    return router


def _page(pages: ScanPages, tab: str) -> Callable[..., Any]:
    async def page(request: Request, scan_id: str) -> Response:
        return await pages.page(request, scan_id, tab)

    return page


class ScanPages:
    """The pages of scans, with the reports that were looked at lately."""

    def __init__(self, service: Service) -> None:
        self._shelf = Shelf()
        self._formats = ["json", *service.renderers]

    async def page(
        self, request: Request, scan_id: str, tab: str = "", problem: ApiError | None = None
    ) -> Response:
        """One tab of a scan. ``problem``: what the API refused of what was to be done with it."""
        scan = await get(request, f"/scans/{part(scan_id)}")
        access, project = access_to(request), uuid.UUID(scan["project"])
        can = {name: access.may_in(project, needed) for name, needed in _MAY.items()}
        found = await self._shelf.of(request, scan_id) if can["report"] else None
        own = f"/scans/{scan['id']}"
        values = {
            "scan": scan,
            "own": own,
            "tab": tab,
            "tabs": TABS,
            "can": can,
            "x": found,
            "words": words,
            "tree": f"{own}/processes",
            "project": await get_or(request, f"/projects/{project}", None),
            "steps": await _steps(request, scan) if found is None else [],
            "live": _live(scan),
        }
        more = await self._more(request, scan, tab, found, can)
        problem = more.pop("refused", None) or problem
        values |= more
        return await run_sync(lambda: show(request, "scan", values, problem=problem))

    async def _more(
        self,
        request: Request,
        scan: dict[str, Any],
        tab: str,
        found: evidence.Exhibits | None,
        can: Mapping[str, bool],
    ) -> dict[str, Any]:
        """What one tab shows beside all others."""
        if tab == "keep":
            return await self._kept(request, scan)
        if found is None:
            return {}
        if tab == "":
            earlier = await get(request, f"/scans/{scan['id']}/earlier")
            return {"earlier": earlier["scan"], **await run_sync(_summary, found)}
        if tab == "events":
            return await scan_events.filtered(request, found, scan["id"], may_fetch=can["sample"])
        if tab == "findings":
            return await run_sync(_findings, request, found, f"/scans/{scan['id']}/findings")
        return {}

    async def _kept(self, request: Request, scan: dict[str, Any]) -> dict[str, Any]:
        path = f"/scans/{scan['id']}"
        nothing: dict[str, Any] = {"items": []}
        holds = await get_or(request, "/holds", nothing)
        bundle, rejudge = [await _standing(request, f"{path}/{what}") for what in ("bundle/state", "rejudge")]
        return {
            "formats": self._formats,
            "recordings": (await get_or(request, f"{path}/recordings", nothing))["items"],
            "dropped": (await get_or(request, f"{path}/dropped", nothing))["items"],
            "holds": [one for one in holds["items"] if _holds(one, scan)],
            "bundle": bundle,
            "rejudge": rejudge,
            "waits": any(one and one["state"] == "waiting" for one in (bundle, rejudge)),
            "password": PASSWORD,
        }


def _live(scan: dict[str, Any]) -> bool:
    return scan["finished"] is None


async def _steps(request: Request, scan: dict[str, Any]) -> list[Any]:
    found: list[Any] = (await get(request, f"/scans/{scan['id']}/steps"))["items"]
    return found


def _holds(hold: dict[str, Any], scan: dict[str, Any]) -> bool:
    return hold["project"] == scan["project"] and hold["scan"] in (None, scan["id"])


async def _standing(request: Request, path: str) -> Any:
    """What was asked for last; None where nobody asked."""
    try:
        return await get_or(request, path, None)
    except ApiError as error:
        if error.status == 409:
            return None
        raise


def _summary(found: evidence.Exhibits) -> dict[str, Any]:
    report = found.report
    ways = [way for way in found.secrets.ways if way.left]
    left = replace(found.secrets, ways=ways[:_FIRST_WAYS], more=0, lawful=[], replaced=())
    return {
        "shown": Findings.of(report, "counting", 1, _FIRST),
        "clock": _clock,
        **_advice(report),
        "left": left,
        "at_once": len(report.processes) <= _AT_ONCE,
        "left_more": max(0, len(ways) - _FIRST_WAYS),
        "ecosystems": ", ".join(dict.fromkeys(t.ecosystem for t in report.targets or (report.target,))),
        "news": list(words.news(report)) if report.baseline is not None else None,
    }


def _advice(report: Report) -> dict[str, Any]:
    """What to do, with links in place of what a command line would be told."""
    blamed = {f.blame.package: f.proof for f in words.counting(report) if f.blame and f.blame.package}
    here = ("--format ", "Who else has it: ")
    return {
        "advice": [line for line in words.advice(report) if not line.startswith(here)],
        "blamed": list(blamed),
        "proven": any(blamed.values()),
    }


def _findings(request: Request, found: evidence.Exhibits, own: str) -> dict[str, Any]:
    asked = request.query_params
    kind, number = asked.get("show", "counting"), asked.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    shown = Findings.of(found.report, kind, max(1, page))
    return {
        "shown": shown,
        "kinds": KINDS,
        "clock": _clock,
        "further": export.address(own, {"show": shown.kind, "page": shown.page + 1}) if shown.more else None,
    }


def _clock(ns: int) -> str:
    return rfc3339(ns)[11:19]
