"""Who has which role: in a project, in a group, everywhere; and the groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web import export
from package_hunter.web.inside import ask, get
from package_hunter.web.page import PageRoute, field, show, to
from package_hunter.web.pages.people import may_manage, role_choices, typed
from package_hunter.web.whereabouts import EVERYWHERE, Spot, held_at, spot_of, spots

_SHOWN = 100  # groups and projects on a page
_Find = Callable[[Request], Awaitable[Spot]]


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    async def project(request: Request) -> Spot:
        return await spot_of(request, "project", request.path_params["project_id"])

    async def group(request: Request) -> Spot:
        return await spot_of(request, "group", request.path_params["group_id"])

    async def everywhere(_request: Request) -> Spot:
        return EVERYWHERE

    _members(router, "/projects/{project_id}/members", project)
    _members(router, "/groups/{group_id}/members", group)
    _members(router, "/members", everywhere)
    _groups(router)
    return router


def _members(router: APIRouter, path: str, find: _Find) -> None:
    @router.get(path)
    async def page(request: Request) -> Response:
        return await _shown(request, await find(request))

    @router.post(f"{path}/give")
    async def give(request: Request) -> Response:
        spot = await find(request)
        body = {
            "account": field(request, "account").strip(),
            "role": field(request, "role"),
            "why": field(request, "why") or None,
        }
        answer = await ask(request, "POST", f"{spot.root}/members", body=body)
        return (
            to(f"{spot.root}/members", "role-given")
            if answer.ok
            else await _shown(request, spot, answer.error)
        )

    @router.post(f"{path}/take")
    async def take(request: Request) -> Response:
        spot = await find(request)
        query = {name: field(request, name) for name in ("account", "role", "why")}
        answer = await ask(request, "DELETE", f"{spot.root}/members", query)
        return (
            to(f"{spot.root}/members", "role-taken")
            if answer.ok
            else await _shown(request, spot, answer.error)
        )


async def _shown(request: Request, spot: Spot, problem: ApiError | None = None) -> Response:
    found = await get(request, f"{spot.root}/members")
    inside = spot.path.split("/")
    above = {"/".join(inside[:n]) for n in range(1, len(inside))}
    values = {
        "spot": spot,
        "members": found["items"],
        "above": [one for one in await spots(request) if one.kind == "group" and one.path in above],
        "may": _may(request, spot),
        "may_everywhere": may_manage(request, Permission.ROLE_READ),
        "may_people": may_manage(request, Permission.USER_READ),
        "roles": role_choices(everywhere=not spot.path),
        "typed": {name: typed(request, name) for name in ("account", "role", "why")},
    }
    return show(request, "members", values, problem=problem)


def _may(request: Request, spot: Spot) -> bool:
    """Whether to show the forms; the API looks closer."""
    access = request.state.access
    if not spot.path:
        return bool(access.may(Permission.ROLE_MANAGE))
    return Permission.MEMBER_MANAGE in held_at(access, spot)


def _groups(router: APIRouter) -> None:
    @router.get("/groups")
    async def page(request: Request) -> Response:
        return await _shown_groups(request)

    @router.post("/groups/add")
    async def add(request: Request) -> Response:
        kind = field(request, "kind") if field(request, "kind") in ("group", "project") else "group"
        body = {"path": field(request, "path").strip(), "why": field(request, "why") or None}
        answer = await ask(request, "POST", f"/{kind}s", body=body)
        if not answer.ok:
            return await _shown_groups(request, answer.error)
        return to(f"/{kind}s/{answer.json()['id']}/members", f"{kind}-made")


async def _shown_groups(request: Request, problem: ApiError | None = None) -> Response:
    text, after = (request.query_params.get(name, "").strip() for name in ("q", "after"))
    found = [one for one in await spots(request) if text.lower() in one.path.lower()]
    rest = [one for one in found if one.path > after]
    values = {
        "spots": rest[:_SHOWN],
        "all": len(found),
        "q": text,
        "next": export.address("/groups", {"q": text, "after": rest[_SHOWN - 1].path})
        if len(rest) > _SHOWN
        else "",
        "may": may_manage(request, Permission.GROUP_CREATE),
        "may_people": may_manage(request, Permission.USER_READ),
        "may_everywhere": may_manage(request, Permission.ROLE_READ),
        "typed": {name: typed(request, name) for name in ("path", "kind", "why")},
    }
    return show(request, "groups", values, problem=problem)
