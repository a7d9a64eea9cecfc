"""Rules: those that hold, in English, the files that they come from, and a place to write, check and try them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web import changes, export, places
from package_hunter.web.inside import ask, consult, get, part
from package_hunter.web.lists import rows
from package_hunter.web.page import PageRoute, act, field, form_of, show, to

_ACTS = ("check", "explain", "try", "look", "propose")
_FILTERS = ("project", "text", "priority", "tag")
EXAMPLE = """- rule: Our own rule
  desc: What it looks for, and why that matters.
  condition: evt.type in (execve, execveat) and proc.name in (curl, wget)
  output: A download by %proc.name (command=%proc.cmdline parent=%proc.pname)
  priority: WARNING
  tags: [network]
"""


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/rules")
    async def page(request: Request) -> Response:
        asked = {name: value for name in _FILTERS if (value := request.query_params.get(name))}
        projects = await _projects(request, Permission.POLICY_READ)
        project = asked.get("project") or _usual(request, projects)
        listed = await rows(request, export.Listing("/rules"), {"project": project}, asked)
        found = listed.items
        values = {
            "rules": [one for one in found if _fits(one, asked)],
            "all": len(found),
            "asked": asked,
            "files": (await get(request, "/rule-sets"))["items"],
            "projects": projects,
            "project": project or "",
            "priorities": sorted({one["priority"] for one in found}),
            "tags": sorted({tag for one in found for tag in one["tags"]}),
            "explain": export.address("/rules/explain", {"project": project}),
        }
        return show(request, "rules", values, problem=listed.problem)

    @router.get("/rules/explain")
    async def explain(request: Request) -> Response:
        query = {name: request.query_params.get(name) for name in ("name", "project")}
        found = await get(request, "/rules/explain", query)
        return show(request, "rule", {"rule": found, "asked": query})

    @router.get("/rules/files/{scope}/{name}")
    async def file(request: Request, scope: str, name: str) -> Response:
        found = await get(request, f"/rule-sets/{part(scope)}/{part(name)}")
        return show(request, "rule_file", {"file": found})

    @router.get("/rules/try")
    async def begin(request: Request) -> Response:
        query = request.query_params
        name, text, place = query.get("name", "team"), EXAMPLE, query.get("place", "")
        if query.get("name"):
            scope = places.scope_of(place)
            text = (await get(request, f"/rule-sets/{part(scope)}/{part(name)}"))["rules"]
        return await _shown(request, name, text, place)

    @router.post("/rules/try")
    async def work(request: Request) -> Response:
        name, place = field(request, "name"), field(request, "place")
        asked = act(request, *_ACTS)
        text = changes.text(form_of(request), "rules")
        if asked == "try":
            query = {"project": field(request, "project")}
            answer = await ask(request, "POST", "/rules/try", query, {"rules": text})
        elif asked in ("look", "propose"):
            answer = await ask(request, "POST", _path(place, asked), body=_body(request, asked, name, text))
        else:
            return await _shown(request, name, text, place)
        if not answer.ok:
            return await _shown(request, name, text, place, problem=answer.error)
        said = answer.json()
        if asked == "propose":
            done = "proposal-applied-alone" if said["state"] == "applied" else "proposal-made"
            return to(f"/proposals/{said['number']}", done)
        return await _shown(request, name, text, place, **{"tried" if asked == "try" else "seen": said})

    return router


def _fits(rule: dict[str, Any], asked: dict[str, str]) -> bool:
    if asked.get("priority", rule["priority"]) != rule["priority"]:
        return False
    if "tag" in asked and asked["tag"] not in rule["tags"]:
        return False
    where = " ".join((rule["name"], rule["description"], rule["file"], *rule["tags"], *rule["events"]))
    return asked.get("text", "").casefold() in where.casefold()


def _path(place: str, asked: str) -> str:
    return f"{places.path_of(place)}/proposals" + ("/preview" if asked == "look" else "")


def _body(request: Request, asked: str, name: str, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": "rule-set", "document": {"name": name, "rules": text}}
    return body if asked == "look" else body | {"reason": changes.text(form_of(request), "why")}


async def _shown(  # noqa: PLR0913 (what the page holds)
    request: Request,
    name: str,
    text: str,
    place: str,
    *,
    problem: ApiError | None = None,
    tried: Any = None,
    seen: Any = None,
) -> Response:
    posted = request.method == "POST"
    checked = None
    if posted:  # loading rules takes longer than a page may
        body = {"rules": text, "explain": field(request, "act") == "explain"}
        answer = await consult(request, "/rules/check", body)
        checked = answer.json() if answer.ok else None
        problem = problem if problem is not None or answer.ok else answer.error
    values = {
        "name": name,
        "text": text,
        "place": place,
        "places": places.shown(await places.choices(request), place),
        "samples": await _projects(request, Permission.SAMPLE_READ),
        "project": field(request, "project") if posted else "",
        "checked": checked,
        "written": any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()),
        "fields": (await get(request, "/rules/fields"))["items"],
        "why": changes.text(form_of(request), "why") if posted else "",
        "tried": tried,
        "seen": seen,
    }
    return show(request, "rules_try", values, problem=problem)


async def _projects(request: Request, permission: Permission) -> list[str]:
    """The paths of those in which the account holds the permission."""
    found = await places.choices(request, permission)
    return [title.removeprefix("project ") for place, title in found if place.startswith("project:")]


def _usual(request: Request, projects: list[str]) -> str | None:
    """The project that is meant where none is named: None is the account's own, if it may look there."""
    access = request.state.access
    own = access.may_in(access.home, Permission.POLICY_READ)
    return None if own or not projects else projects[0]
