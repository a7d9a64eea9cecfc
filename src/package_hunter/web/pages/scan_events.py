"""Events of a scan, filtered by a Falco condition: those that its report tells of (`POST /rules/match`), or, where a
recording is kept, all of them (`GET /scans/ID/recorded`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request

from package_hunter.model.times import rfc3339
from package_hunter.report import evidence
from package_hunter.web import events, export
from package_hunter.web.events import Event
from package_hunter.web.inside import ask, consult, get_or

IN_RECORDING = "recording"
_ON_A_PAGE, _OF_RECORDING = 100, 200
_AT_ONCE = 500  # events of one question: a body has a limit
_EXAMPLES = ("evt.type = execve and proc.name = sh", "fd.sport = 443", "fd.name startswith /home/dev/.ssh")
_NONE: Mapping[str, Any] = {"items": []}


async def filtered(
    request: Request, found: evidence.Exhibits, scan_id: str, *, may_fetch: bool
) -> dict[str, Any]:
    """What the template takes. ``refused``: what is wrong with the condition; ``may_fetch``: the account may look into
    recordings."""
    asked = request.query_params
    condition, path = asked.get("condition", "").strip(), f"/scans/{scan_id}"
    recorded = may_fetch and bool((await get_or(request, f"{path}/recordings", _NONE))["items"])
    into = IN_RECORDING if recorded and asked.get("in") == IN_RECORDING else ""
    look = _recorded if into else _told
    shown = await look(request, found, path, condition)
    return {
        "condition": condition,
        "into": into,
        "recorded": recorded,
        "examples": _EXAMPLES,
        "fields_said": events.fields_said,
        "at": lambda ns: rfc3339(ns)[11:23],
        "json": None,
        "further": None,
        "refused": None,
        **shown,
    }


async def _told(request: Request, found: evidence.Exhibits, path: str, condition: str) -> dict[str, Any]:
    """Of the report."""
    number = request.query_params.get("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    told, total = await run_sync(events.told, found)
    refused = None
    if condition:
        told, refused = await _matching(request, told, condition)
    begin = (page - 1) * _ON_A_PAGE
    further = export.address(f"{path}/events", {"condition": condition, "page": page + 1})
    return {
        "events": told[begin : begin + _ON_A_PAGE],
        "matched": len(told),
        "total": total,
        "most": events.MOST,
        "whole": total <= events.MOST,
        "further": further if len(told) > begin + _ON_A_PAGE else None,
        "refused": refused,
    }


async def _recorded(request: Request, found: evidence.Exhibits, path: str, condition: str) -> dict[str, Any]:
    """Of the recording."""
    query = {"condition": condition, "limit": _OF_RECORDING}
    answer = await ask(request, "GET", f"{path}/recorded", query)
    said: dict[str, Any] = {"items": [], "matches": 0, "events": 0, "all": True}
    said = answer.json() if answer.ok else said
    return {
        "events": [_event(found, one) for one in said["items"]],
        "matched": said["matches"],
        "total": said["events"],
        "most": _OF_RECORDING,
        "whole": said["all"],
        "json": export.address(f"/api/v1{path}/recorded", query),
        "refused": None if answer.ok else answer.error,
    }


def _event(found: evidence.Exhibits, said: Mapping[str, Any]) -> Event:
    ns = round(datetime.fromisoformat(said["time"]).timestamp() * 1e6) * 1_000
    doer = found.pids.process_at(said["process"], ns)
    fields = said["fields"]
    what = f"{said['type']} {fields.get('evt.args', '')}".strip()
    return Event(ns, what, fields, None if doer is None else doer.key)


async def _matching(request: Request, told: Sequence[Event], condition: str) -> tuple[list[Event], Any]:
    kept: list[Event] = []
    for begin in range(0, max(1, len(told)), _AT_ONCE):
        some = told[begin : begin + _AT_ONCE]
        body = {"condition": condition, "events": [dict(one.fields) for one in some]}
        answer = await consult(request, "/rules/match", body)
        if not answer.ok:
            return [], answer.error
        kept += [one for one, fits in zip(some, answer.json()["matches"], strict=True) if fits]
    return kept, None
