"""Where an invitation's link leads: its reader chooses a password. The secret is behind the # of the address: browsers
keep that to themselves, so no log has it. A line of script puts it into the form; without, people paste the link."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web.inside import ask
from package_hunter.web.page import PageRoute, field, show, to
from package_hunter.web.pages.sign_in import with_cookies


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/welcome")
    async def page(request: Request) -> Response:
        return _shown(request)

    @router.post("/welcome")
    async def take(request: Request) -> Response:
        if field(request, "password") != field(request, "again"):
            return _shown(request, ApiError(400, "The passwords are not the same.", "Type both anew."))
        secret = field(request, "token").strip().rpartition("#")[2]  # the secret, or all of the link
        name = field(request, "name").strip()
        body = {"token": secret, "password": field(request, "password"), "name": name or None}
        answer = await ask(request, "POST", "/invitation", body=body)
        if not answer.ok:
            return _shown(request, answer.error)
        if answer.json()["session"] is None:
            return to("/sign-in", "password-chosen")
        return with_cookies(to("/overview", "welcome"), answer)

    return router


def _shown(request: Request, problem: ApiError | None = None) -> Response:
    typed = {name: field(request, name) if request.method == "POST" else "" for name in ("token", "name")}
    return show(request, "welcome", {"typed": typed}, problem=problem)
