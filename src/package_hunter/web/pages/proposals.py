"""Changes that need two people: the list, and one with what it changes, what it would do, and who is still missing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.identity import Method
from package_hunter.access.permissions import Permission
from package_hunter.api.errors import ApiError
from package_hunter.api.fresh import FRESH_MS
from package_hunter.api.service import Service
from package_hunter.governance.proposals.decide import Emergency
from package_hunter.governance.proposals.kinds import KINDS
from package_hunter.governance.proposals.life import OPEN, STATES
from package_hunter.store.database import now_ms
from package_hunter.web import export, lists, places
from package_hunter.web.changes import number as whole_number
from package_hunter.web.changes import text
from package_hunter.web.inside import Answer, ask, get, get_or, part
from package_hunter.web.page import PageRoute, act, field, form_of, show, to

_LISTING = export.Listing("/proposals", cursor="before")
_COLUMNS: export.Columns = (
    *((name, lambda one, name=name: one[name]) for name in ("number", "kind", "state", "place", "subject")),
    *((name, lambda one, name=name: one[name]) for name in ("author", "reason", "approvals", "needed")),
    *((name, lambda one, name=name: one[name]) for name in ("would_flip", "not_tried", "created", "expires")),
    *((name, lambda one, name=name: one[name]) for name in ("apply_at", "way", "unreviewed")),
)
_PAGE = 50
_DONE = {
    "approve": "proposal-approved",
    "reject": "proposal-rejected",
    "withdraw": "proposal-withdrawn",
    "break-glass": "glass-broken",
    "review": "proposal-reviewed",
}
TABS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Wait for you", {"waiting": "true"}),
    ("Open", {"state": "open"}),
    ("To be reviewed", {"unreviewed": "true"}),
    ("All", {}),
)
EMERGENCIES = {
    Emergency.PRODUCTION: "production is down",
    Emergency.DEADLINE: "a deadline that cannot move",
    Emergency.LIMIT: "a technical limit",
    Emergency.RISK: "the risk is known and borne",
}


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/proposals")
    async def page(request: Request) -> Response:
        query = lists.asked(request, _LISTING)
        before = request.query_params.get("before")
        found = await lists.rows(request, _LISTING, {**query, "before": before, "limit": _PAGE}, query)
        return show(
            request,
            "proposals",
            {
                "proposals": found.items,
                "asked": query,
                "tabs": [(name, export.address("/proposals", q), q == query) for name, q in TABS],
                "kinds": [(name, kind.what) for name, kind in KINDS.items()],
                "states": list(STATES),
                "may_make": may_make(request),
                "older": found.next and export.address("/proposals", {**query, "before": found.next}),
                "csv": export.address("/proposals.csv", query),
                "json": export.address("/api/v1/proposals", query),
            },
            problem=found.problem,
        )

    @router.get("/proposals.csv")
    async def as_csv(request: Request) -> Response:
        return await export.as_csv(request, _LISTING, lists.asked(request, _LISTING), _COLUMNS, "proposals")

    @router.get("/proposals/{number}")
    async def one(request: Request, number: str) -> Response:
        return await _one(request, number)

    @router.post("/proposals/{number}")
    async def decide(request: Request, number: str) -> Response:
        verb = act(request, "confirm", *_DONE)
        if not verb:
            raise ApiError(400, "The form says nothing of what is to be done.", "Use the page's own buttons.")
        if verb == "confirm":
            return await _elsewhere(request, number)
        answer = await ask(request, "POST", f"/proposals/{part(number)}/{verb}", body=_body(request, verb))
        if not answer.ok:
            return await _one(request, number, answer.error)
        return to(f"/proposals/{part(number)}", _done(verb, answer))

    return router


def may_make(request: Request) -> bool:
    """Whether the account may propose anything anywhere."""
    access, make = request.state.access, Permission.PROPOSAL_MAKE
    return access.may(make) or any(
        make in held for here in (access.projects, access.groups) for held in here.values()
    )


def _done(verb: str, answer: Answer) -> str:
    state = answer.json()["state"]
    if state == "stale":
        return "proposal-stale"
    return "proposal-applied" if verb == "approve" and state == "applied" else _DONE[verb]


def _body(request: Request, verb: str) -> dict[str, Any]:
    """What the API's route wants to know."""
    form = form_of(request)
    said: dict[str, Any] = {}
    if verb in ("approve", "break-glass"):
        proof = {name: field(request, name) for name in ("password", "code")}
        said |= {name: value for name, value in proof.items() if value}
    if verb == "approve":
        said |= {"content_hash": field(request, "content_hash")}
        return said | {"version": whole_number(field(request, "version"))}
    if verb == "break-glass":
        said |= {"reason": field(request, "reason")}
    return said | {"why": text(form, "why")}


async def _elsewhere(request: Request, number: str) -> Response:
    """The way to an identity provider, to show there once more who one is: a link, since a form leads nowhere else."""
    provider = field(request, "provider")
    answer = await ask(request, "POST", f"/session/confirm/{part(provider)}")
    if not answer.ok:
        return await _one(request, number, answer.error)
    shown = await _one(request, number, go_on=(provider, answer.json()["url"]))
    cookies = [(name, value) for name, value in answer.headers if name.lower() == b"set-cookie"]
    shown.raw_headers.extend(cookies)
    return shown


async def _one(
    request: Request,
    number: str,
    problem: ApiError | None = None,
    go_on: tuple[str, str] | None = None,
) -> Response:
    found = await get(request, f"/proposals/{part(number)}")
    access, account = request.state.access, request.scope["identity"].account
    decides = places.may(access, found, Permission.PROPOSAL_APPROVE)
    is_open = found["state"] in OPEN
    may = {
        "approve": found["waits_for_you"],
        "reject": is_open and decides and found["author"] != account,
        "withdraw": is_open and found["author"] == account,
        "edit": is_open and places.may(access, found, Permission.PROPOSAL_MAKE),
        "break": is_open and places.may(access, found, Permission.GLASS_BREAK),
        "review": found["unreviewed"] and found["state"] == "applied" and decides,
    }
    proves = (may["approve"] or may["break"]) and not _is_fresh(request)
    links = await get_or(request, "/me/identities", {"items": []}) if proves else {"items": []}
    values = {
        "p": found,
        "what": KINDS[found["kind"]].what,
        "may": may,
        "typed": {} if problem is None else form_of(request),
        "proves": proves,
        "providers": sorted({link["provider"] for link in links["items"]}),
        "go_on": go_on,
        "emergencies": [(one.value, said) for one, said in EMERGENCIES.items()],
        "missing": max(0, found["needed"] - found["approvals"]),
        "is_open": is_open,
        "is_author": found["author"] == account,
    }
    return show(request, "proposal", values, problem=problem)


def _is_fresh(request: Request) -> bool:
    """Whether the session showed who it is a moment ago, so that nobody is asked again."""
    who = request.scope["identity"]
    return who.method is Method.SESSION and (who.authenticated or 0) > now_ms() - FRESH_MS + 30_000
