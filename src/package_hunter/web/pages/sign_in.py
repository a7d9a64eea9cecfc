"""Sign in, with a password or an identity provider, and sign out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.service import Service
from package_hunter.web.inside import Answer, ask, get
from package_hunter.web.page import PageRoute, field, show, to


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/sign-in")
    async def page(request: Request) -> Response:
        return await _page(request, request.query_params.get("next", ""))

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        who = {"name": field(request, "name"), "password": field(request, "password")}
        code = field(request, "code").strip()
        answer = await ask(request, "POST", "/session", body={**who, **({"code": code} if code else {})})
        if not answer.ok:
            return await _page(request, field(request, "next"), answer)
        return with_cookies(to(own_path(field(request, "next"))), answer)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        answer = await ask(request, "DELETE", "/session")
        if not answer.ok and answer.status != 404:
            raise answer.error
        return with_cookies(to("/sign-in", "signed-out"), answer)

    return router


async def _page(request: Request, target: str, refused: Answer | None = None) -> Response:
    values = {
        "next": own_path(target),
        "name": "" if refused is None else field(request, "name"),
        "providers": (await get(request, "/oidc"))["items"],
    }
    return show(request, "sign_in", values, problem=None if refused is None else refused.error)


def own_path(target: str) -> str:
    """Where to go on: a page of this server, whatever a link says."""
    own = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if own and not target.startswith("/sign-") else "/overview"


def with_cookies(response: Response, answer: Answer) -> Response:
    """The same, with the cookies that the API gave."""
    for name, value in answer.headers:
        if name.lower() == b"set-cookie":
            response.raw_headers.append((name, value))
    return response
