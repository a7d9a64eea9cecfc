"""A change is proposed, or a proposal edited: a form for each kind, and what it would do before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.roles import Role
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.governance.proposals.kinds import KINDS
from package_hunter.governance.proposals.people import APPROVING_ROLES
from package_hunter.model.depth import DEPTHS
from package_hunter.triage.values import REASON_MEANING, State
from package_hunter.web import changes, export, places
from package_hunter.web.inside import Answer, ask, get, get_or, part
from package_hunter.web.page import PageRoute, act, field, form_of, show, to

_ACTS = ("look", "propose")
_FREE_ROWS = 3


@dataclass(frozen=True)
class _Draft:
    """A change as its form shows it. ``document`` None: what was typed is none. ``old``: the proposal that is edited,
    ``tag`` its entity tag; ``seen``: what it would do."""

    kind: str
    document: Any
    place: str = places.EVERYWHERE
    old: dict[str, Any] | None = None
    tag: str = ""
    seen: Any = None

    @property
    def path(self) -> str:
        """The beginning of its place's routes."""
        return places.path_of(self.place)


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/proposals/new")
    async def new(request: Request) -> Response:
        query = request.query_params
        finding = query.get("finding", "")
        kind = "waiver" if finding else query.get("kind", "")
        place = await _wanted(request)
        if kind not in KINDS:
            return await _which(request, place)
        if kind in changes.EDITORS:
            return to(_editor(kind, place))
        draft = _Draft(kind, changes.empty(kind), place or places.EVERYWHERE)
        if finding:
            draft = await _of_finding(request, finding, draft)
        elif kind in ("required-scan", "role-mappings"):
            draft = replace(draft, document=await _in_force(request, draft) or draft.document)
        return await _shown(request, draft)

    @router.post("/proposals/new")
    async def send(request: Request) -> Response:
        asked, kind = act(request, *_ACTS), field(request, "kind")
        if kind not in KINDS:
            raise ApiError(400, "There is no such kind of change.", "Choose one: /proposals/new.")
        draft = _Draft(kind, None, field(request, "place"))
        draft, problem = await _filled(request, draft)
        if problem is not None or asked != "propose":
            return await _shown(request, draft, problem)
        body = {"kind": kind, "document": draft.document, **_said(request)}
        answer = await ask(request, "POST", f"{draft.path}/proposals", body=body)
        return _made(answer) if answer.ok else await _shown(request, draft, answer.error)

    @router.get("/proposals/{number}/edit")
    async def old(request: Request, number: str) -> Response:
        answer = await ask(request, "GET", f"/proposals/{part(number)}")
        if not answer.ok:
            raise answer.error
        found, tag = answer.json(), answer.header("etag") or ""
        place = places.of_proposal(found)
        return await _shown(request, _Draft(found["kind"], found["document"], place, found, tag))

    @router.post("/proposals/{number}/edit")
    async def edit(request: Request, number: str) -> Response:
        asked = act(request, *_ACTS)
        found = await get(request, f"/proposals/{part(number)}")
        draft = _Draft(found["kind"], None, places.of_proposal(found), found, field(request, "tag"))
        draft, problem = await _filled(request, draft)
        if problem is not None or asked != "propose":
            return await _shown(request, draft, problem)
        headers = {"If-Match": draft.tag} if draft.tag else {}
        body = {"document": draft.document, **_said(request)}
        answer = await ask(request, "PUT", f"/proposals/{part(number)}", body=body, headers=headers)
        if not answer.ok:
            return await _shown(request, draft, answer.error)
        return to(f"/proposals/{part(number)}", "proposal-edited")

    return router


async def _wanted(request: Request) -> str:
    """The place that the address names, as forms have it; empty: none. ApiError 404 where there is no such project."""
    project = request.query_params.get("project", "")
    if not project:
        return request.query_params.get("place", "")
    found = await get(request, f"/projects/{part(project)}")
    return f"project:{found['id']}"


async def _which(request: Request, place: str) -> Response:
    """The kinds of changes to choose from; of a place that was named, those that it can have."""
    title = dict(await places.choices(request)).get(place, "") if place else ""
    kind, _, path = title.partition(" ")
    values = {
        "kinds": _kinds(place if title else ""),
        "where": title if path else "",
        "findings": export.address("/findings", {kind: path} if path else {}),
    }
    return show(request, "proposal_kinds", values)


