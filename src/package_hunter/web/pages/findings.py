"""The list of findings: filters that are the address and the export, lists that one keeps."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import access_to
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.findings.catalog import kinds
from package_hunter.model.scales import SEVERITIES
from package_hunter.model.scan import Verdict
from package_hunter.triage.listing import Order
from package_hunter.triage.values import REASON_MEANING, Asks, State
from package_hunter.web import export, lists
from package_hunter.web.inside import ask, get_or
from package_hunter.web.page import PageRoute, field, show, to

Query = Mapping[str, str]
_RARE: tuple[str, ...] = (
    "group",
    "asks",
    "verdict",
    "detected",
    "claimed",
    "claimed_by",
    "older_than",
    "newer_than",
)
_RARE += ("expires_in", "drill", "fingerprint")
_LISTING = export.Listing("/findings")
_NAMES = (
    *("id", "fingerprint", "path", "kind", "severity", "proof", "verdict", "title", "package", "state"),
    *("asks", "until", "detected", "decision", "silenced", "rule", "claimed_by", "first_seen"),
    *("last_seen", "first_scan", "last_scan", "scans", "drill"),
)
_COLUMNS: export.Columns = tuple((name, itemgetter(name)) for name in _NAMES)
WAITS = {"state": "needs_triage", "detected": "true", "severity": "low", "drill": "false"}
"""Filters: what waits for a person, as the overview counts it."""


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/findings")
    async def page(request: Request) -> Response:
        return await listed(request, asked(request))

    @router.get("/findings.csv")
    async def as_csv(request: Request) -> Response:
        return await export.as_csv(request, _LISTING, asked(request), _COLUMNS, "findings")

    @router.post("/findings/views")
    async def keep(request: Request) -> Response:
        query = said(request)
        body = {"name": field(request, "name"), "query": urlencode(query)}
        answer = await ask(request, "PUT", "/me/views", body=body)
        if not answer.ok:
            return await listed(request, query, problem=answer.error)
        return to("/findings", "view-kept", query)

    @router.post("/findings/forget")
    async def forget(request: Request) -> Response:
        answer = await ask(request, "DELETE", "/me/views", {"name": field(request, "name")})
        if not answer.ok:
            return await listed(request, said(request), problem=answer.error)
        return to("/findings", "view-forgotten", said(request))

    return router


def asked(request: Request) -> dict[str, str]:
    """What the address asks for; empty fields of the form are no filters. What the API does not know, it refuses."""
    usual = Order.SEEN.value
    given = lists.asked(request, _LISTING)
    return {name: value for name, value in given.items() if (name, value) != ("order", usual)}


def said(request: Request) -> dict[str, str]:
    """The same, of a form that was sent from the list."""
    return dict(parse_qsl(field(request, "filter")))


async def listed(
    request: Request,
    query: Query,
    *,
    problem: ApiError | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Response:
    """The list, with what was typed into its forms where the API refused that."""
    after = request.query_params.get("after") if request.method == "GET" else None
    found = await lists.rows(request, _LISTING, {**query, "after": after})
    mine = (await get_or(request, "/me/views", {"items": []}))["items"]
    access = access_to(request)
    values = {
        "findings": found.items,
        "asked": query,
        "filter": urlencode(query),
        "choices": choices(),
        "rare": any(name in query for name in _RARE),
        "views": _tabs(access.principal, query),
        "mine": [(one["name"], f"/findings?{one['query']}", _same(one["query"], query)) for one in mine],
        "older": found.next and export.address("/findings", {**query, "after": found.next}),
        "csv": export.address("/findings.csv", query),
        "json": export.address("/api/v1/findings", query),
        "may_decide": may_somewhere(request, Permission.FINDING_TRIAGE),
        "typed": typed or {"state": "", "reason": "", "remark": "", "until": "", "which": "chosen"},
    }
    return show(request, "findings", values, problem=problem or found.problem)


def may_somewhere(request: Request, needed: Permission) -> bool:
    """Whether the account has the permission anywhere: else it is shown no form that it would be refused."""
    access = access_to(request)
    return access.may(needed) or any(needed in held for held in access.projects.values())


def _tabs(account: str, query: Query) -> list[tuple[str, str, bool]]:
    """Lists that everybody has: what each is called, where it is, and whether it is open."""
    every: tuple[tuple[str, dict[str, str]], ...] = (
        ("All", {}),
        ("Needs triage", {**WAITS, "order": "severity"}),
        ("Mine", {"claimed_by": account}),
        ("Does more than before", {"asks": "changed"}),
        ("Acceptance ends soon", {"expires_in": "14"}),
        ("Waits over a week", {**WAITS, "older_than": "7"}),
    )
    return [(name, export.address("/findings", q), q == dict(query)) for name, q in every]


def _same(text: str, query: Query) -> bool:
    return dict(parse_qsl(text)) == dict(query)


def choices() -> dict[str, Any]:
    """What the forms offer."""
    return {
        "state": [one.value for one in State],
        "asks": [
            (Asks.CHANGED.value, "does more than before"),
            (Asks.EXPIRED.value, "its acceptance ended"),
            (Asks.BACK.value, "was resolved, is back"),
        ],
        "severity": [(one, f"{one} or worse") for one in reversed(SEVERITIES)],
        "verdict": [one.value for one in Verdict],
        "kind": sorted(kinds()),
        "yes": [("true", "yes"), ("false", "no")],
        "order": [(Order.SEEN.value, "seen last"), (Order.SEVERITY.value, "the gravest")],
        "reason": [(one.value, meaning) for one, meaning in REASON_MEANING.items()],
        "set": STATES,
    }


STATES = [
    (State.CONFIRMED.value, "confirmed: it is what it looks like"),
    (State.ACCEPTED.value, "accepted (a waiver): does not count, until its last day"),
    (State.FALSE_POSITIVE.value, "false positive: does not count"),
    (State.RESOLVED.value, "resolved: asks again if a scan finds it"),
    (State.NEEDS_TRIAGE.value, "needs triage: nobody decided"),
]
"""States that a person sets, each in words."""
