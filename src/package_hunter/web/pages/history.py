"""The history: who changed what, where and when, each in a sentence; and whether its chain is whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.service import Service
from package_hunter.web import export, lists
from package_hunter.web.history_words import VERBS, told, values
from package_hunter.web.inside import get
from package_hunter.web.page import PageRoute, show

_LISTING = export.Listing("/history")
_PLAIN = ("id", "time", "who", "origin", "action", "object", "project")
_COLUMNS: export.Columns = (
    *((name, lambda one, name=name: one[name]) for name in _PLAIN),
    ("sentence", lambda one: _sentence(one)),
    *((name, lambda one, name=name: one[name]) for name in ("before", "after", "why", "position")),
)
_NO_FILTERS = ("check", "order")


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/history")
    async def page(request: Request) -> Response:
        asked = lists.asked(request, _LISTING, *_NO_FILTERS)
        query, after = {**asked, "order": "newest"}, request.query_params.get("after")
        found = await lists.rows(request, _LISTING, {**query, "after": after}, asked)
        whole = request.query_params.get("check") == "all"
        entries = [{**one, "told": told(one), "values": _details(one)} for one in found.items]
        return show(
            request,
            "history",
            {
                "entries": entries,
                "asked": asked,
                "chain": await get(request, "/history/chain", {"whole": "true"} if whole else None),
                "things": sorted({action.partition(".")[0] for action in VERBS}),
                "older": found.next and export.address("/history", {**asked, "after": found.next}),
                "csv": export.address("/history.csv", asked),
                "json": export.address("/api/v1/history", query),
            },
            problem=found.problem,
        )

    @router.get("/history.csv")
    async def as_csv(request: Request) -> Response:
        asked = lists.asked(request, _LISTING, *_NO_FILTERS)
        return await export.as_csv(request, _LISTING, {**asked, "order": "newest"}, _COLUMNS, "history")

    return router


def _sentence(entry: Mapping[str, Any]) -> str:
    found = told(entry)
    told_so = " ".join(filter(None, (found.who, found.verb, found.object, found.tail)))
    return told_so.replace(" : ", ": ")


def _details(entry: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What there was before, and after; what is there."""
    both = (("before", values(entry["before"])), ("after", values(entry["after"])))
    return [(name, found) for name, found in both if found]
