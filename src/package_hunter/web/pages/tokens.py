"""Tokens of machines: the server's, and one's own. A token's value is shown once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import MEANING, Permission
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web.inside import ask, get_or
from package_hunter.web.navigation import settings_tabs
from package_hunter.web.page import PageRoute, field, form_of, show, to
from package_hunter.web.pages.confirm import is_recent
from package_hunter.web.pages.people import may_manage, role_choices, start_role, typed
from package_hunter.web.whereabouts import spots

_FIELDS = ("name", "role", "place", "home", "places", "days", "owner", "why")


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/tokens")
    async def page(request: Request) -> Response:
        return await _shown(request)

    @router.post("/tokens/own")
    async def add_own(request: Request) -> Response:
        return await _made(request, "/me/tokens", {})

    @router.post("/tokens/add")
    async def add(request: Request) -> Response:
        more: dict[str, Any] = {"owner": field(request, "owner").strip() or None}
        more |= {"home": field(request, "home").strip()} if field(request, "home").strip() else {}
        try:
            more["roles"] = [await start_role(request)] if field(request, "role") else []
        except ApiError as error:
            return await _shown(request, error)
        return await _made(request, "/tokens", more)

    @router.post("/tokens/revoke")
    async def revoke(request: Request) -> Response:
        return await _revoked(request, "/tokens")

    @router.post("/tokens/revoke-own")
    async def revoke_own(request: Request) -> Response:
        return await _revoked(request, "/me/tokens")

    return router


async def _made(request: Request, route: str, more: dict[str, Any]) -> Response:
    try:
        body = {"name": field(request, "name").strip(), "why": field(request, "why") or None}
        answer = await ask(request, "POST", route, body={**body, **await _limits(request), **more})
    except ApiError as error:
        return await _shown(request, error)
    if not answer.ok:
        return await _shown(request, answer.error)
    return show(request, "token_made", answer.json())


async def _limits(request: Request) -> dict[str, Any]:
    """What the form limits the token to; ApiError 404: a place that is not there."""
    permissions = [str(one) for one in form_of(request).getlist("permission")]
    wanted = [line.strip() for line in field(request, "places").splitlines() if line.strip()]
    days = field(request, "days").strip()
    limits: dict[str, Any] = {"permissions": permissions or None}
    if days:
        limits["expires_in_days"] = int(days) if days.isdigit() else days
    if field(request, "for_ever"):
        limits["expires_in_days"] = None
    if wanted:
        known = {one.path: one.kind for one in await spots(request)}
        for path in wanted:
            if path not in known:
                raise ApiError(
                    404, f"There is no group or project {path[:255]!r}.", "One path a line, as in the list."
                )
        limits["projects"] = [path for path in wanted if known[path] == "project"]
        limits["groups"] = [path for path in wanted if known[path] == "group"]
    return limits


async def _revoked(request: Request, route: str) -> Response:
    answer = await ask(
        request, "DELETE", route, {"name": field(request, "name"), "why": field(request, "why")}
    )
    return to("/tokens", "token-revoked") if answer.ok else await _shown(request, answer.error)


async def _shown(request: Request, problem: ApiError | None = None) -> Response:
    own = await get_or(request, "/me/tokens", {"items": []})
    every = await get_or(request, "/tokens", None)
    chosen = set(form_of(request).getlist("permission")) if request.method == "POST" else set()
    may = may_manage(request, Permission.TOKEN_MANAGE)
    values = {
        "tabs": settings_tabs(request.state.access, request.url.path),
        "own": own["items"],
        "every": None if every is None else every["items"],
        "may": may,
        "recent": await is_recent(request),
        "permissions": [(one.value, MEANING[one], one.value in chosen) for one in Permission],
        "roles": role_choices(),
        "spots": await spots(request),
        "typed": {name: typed(request, name) for name in _FIELDS},
    }
    return show(request, "tokens", values, problem=problem)
