"""Many findings at once: first what it would do, then exactly that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web.inside import ask, part
from package_hunter.web.page import PageRoute, field, form_of, prose, show, to
from package_hunter.web.pages.findings import STATES, listed, said

_MOST_CLAIMS = 50  # rows of a page


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.post("/findings/preview")
    async def preview(request: Request) -> Response:
        return await _preview(request)

    @router.post("/findings/apply")
    async def apply(request: Request) -> Response:
        body = {**_meant(request), "digest": field(request, "digest")}
        answer = await ask(request, "POST", "/findings/state", body=body)
        if not answer.ok:
            return await _preview(request, answer.error)
        return to("/findings", "findings-set", said(request))

    @router.post("/findings/claim")
    async def claim(request: Request) -> Response:
        ids = form_of(request).getlist("id")[:_MOST_CLAIMS]
        if not ids:
            refused = ApiError(400, "No finding is chosen.", "Tick those that you are on.")
            return await listed(request, said(request), problem=refused, typed=_typed(request))
        for one in ids:
            answer = await ask(request, "PUT", f"/findings/{part(one)}/claim", body={})
            if not answer.ok:
                return await listed(request, said(request), problem=answer.error, typed=_typed(request))
        return to("/findings", "findings-claimed", said(request))

    return router


def _typed(request: Request) -> dict[str, str]:
    names = ("state", "reason", "until", "which")
    return {**{name: field(request, name) for name in names}, "remark": prose(request, "remark")}


def _meant(request: Request) -> dict[str, Any]:
    """Which findings, and the state, as the API takes them."""
    typed = _typed(request)
    new = {name: typed[name] for name in ("state", "reason", "remark", "until") if typed[name]}
    if typed["which"] == "all":
        return {"filter": {k: v for k, v in said(request).items() if k != "order"}, "set": new}
    return {"ids": form_of(request).getlist("id"), "set": new}


async def _preview(request: Request, problem: ApiError | None = None) -> Response:
    """What it would do; the list once more where it could not be done at all."""
    typed, meant = _typed(request), _meant(request)
    answer = await ask(request, "POST", "/findings/preview", body=meant)
    if not answer.ok:
        return await listed(request, said(request), problem=problem or answer.error, typed=typed)
    return show(request, "findings_preview", _values(request, typed, answer.json()), problem=problem)


def _values(request: Request, typed: Mapping[str, str], seen: Any) -> dict[str, Any]:
    query = said(request)
    return {
        "typed": typed,
        "seen": seen,
        "meaning": dict(STATES).get(typed["state"], typed["state"]),
        "ids": form_of(request).getlist("id") if typed["which"] != "all" else [],
        "filter": field(request, "filter"),
        "asked": query,
        "back": "/findings" + (f"?{field(request, 'filter')}" if query else ""),
    }
