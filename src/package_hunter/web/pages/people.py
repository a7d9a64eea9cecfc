"""People: who has an account, what each may do where and how each signs in; the help that an administrator gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import MEANING, Role
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web import export
from package_hunter.web.inside import Answer, ask, get, get_or
from package_hunter.web.page import PageRoute, field, show, to
from package_hunter.web.whereabouts import spot_at, spots

_PAGE = 100
_ACTS = {
    "end-sessions": ("/users/sessions", "sessions-ended"),
    "unlock": ("/users/lock", "user-unlocked"),
    "codes": ("/users/totp", "codes-gone"),
    "remove": ("/users", "user-removed"),
}
"""What is done to one account: the API's route (DELETE), and what is said then."""


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/people")
    async def page(request: Request) -> Response:
        return await _people(request)

    @router.post("/people/invite")
    async def invite(request: Request) -> Response:
        try:
            roles = [await start_role(request)] if field(request, "role") else []
        except ApiError as error:
            return await _people(request, error)
        name = field(request, "name").strip()
        body: dict[str, Any] = {"name": name, "roles": roles, "why": field(request, "why") or None}
        home, hours = field(request, "home").strip(), field(request, "hours").strip()
        body |= ({"home": home} if home else {}) | ({"hours": number(hours)} if hours else {})
        answer = await ask(request, "POST", "/users/invitations", body=body)
        if not answer.ok:
            return await _people(request, answer.error)
        return _invited(request, name, answer)

    @router.get("/people/account")
    async def account(request: Request) -> Response:
        return await _account(request, request.query_params.get("name", ""))

    for act, (route, said) in _ACTS.items():
        _act(router, act, route, said)

    @router.post("/people/account/invite")
    async def invite_again(request: Request) -> Response:
        name = field(request, "name")
        body = {"name": name, "why": field(request, "why") or None}
        answer = await ask(request, "POST", "/users/invitations", body=body)
        return _invited(request, name, answer) if answer.ok else await _account(request, name, answer.error)

    return router


def _act(router: APIRouter, act: str, route: str, said: str) -> None:
    @router.post(f"/people/account/{act}", name=f"people {act}")
    async def do(request: Request) -> Response:
        name = field(request, "name")
        answer = await ask(request, "DELETE", route, {"name": name, "why": field(request, "why")})
        if not answer.ok:
            return await _account(request, name, answer.error)
        return to("/people", said) if act == "remove" else to("/people/account", said, {"name": name})


async def start_role(request: Request) -> dict[str, str]:
    """The role that a form gives, and where; ApiError 404."""
    where = await spot_at(request, field(request, "place").strip())
    return {"role": field(request, "role")} | ({where.kind: where.path} if where.path else {})


def number(text: str) -> Any:
    """A number of a form; as it is where it is none, for the API to refuse."""
    try:
        return float(text)
    except ValueError:
        return text


def role_choices(everywhere: bool = True) -> list[tuple[str, str]]:
    """The roles that can be held in a project (or everywhere), each with what it is."""
    server = () if everywhere else (Role.ADMINISTRATOR, Role.MONITOR)
    return [(role.value, f"{role.value}: {MEANING[role]}") for role in Role if role not in server]


def _invited(request: Request, name: str, answer: Answer) -> Response:
    made = answer.json()
    return show(request, "invited", {"name": name, "url": made["url"]})


async def _people(request: Request, problem: ApiError | None = None) -> Response:
    every = sorted((await get(request, "/users"))["items"], key=lambda one: str(one["name"]))
    may = may_manage(request, Permission.USER_MANAGE)
    words, after = (request.query_params.get(name, "") for name in ("text", "after"))
    fit = [one for one in every if words.casefold() in one["name"].casefold() and one["name"] > after]
    shown = fit[:_PAGE]
    following = {"text": words, "after": shown[-1]["name"]} if len(fit) > _PAGE else None
    values = {
        "users": shown,
        "text": words,
        "more": following and export.address("/people", following),
        "may": may,
        "may_members": may_manage(request, Permission.ROLE_READ),
        "may_tokens": may_manage(request, Permission.TOKEN_READ),
        "may_identity": may_manage(request, Permission.IDENTITY_READ),
        "roles": role_choices(),
        "spots": await spots(request) if may else [],
        "typed": {name: typed(request, name) for name in ("name", "role", "place", "home", "hours", "why")},
    }
    return show(request, "people", values, problem=problem)


async def _account(request: Request, name: str, problem: ApiError | None = None) -> Response:
    users = (await get(request, "/users"))["items"]
    who: Mapping[str, Any] | None = next((one for one in users if one["name"] == name), None)
    if who is None:
        raise problem or ApiError(404, f"There is no user {name[:140]!r}.", "See the list of people.")
    values = {
        "who": who,
        "may": may_manage(request, Permission.USER_MANAGE),
        "here": {one.path: f"{one.root}/members" for one in await spots(request)},
        "tokens": [
            one
            for one in (await get_or(request, "/tokens", {"items": []}))["items"]
            if one["owner"] == name and not one["revoked"]
        ],
        "may_history": may_manage(request, Permission.HISTORY_READ),
    }
    return show(request, "account", values, problem=problem)


def may_manage(request: Request, permission: Permission) -> bool:
    """Whether the account may do that everywhere: else its form is not shown (the API refuses it anyway)."""
    return bool(request.state.access.may(permission))


def typed(request: Request, name: str) -> str:
    """What was typed into a form that is shown again."""
    return field(request, name) if request.method == "POST" else ""
