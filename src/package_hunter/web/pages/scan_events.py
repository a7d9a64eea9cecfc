"""The events that a scan's report tells of, filtered by a Falco condition (`POST /rules/match`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request

from package_hunter.model.times import rfc3339
from package_hunter.report import evidence
from package_hunter.web import events, export
from package_hunter.web.events import Event
from package_hunter.web.inside import ask

_ON_A_PAGE = 100
_AT_ONCE = 500  # events of one question: a body has a limit
_EXAMPLES = ("evt.type = execve and proc.name = sh", "fd.sport = 443", "fd.name startswith /home/dev/.ssh")


async def filtered(request: Request, found: evidence.Exhibits, own: str) -> dict[str, Any]:
    """What the template takes. ``refused``: what is wrong with the condition."""
    condition = request.query_params.get("condition", "").strip()
    number = request.query_params.get("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    told, total = await run_sync(events.told, found)
    refused = None
    if condition:
        told, refused = await _matching(request, told, condition)
    begin = (page - 1) * _ON_A_PAGE
    left = len(told) > begin + _ON_A_PAGE
    return {
        "condition": condition,
        "events": told[begin : begin + _ON_A_PAGE],
        "matched": len(told),
        "total": total,
        "most": events.MOST,
        "examples": _EXAMPLES,
        "fields_said": events.fields_said,
        "at": lambda ns: rfc3339(ns)[11:23],
        "further": export.address(own, {"condition": condition, "page": page + 1}) if left else None,
        "refused": refused,
    }


async def _matching(request: Request, told: Sequence[Event], condition: str) -> tuple[list[Event], Any]:
    kept: list[Event] = []
    for begin in range(0, max(1, len(told)), _AT_ONCE):
        some = told[begin : begin + _AT_ONCE]
        body = {"condition": condition, "events": [dict(one.fields) for one in some]}
        answer = await ask(request, "POST", "/rules/match", body=body)
        if not answer.ok:
            return [], answer.error
        kept += [one for one, fits in zip(some, answer.json()["matches"], strict=True) if fits]
    return kept, None
