"""Showing once more who one is: what changes an account's own credentials asks that it was a moment ago."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.recent import RECENT_SECONDS
from package_hunter.api.service import Service
from package_hunter.web.inside import ask, get_or, part
from package_hunter.web.page import PageRoute, field, show, to
from package_hunter.web.pages.sign_in import own_path, with_cookies


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/confirm")
    async def page(request: Request) -> Response:
        return await _shown(request, request.query_params.get("next", ""))

    @router.post("/confirm")
    async def confirm(request: Request) -> Response:
        target, code = field(request, "next"), field(request, "code").strip()
        body = {"password": field(request, "password"), **({"code": code} if code else {})}
        answer = await ask(request, "POST", "/session/confirm", body=body)
        return to(own_path(target), "confirmed") if answer.ok else await _shown(request, target, answer.error)

    @router.post("/confirm/provider")
    async def at_provider(request: Request) -> Response:
        answer = await ask(request, "POST", f"/session/confirm/{part(field(request, 'provider'))}")
        if not answer.ok:
            return await _shown(request, field(request, "next"), answer.error)
        where = {"url": answer.json()["url"], "provider": field(request, "provider")}
        return with_cookies(show(request, "go_on", where), answer)

    return router


async def _shown(request: Request, target: str, problem: ApiError | None = None) -> Response:
    known = await get_or(request, "/me/identities", {"items": []})
    values = {"next": own_path(target), "providers": [one["provider"] for one in known["items"]]}
    return show(request, "confirm", values, problem=problem)


async def is_recent(request: Request) -> bool:
    """Whether the person showed a moment ago who he is; true, too, where there is no session to ask (a password comes
    with each request)."""
    session = await get_or(request, "/session", None)
    if session is None:
        return True
    when = datetime.fromisoformat(session["authenticated"])
    return (datetime.now(UTC) - when).total_seconds() < RECENT_SECONDS - 5
