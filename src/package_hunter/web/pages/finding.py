"""A finding: what happened, who did it, how we know, what to do; and what people decide about it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import access_to
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.triage.claims import USUAL_HOURS
from package_hunter.triage.values import MAX_REMARK, State
from package_hunter.web.inside import Answer, ask, get, get_or, part
from package_hunter.web.page import PageRoute, field, prose, show, to
from package_hunter.web.pages.findings import STATES, choices

_NONE = "none"  # no state was set when the form was shown
_NOTHING = {
    "state": "",
    "reason": "",
    "remark": "",
    "until": "",
    "scope": "project",
    "note": "",
    "parent": "",
}


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    there = "/findings/{finding_id}"

    @router.get(there)
    async def page(request: Request, finding_id: str) -> Response:
        return await _page(request, finding_id)

    @router.post(f"{there}/state")
    async def state(request: Request, finding_id: str) -> Response:
        answer = await ask(request, "PUT", _api(finding_id, "/state"), body=_new_state(request))
        return await _after(request, finding_id, answer, "finding-set")

    @router.post(f"{there}/claim")
    async def claim(request: Request, finding_id: str) -> Response:
        hours = field(request, "hours") or str(USUAL_HOURS)
        answer = await ask(request, "PUT", _api(finding_id, "/claim"), body={"hours": hours})
        return await _after(request, finding_id, answer, "finding-claimed")

    @router.post(f"{there}/release")
    async def release(request: Request, finding_id: str) -> Response:
        answer = await ask(request, "DELETE", _api(finding_id, "/claim"))
        return await _after(request, finding_id, answer, "finding-released")

    @router.post(f"{there}/notes")
    async def note(request: Request, finding_id: str) -> Response:
        body = {"text": prose(request, "note"), "parent": field(request, "parent") or None}
        answer = await ask(request, "POST", _api(finding_id, "/notes"), body=body)
        return await _after(request, finding_id, answer, "finding-noted")

    return router


def _api(finding_id: str, tail: str = "") -> str:
    return f"/findings/{part(finding_id)}{tail}"


def _new_state(request: Request) -> dict[str, Any]:
    names = ("state", "reason", "until", "behaviour")
    body: dict[str, Any] = {name: field(request, name) for name in names if field(request, name)}
    kind, _, path = field(request, "scope").partition(":")
    body |= {"remark": prose(request, "remark"), "scope": kind or "project"}
    if seen := field(request, "replaces"):
        body["replaces"] = None if seen == _NONE else seen
    return body | ({"group": path} if path else {})


async def _after(request: Request, finding_id: str, answer: Answer, done: str) -> Response:
    if answer.ok:
        return to(f"/findings/{part(finding_id)}", done)
    typed = {name: field(request, name) for name in _NOTHING}
    typed |= {"remark": prose(request, "remark"), "note": prose(request, "note")}
    return await _page(request, finding_id, typed, answer.error)


async def _page(
    request: Request,
    finding_id: str,
    typed: Mapping[str, str] | None = None,
    problem: ApiError | None = None,
) -> Response:
    one = await get(request, _api(finding_id))
    evidence, notes, past = await asyncio.gather(
        get_or(request, _api(finding_id, "/evidence"), None),
        get(request, _api(finding_id, "/notes")),
        get(request, _api(finding_id, "/history")),
    )
    access, project = access_to(request), uuid.UUID(one["project"])
    may = access.may_in(project, Permission.FINDING_TRIAGE)
    values = {
        "one": one,
        "evidence": evidence,
        "notes": _threads(notes["items"]),
        "past": [_change(entry) for entry in past["items"]],
        "may_decide": may,
        "may_note": access.may_in(project, Permission.FINDING_COMMENT),
        "may_propose": access.may_in(project, Permission.PROPOSAL_MAKE),
        "scopes": await _scopes(request, one["path"]) if may else [],
        "states": [pair for pair in STATES if not (one["needs_proposal"] and State(pair[0]).silences)],
        "choices": choices(),
        "typed": {**_NOTHING, **(typed or {})},
        "most_remark": MAX_REMARK,
        "mine": one["claimed_by"] == access.principal,
    }
    return show(request, "finding", values, problem=problem)


async def _scopes(request: Request, path: str) -> list[tuple[str, str]]:
    """Where the account may say that the state holds."""
    access = access_to(request)
    found = [("project", f"this project ({path})")]
    above = {path.rsplit("/", cut)[0] for cut in range(1, path.count("/") + 1)}
    if above:
        groups = (await get_or(request, "/groups", {"items": []}))["items"]
        mine = [
            one["path"]
            for one in groups
            if one["path"] in above and access.may_in_group(uuid.UUID(one["id"]), Permission.FINDING_TRIAGE)
        ]
        found += [
            (f"group:{name}", f"the group {name}, all its projects") for name in sorted(mine, reverse=True)
        ]
    if access.may(Permission.FINDING_TRIAGE):
        found.append(("all", "all projects of this server"))
    return found


def _threads(notes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each note followed by those that answer it; what answers an answer stands with it."""
    root: dict[str, str] = {}
    for note in notes:
        root[note["id"]] = root.get(note["parent"] or "", note["id"])
    order = {note["id"]: number for number, note in enumerate(notes)}
    return sorted(notes, key=lambda note: (order[root[note["id"]]], order[note["id"]]))


def _change(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the history in words."""
    before, after = (json.loads(entry[side]) if entry[side] else {} for side in ("before", "after"))
    return {"time": entry["time"], "who": entry["who"], "what": _words(entry, before, after)}


def _words(entry: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    action = entry["action"].removeprefix("finding.")
    if action == "note":
        return "wrote a note"
    if action == "claim":
        return f"said that he is on it, for {after['hours']} hours" if after else "let go of it"
    scope = entry["object"].partition(" in ")[2]
    where = f" for {scope}" if scope else ""
    if not after:
        return f"took back: {_plain(before.get('state'))}{where} ({entry['why'] or 'no word why'})"
    parts = [f"set it to {_plain(after.get('state'))}{where}"]
    parts += [f"until {after['until']}"] if after.get("until") else []
    parts += [f"by proposal {after['proposal']}"] if after.get("proposal") else []
    why = ": ".join(_plain(after[key]) for key in ("reason", "remark") if after.get(key))
    was = f" (it was {_plain(before['state'])})" if before.get("state") else ""
    return ", ".join(parts) + was + (f". {why}" if why else "")


def _plain(value: object) -> str:
    return str(value).replace("_", " ") if isinstance(value, str) else ""
