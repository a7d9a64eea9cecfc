"""Projects, and one for its developers: what security requires of it and why, its gate, its findings, how to ask."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import access_to
from package_hunter.api.service import Service
from package_hunter.web.export import address
from package_hunter.web.inside import get, get_or, part
from package_hunter.web.page import PageRoute, show
from package_hunter.web.pages.findings import WAITS

_PAGE = 100
_SHOWN = 10
_REQUIRED = {
    "merge_request": "Each merge request is scanned before it is merged.",
    "new_version": "Each new version of a package is scanned before it is used.",
    "nightly": "It is scanned each night.",
}


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/projects")
    async def page(request: Request) -> Response:
        words = request.query_params.get("text", "").strip()
        after = request.query_params.get("after", "")
        every = (await get(request, "/projects"))["items"]
        fit = [one for one in every if words.lower() in one["path"].lower() and one["path"] > after]
        shown = fit[:_PAGE]
        more = {"text": words, "after": shown[-1]["path"]} if len(fit) > _PAGE else None
        values = {"projects": shown, "text": words, "more": more and address("/projects", more)}
        return show(request, "projects", values)

    @router.get("/projects/{project_id}")
    async def one(request: Request, project_id: str) -> Response:
        return show(request, "project", await _project(request, project_id))

    return router


async def _project(request: Request, project_id: str) -> dict[str, Any]:
    there = f"/projects/{part(project_id)}"
    project = await get(request, there)
    path = project["path"]
    empty: dict[str, Any] = {"items": [], "scans": []}
    waits = {**WAITS, "project": path, "order": "severity"}
    del waits["drill"]
    policy, answers, findings, scans, members, proposals = await asyncio.gather(
        get_or(request, f"{there}/policy", None),
        get_or(request, "/gate/answers", empty, {"project": path, "limit": 50}),
        get_or(request, "/findings", empty, {**waits, "limit": _SHOWN}),
        get_or(request, "/scans", empty, {"project": path, "limit": _SHOWN}),
        get_or(request, f"{there}/members", None),
        get_or(request, "/proposals", empty, {"state": "open", "limit": 100}),
    )
    access, key = access_to(request), uuid.UUID(project["id"])
    return {
        "project": project,
        "policy": policy and _policy(policy),
        "answers": _newest(answers["items"]),
        "findings": findings["items"],
        "all_findings": address("/findings", {"project": path}),
        "waits": address("/findings", waits),
        "scans": scans["scans"],
        "all_scans": address("/scans", {"project": path}),
        "members": members and members["items"],
        "proposals": [one for one in proposals["items"] if one["project"] == project["id"]],
        "may_propose": access.may_in(key, Permission.PROPOSAL_MAKE),
        "may_submit": access.may_in(key, Permission.SCAN_SUBMIT),
    }


def _newest(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each commit its last answer."""
    found: dict[str, dict[str, Any]] = {}
    for one in answers:
        found.setdefault(one["commit"], one)
    return list(found.values())[:_SHOWN]


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    """What holds, in words: by scope what its rules do, and which scans must be there."""
    required = [
        {
            "says": _REQUIRED.get(one["scan"], one["scan"]),
            "scope": _scope(one["scope"]),
            "depth": one["depth"],
        }
        for one in policy["required"]
    ]
    layers = [
        {
            "scope": _scope(one["scope"]),
            "says": one["says"],
            "digest": one["digest"],
            "link": one["scope"] == "all",
        }
        for one in policy["layers"]
    ]
    return {"required": required, "layers": layers, "schedules": policy["schedules"]}


def _scope(name: str) -> str:
    kind, _, path = name.partition(":")
    return {"all": "all projects", "group": f"the group {path}", "project": "this project"}.get(kind, name)
