"""Where changes may be proposed and looked at: everywhere, groups, projects, as a form names them."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import Request

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.web.inside import get_or, part

EVERYWHERE = "everywhere"
Choices = list[tuple[str, str]]
_SHOWN = 100


def path_of(place: str) -> str:
    """Of a place as forms have it (``everywhere``, ``group:ID``, ``project:ID``), the beginning of its routes."""
    kind, _, key = place.partition(":")
    return f"/{kind}s/{part(key)}" if kind in ("group", "project") and key else ""


def scope_of(place: str) -> str:
    """The same as `/policies/SCOPE` has it."""
    return place.partition(":")[2] or "all"


def of_proposal(proposal: dict[str, Any]) -> str:
    """A proposal's place, as forms have it."""
    for kind in ("project", "group"):
        if proposal[kind] is not None:
            return f"{kind}:{proposal[kind]}"
    return EVERYWHERE


def may(access: Access, proposal: dict[str, Any], permission: Permission) -> bool:
    """Whether the account holds the permission where the proposal is meant to hold."""
    if proposal["project"] is not None:
        return access.may_in(uuid.UUID(proposal["project"]), permission)
    if proposal["group"] is not None:
        return access.may_in_group(uuid.UUID(proposal["group"]), permission)
    return access.may(permission)


async def choices(request: Request, permission: Permission = Permission.PROPOSAL_MAKE) -> Choices:
    """The places in which the account that asks holds a permission, each with what it is called."""
    access: Access = request.state.access
    found = [(EVERYWHERE, "everywhere")] if access.may(permission) else []
    for kind, holds in (("group", access.may_in_group), ("project", access.may_in)):
        listed = (await get_or(request, f"/{kind}s", {"items": []}))["items"]
        found += [
            (f"{kind}:{one['id']}", f"{kind} {one['path']}")
            for one in listed
            if holds(uuid.UUID(one["id"]), permission)
        ]
    return found


def shown(found: Choices, chosen: str) -> Choices:
    """So many of them as a form can hold (five hundred projects weigh 40 kB), the groups first, and the one that is
    chosen: whoever means another project begins at its own page."""
    return [one for number, one in enumerate(found) if number < _SHOWN or one[0] == chosen]
