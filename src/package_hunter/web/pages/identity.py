"""Whose word the server believes: identity providers, the roles of their groups, and which CI jobs are let in."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import MEANING, Permission
from package_hunter.access.roles import SERVER_ROLES, Role
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.store.ci import USUAL
from package_hunter.web.inside import ask, get
from package_hunter.web.navigation import settings_tabs
from package_hunter.web.page import PageRoute, field, form_of, show, to
from package_hunter.web.pages.people import may_manage, typed

_HERE = "/settings/identity"
_FIELDS = ("name", "kind", "issuer", "client_id", "groups_claim", "provider", "conditions", "project", "why")
_MORE = ("owner_claim", "owner_role", "creates")


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get(_HERE)
    async def page(request: Request) -> Response:
        return await _shown(request)

    @router.post(f"{_HERE}/provider")
    async def add_provider(request: Request) -> Response:
        names = ("name", "kind", "issuer", "client_id", "groups_claim", "why", "secret")
        body = {name: field(request, name).strip() for name in names if field(request, name).strip()}
        return await _done(request, "POST", "/identity/providers", body, None, "provider-added")

    @router.post(f"{_HERE}/provider-remove")
    async def remove_provider(request: Request) -> Response:
        return await _done(
            request, "DELETE", "/identity/providers", None, _which(request), "provider-removed"
        )

    @router.post(f"{_HERE}/rule")
    async def add_rule(request: Request) -> Response:
        try:
            body = _rule(request)
        except ApiError as error:
            return await _shown(request, error)
        return await _done(request, "POST", "/identity/ci-rules", body, None, "rule-added")

    @router.post(f"{_HERE}/rule-remove")
    async def remove_rule(request: Request) -> Response:
        return await _done(request, "DELETE", "/identity/ci-rules", None, _which(request), "rule-removed")

    return router


def _which(request: Request) -> dict[str, str]:
    return {"name": field(request, "name"), "why": field(request, "why")}


async def _done(
    request: Request, method: str, route: str, body: Any, query: dict[str, str] | None, said: str
) -> Response:
    answer = await ask(request, method, route, query, body)
    return to(_HERE, said) if answer.ok else await _shown(request, answer.error)


def _rule(request: Request) -> dict[str, Any]:
    """The rule of the form; ApiError 400: a line of its conditions is none."""
    conditions: dict[str, list[str]] = {}
    for line in field(request, "conditions").splitlines():
        claim, equals, pattern = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not claim or not equals or not pattern:
            raise ApiError(400, f"{line[:200]!r} is no condition.", "Write one a line: claim = pattern.")
        conditions.setdefault(claim, []).append(pattern)
    names = ("name", "provider", "project", "owner_claim", "owner_role", "why")
    said = {name: field(request, name).strip() for name in names if field(request, name).strip()}
    permissions = [str(one) for one in form_of(request).getlist("permission")]
    creates = bool(field(request, "creates"))
    return {**said, "conditions": conditions, "permissions": permissions, "creates": creates}


async def _shown(request: Request, problem: ApiError | None = None) -> Response:
    providers = (await get(request, "/identity/providers"))["items"]
    posted = request.method == "POST"
    chosen = set(form_of(request).getlist("permission")) if posted else {one.value for one in USUAL}
    values = {
        "tabs": settings_tabs(request.state.access, request.url.path),
        "providers": providers,
        "mappings": (await get(request, "/identity/mappings"))["items"],
        "rules": (await get(request, "/identity/ci-rules"))["items"],
        "may": may_manage(request, Permission.IDENTITY_MANAGE),
        "forges": [one["name"] for one in providers if one["kind"] != "oidc"],
        "permissions": [
            (one.value, MEANING[one], one.value in chosen) for one in Permission if one.in_projects
        ],
        "roles": [role.value for role in Role if role not in SERVER_ROLES],
        "typed": {name: typed(request, name) for name in (*_FIELDS, *_MORE)},
        "of_rule": posted and bool(field(request, "conditions")),
    }
    return show(request, "identity", values, problem=problem)
