"""Policies: which scopes have one, what holds in a project and why, and one document as a form and as its source."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.model.depth import DEPTHS
from package_hunter.model.scales import SEVERITIES
from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy.model import CONFIDENCES, Mode, When
from package_hunter.web import changes, places
from package_hunter.web.inside import ask, consult, get, get_or, part
from package_hunter.web.page import PageRoute, act, field, form_of, show, to
from package_hunter.web.policy_form import applied, free_rows

_ALL = "all"


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/policies")
    async def page(request: Request) -> Response:
        project = request.query_params.get("project", "")
        holds = await get(request, f"/projects/{part(project)}/policy") if project else None
        projects = (await get_or(request, "/projects", {"items": []}))["items"]
        values = {
            "scopes": (await get(request, "/policies"))["items"],
            "groups": (await get_or(request, "/groups", {"items": []}))["items"],
            "projects": projects,
            "project": project,
            "path_of": {one["id"]: one["path"] for one in projects},
            "holds": holds,
        }
        return show(request, "policies", values)

    @router.get("/policies/{scope}")
    async def policy(request: Request, scope: str) -> Response:
        there = await _scope(request, scope)
        return await _shown(request, there, there["source"])

    @router.post("/policies/{scope}")
    async def save(request: Request, scope: str) -> Response:
        asked = act(request, "form", "source", "look", "propose")
        there, form = await _scope(request, scope), form_of(request)
        text = changes.text(form, "source")
        if field(request, "view") == "form":
            checked = await _checked(request, there, source=text)
            if checked["document"] is not None:
                made = applied(checked["document"], form, narrow=there["narrow"])
                text = (await _checked(request, there, document=made))["source"]
        if asked not in ("look", "propose"):
            return await _shown(request, there, text)
        checked = await _checked(request, there, source=text)
        if not checked["ok"]:
            problem = ApiError(400, "The policy cannot be used as it is.", "Mend what is marked.")
            return await _shown(request, there, text, problem=problem)
        return await _sent(request, there, text, checked["document"])

    return router


async def _scope(request: Request, scope: str) -> dict[str, Any]:
    """A scope and what stands there, nothing where it has no policy of its own; ApiError 404."""
    every = {"findings": "20000"} if request.query_params.get("count") == "all" else {}
    found = await get_or(request, f"/policies/{part(scope)}", None, every)
    narrow, place = scope != _ALL, places.EVERYWHERE
    name = "all"
    if narrow:
        kind, path = await _named(request, scope)
        name, place = f"{kind} {path}", f"{kind}:{scope}"
    if found is None:
        found = {"source": "", "document": {}, "version": 0, "rules": [], "counted": 0, "not_counted": 0}
        found |= {"who": "", "time": None, "reviewed": False, "digest": ""}
    return {**found, "id": scope, "name": name, "place": place, "narrow": narrow}


async def _named(request: Request, scope: str) -> tuple[str, str]:
    project = await get_or(request, f"/projects/{part(scope)}", None)
    if project is not None:
        return "project", project["path"]
    groups = (await get_or(request, "/groups", {"items": []}))["items"]
    path = next((one["path"] for one in groups if one["id"] == scope), None)
    if path is None:
        raise ApiError(404, "There is no such policy.", "See the list of policies.")
    return "group", path


async def _checked(request: Request, there: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = await consult(request, "/policies/check", {**body, "narrow": there["narrow"]})
    if not answer.ok:
        raise answer.error
    found: dict[str, Any] = answer.json()
    return found


async def _sent(request: Request, there: dict[str, Any], text: str, document: Any) -> Response:
    """What it would do; with a reason, a proposal."""
    propose = field(request, "act") == "propose"
    wish: Any = document or (
        None if there["narrow"] else document
    )  # an empty one asks for nothing: none is there
    body: dict[str, Any] = {"kind": "policy", "document": wish}
    path = f"{places.path_of(there['place'])}/proposals"
    if propose:
        body |= {"reason": changes.text(form_of(request), "why")}
    answer = await ask(request, "POST", path if propose else f"{path}/preview", body=body)
    if not answer.ok:
        return await _shown(request, there, text, problem=answer.error)
    made = answer.json()
    if not propose:
        return await _shown(request, there, text, seen=made)
    done = "proposal-applied-alone" if made["state"] == "applied" else "proposal-made"
    return to(f"/proposals/{made['number']}", done)


async def _shown(
    request: Request,
    there: dict[str, Any],
    text: str,
    *,
    problem: ApiError | None = None,
    seen: Any = None,
) -> Response:
    posted = request.method == "POST"
    checked = await _checked(request, there, source=text)
    asked = field(request, "act") if posted else ""
    view = request.query_params.get("view", "form")
    view = asked if asked in ("form", "source") else field(request, "view") if posted else view
    if not checked["ok"]:
        view = "source"  # a form of what cannot be read would lose it
    document = checked["document"]
    mine = [place for place, _ in await places.choices(request)]
    values = {
        "there": there,
        "text": text,
        "view": "source" if view == "source" else "form",
        "document": document,
        "rows": free_rows(document or {}),
        "problems": [{**one, "severity": "error"} for one in checked["problems"]],
        "why": changes.text(form_of(request), "why") if posted else "",
        "may_propose": there["place"] in mine,
        "seen": seen,
        "verdicts": [one.value for one in Verdict],
        "decisions": [one.value for one in Decision],
        "modes": [one.value for one in Mode],
        "severities": list(SEVERITIES),
        "confidences": list(CONFIDENCES),
        "scans": [one.value for one in When],
        "depths": list(DEPTHS),
    }
    return show(request, "policy", values, problem=problem)
