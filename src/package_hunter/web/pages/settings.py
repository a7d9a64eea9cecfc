"""One's own account: password, one-time codes, sessions, and the identity providers that know one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web.inside import ask, get, get_or, part
from package_hunter.web.navigation import settings_tabs
from package_hunter.web.page import PageRoute, field, show, to
from package_hunter.web.pages.confirm import is_recent
from package_hunter.web.pages.sign_in import with_cookies


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/settings")
    async def page(request: Request) -> Response:
        return await _shown(request)

    @router.post("/settings/password")
    async def password(request: Request) -> Response:
        if field(request, "new") != field(request, "again"):
            return await _shown(
                request, ApiError(400, "The new passwords are not the same.", "Type both anew.")
            )
        body = {"old": field(request, "old"), "new": field(request, "new"), **_code(request)}
        answer = await ask(request, "POST", "/me/password", body=body)
        return to("/sign-in", "password-changed") if answer.ok else await _shown(request, answer.error)

    _codes(router)
    _sessions(router)
    _identities(router)
    return router


def _code(request: Request) -> dict[str, str]:
    code = field(request, "code").strip()
    return {"code": code} if code else {}


def _codes(router: APIRouter) -> None:
    @router.post("/settings/codes/begin")
    async def begin(request: Request) -> Response:
        answer = await ask(request, "POST", "/me/totp")
        return show(request, "enrol", answer.json()) if answer.ok else await _shown(request, answer.error)

    @router.post("/settings/codes/confirm")
    async def confirm(request: Request) -> Response:
        answer = await ask(request, "POST", "/me/totp/confirm", body={"code": field(request, "code").strip()})
        if answer.ok:
            return show(request, "recovery", {**answer.json(), "ended": True})
        again = {name: field(request, name) for name in ("secret", "uri")}
        return show(request, "enrol", again, problem=answer.error)

    @router.post("/settings/codes/recovery")
    async def recovery(request: Request) -> Response:
        body = {"password": field(request, "password"), **_code(request)}
        answer = await ask(request, "POST", "/me/totp/codes", body=body)
        if not answer.ok:
            return await _shown(request, answer.error)
        return show(request, "recovery", {**answer.json(), "ended": False})

    @router.post("/settings/codes/remove")
    async def remove(request: Request) -> Response:
        body = {"password": field(request, "password"), **_code(request)}
        answer = await ask(request, "POST", "/me/totp/remove", body=body)
        return to("/sign-in", "own-codes-gone") if answer.ok else await _shown(request, answer.error)


def _sessions(router: APIRouter) -> None:
    @router.post("/settings/sessions/end")
    async def end(request: Request) -> Response:
        answer = await ask(request, "DELETE", f"/sessions/{part(field(request, 'session'))}")
        return to("/settings", "session-ended") if answer.ok else await _shown(request, answer.error)

    @router.post("/settings/sessions/end-others")
    async def end_others(request: Request) -> Response:
        answer = await ask(request, "DELETE", "/sessions")
        return to("/settings", "others-ended") if answer.ok else await _shown(request, answer.error)


def _identities(router: APIRouter) -> None:
    @router.post("/settings/identities/link")
    async def link(request: Request) -> Response:
        provider = field(request, "provider")
        answer = await ask(request, "POST", f"/me/identities/{part(provider)}")
        if not answer.ok:
            return await _shown(request, answer.error)
        where = {"url": answer.json()["url"], "provider": provider}
        return with_cookies(show(request, "go_on", where), answer)

    @router.post("/settings/identities/unlink")
    async def unlink(request: Request) -> Response:
        answer = await ask(request, "DELETE", f"/me/identities/{part(field(request, 'provider'))}")
        return to("/sign-in", "unlinked") if answer.ok else await _shown(request, answer.error)


async def _shown(request: Request, problem: ApiError | None = None) -> Response:
    nothing: dict[str, list[Any]] = {"items": []}
    known = (await get_or(request, "/me/identities", nothing))["items"]
    linked = {one["provider"] for one in known}
    me = await get(request, "/me")
    values = {
        "tabs": settings_tabs(request.state.access, request.url.path),
        "me": me,
        "sessions": (await get_or(request, "/sessions", nothing))["items"],
        "known": known,
        "others": [name for name in (await get(request, "/oidc"))["items"] if name not in linked],
        "recent": await is_recent(request),
    }
    return show(request, "settings", values, problem=problem)