def _kinds(place: str) -> list[tuple[str, str, str]]:
    left_out = {"waiver"}  # it begins at a finding
    if place not in ("", places.EVERYWHERE):
        left_out |= changes.OF_THE_SERVER
    return [
        (_address(name, place), kind.what, changes.MEANING[name])
        for name, kind in KINDS.items()
        if name not in left_out
    ]


def _address(kind: str, place: str) -> str:
    if kind in changes.EDITORS:
        return _editor(kind, place)
    return export.address("/proposals/new", {"kind": kind, "place": place})


def _editor(kind: str, place: str) -> str:
    """The page on which such changes are written."""
    page = changes.EDITORS[kind]
    if kind == "policy":
        return f"{page}/{part(places.scope_of(place))}" if place else page
    return export.address(page, {"place": place})


def _made(answer: Answer) -> Response:
    made = answer.json()
    done = "proposal-applied-alone" if made["state"] == "applied" else "proposal-made"
    return to(f"/proposals/{made['number']}", done)


def _said(request: Request) -> dict[str, Any]:
    """Why, and from when on."""
    at = field(request, "apply_at")
    return {"reason": changes.text(form_of(request), "why"), "apply_at": at or None}


async def _filled(request: Request, draft: _Draft) -> tuple[_Draft, ApiError | None]:
    """With what the form says and, where it is not sent yet, what that would do; or what is wrong with it."""
    form = form_of(request)
    try:
        document = changes.document(draft.kind, form)
    except ApiError as error:
        return draft, error
    draft = replace(draft, document=document)
    if field(request, "act") == "propose":
        return draft, None
    body = {"kind": draft.kind, "document": document}
    answer = await ask(request, "POST", f"{draft.path}/proposals/preview", body=body)
    if not answer.ok:
        return draft, answer.error
    return replace(draft, seen=answer.json()), None


async def _of_finding(request: Request, finding: str, draft: _Draft) -> _Draft:
    found = await get(request, f"/findings/{part(finding)}")
    document = {**draft.document, "fingerprint": found["fingerprint"], "finding": found["title"]}
    return replace(draft, document=document, place=f"project:{found['project']}")


async def _in_force(request: Request, draft: _Draft) -> Any:
    """What holds now, to begin from; None where there is none, or it may not be seen."""
    if draft.kind == "role-mappings":
        found = await get_or(request, "/identity/mappings", None)
        keys = ("provider", "group", "role", "place")
        return found and {"mappings": [{key: one[key] or "" for key in keys} for one in found["items"]]}
    policy = await get_or(request, f"/policies/{part(places.scope_of(draft.place))}", None)
    return policy and {"require": policy["document"].get("require", [])}


async def _shown(request: Request, draft: _Draft, problem: ApiError | None = None) -> Response:
    posted, old = request.method == "POST", draft.old or {}
    kind, document = draft.kind, draft.document
    fits = document is not None and changes.has_form(kind, document)
    choose = draft.old is None and kind not in changes.OF_THE_SERVER
    values = {
        "kind": kind,
        "what": KINDS[kind].what,
        "old": draft.old,
        "tag": draft.tag,
        "place": draft.place,
        "places": places.shown(await places.choices(request), draft.place) if choose else [],
        "choose": choose,
        "document": document,
        "whole": None if fits else _whole(request, document),
        "rows": _rows(kind, document) if fits else [],
        "why": changes.text(form_of(request), "why") if posted else old.get("reason", ""),
        "apply_at": field(request, "apply_at") if posted else (old.get("apply_at") or "")[:16],
        "seen": draft.seen,
        "kinds": [(name, one.what) for name, one in KINDS.items()],
        "scans": changes.SCANS,
        "depths": list(DEPTHS),
        "roles": [one.value for one in (Role if kind == "role-mappings" else APPROVING_ROLES)],
        "states": [one.value for one in State if one.silences],
        "reasons": [(one.value, said) for one, said in REASON_MEANING.items()],
    }
    return show(request, "propose", values, problem=problem)


def _whole(request: Request, document: Any) -> Any:
    """The document, for people; as it was typed, where that is none."""
    typed = document is None
    return str(form_of(request).get(changes.WHOLE, "")) if typed else changes.as_json(document)


def _rows(kind: str, document: Any) -> list[dict[str, Any]]:
    key = {"required-scan": "require", "role-mappings": "mappings"}.get(kind)
    return [*document.get(key, []), *({} for _ in range(_FREE_ROWS))] if key else []
