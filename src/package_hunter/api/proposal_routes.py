"""Routes of changes that need two people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from package_hunter.api import etags
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of
from package_hunter.api.errors import ApiError
from package_hunter.api.etags import CHANGED, IF_MATCH
from package_hunter.api.fresh import shown_again
from package_hunter.api.proposal_schemas import (
    ApproveBody,
    BreakGlassBody,
    EditBody,
    ImpactInfo,
    ListQuery,
    PreviewBody,
    PreviewInfo,
    ProposalInfo,
    ProposalList,
    ProposalSummary,
    ProposeBody,
    WhyBody,
)
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import PlaceOf, everywhere, group_place, project_place, read, write
from package_hunter.governance.proposals import decide, people, propose, views
from package_hunter.governance.proposals import waiting as wait
from package_hunter.governance.proposals.errors import ClosedError, ForbiddenError
from package_hunter.governance.proposals.kind import Budget
from package_hunter.governance.proposals.propose import Asked, By, Prepared
from package_hunter.governance.proposals.views import Sight, Wish
from package_hunter.queue import recordings
from package_hunter.store.database import now_ms
from package_hunter.store.proposal_tables import Proposal

T = TypeVar("T")
_WRONG: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The JSON or the document is wrong."},
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "The account, or the person, may not do that."},
    404: {"model": Problem, "description": "There is none, or none that the account can see."},
    409: {"model": Problem, "description": "The proposal is closed, or is not what was seen."},
    429: {"model": Problem, "description": "Too many failed logins; see the header Retry-After."},
    503: {"model": Problem, "description": "The store is full, busy or gone."},
}
_Number = Annotated[int, Path(ge=1, le=1 << 62)]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_WRONG, route_class=PermittedRoute)
    for path, place_of, tail in (
        ("/projects/{project_id}", project_place, "a project"),
        ("/groups/{group_id}", group_place, "a group"),
        ("", everywhere, "all"),
    ):
        _propose(router, service, path, place_of, tail)
        _preview(router, service, path, place_of, tail)
    _look(router, service)
    _edit(router, service)
    _close(router, service)
    _approve(router, service)
    _without_approval(router, service)
    return router


def _propose(router: APIRouter, service: Service, path: str, place_of: PlaceOf, tail: str) -> None:
    @router.post(
        f"{path}/proposals", tags=["proposals"], summary=f"Propose a change for {tail}", status_code=201
    )
    async def propose_change(request: Request, new: ProposeBody) -> ProposalInfo:
        budget = _budget(service)

        def look(session: Session) -> Prepared:
            place = place_of(session, request)
            return propose.prepare(session, new.kind.value, place, new.document, budget)

        prepared = await read(service, _told(look))

        def change(session: Session) -> ProposalInfo:
            made = decide.propose(session, _by(session, request), prepared, _asked(new))
            return _info(session, request, made)

        return await write(service, _told(change))


def _preview(router: APIRouter, service: Service, path: str, place_of: PlaceOf, tail: str) -> None:
    @router.post(
        f"{path}/proposals/preview",
        tags=["proposals"],
        summary=f"What a change for {tail} would be and do",
        description="Nothing is proposed by it: the same checks, difference and impact as a proposal's.",
    )
    async def preview(request: Request, new: PreviewBody) -> PreviewInfo:
        budget = _budget(service)

        def look(session: Session) -> PreviewInfo:
            found = propose.prepare(session, new.kind.value, place_of(session, request), new.document, budget)
            return PreviewInfo(
                subject=found.wanted.subject,
                content_hash=found.content_hash,
                base_hash=found.base_hash,
                diff=found.diff,
                impact=ImpactInfo(**found.impact.as_json()),
            )

        return await read(service, _told(look))


def _budget(service: Service) -> Budget:
    return Budget(service.settings.impact_seconds, recordings.where(service.settings))


def _look(router: APIRouter, service: Service) -> None:
    @router.get("/proposals", tags=["proposals"], summary="List proposals, newest first")
    async def list_proposals(request: Request, asked: Annotated[ListQuery, Query()]) -> ProposalList:
        def look(session: Session) -> ProposalList:
            now, access, limit = now_ms(), access_to(request), asked.limit
            state, kind = asked.state and asked.state.value, asked.kind and asked.kind.value
            only = wait.on(session, access, now) if asked.waiting else None
            wish = Wish(state, kind, asked.unreviewed, only)
            rows = views.listed(session, _sight(request), wish, now, limit + 1, asked.before)
            mine = wait.among(session, access, rows, now)
            items = [_summary(session, row, now, row.number in mine) for row in rows[:limit]]
            return ProposalList(items=items, next=rows[limit - 1].number if len(rows) > limit else None)

        return await read(service, look)

    @router.get("/proposals/{number}", tags=["proposals"], summary="A proposal: diff, impact, approvals")
    async def proposal(request: Request, response: Response, number: _Number) -> ProposalInfo:
        info = await read(service, lambda s: _info(s, request, _found(s, request, number)))
        response.headers["ETag"] = etags.of_document(info)
        return info


def _edit(router: APIRouter, service: Service) -> None:
    @router.put(
        "/proposals/{number}",
        tags=["proposals"],
        summary="Change what a proposal says",
        description="Its approvals are dropped, and who edits it cannot approve it. Its time stays unless given. "
        + IF_MATCH,
        responses=CHANGED,
    )
    async def edit_proposal(request: Request, number: _Number, new: EditBody) -> ProposalInfo:
        budget = _budget(service)

        def look(session: Session) -> Prepared:
            old = _found(session, request, number)
            return propose.prepare(session, old.kind, people.place_of(session, old), new.document, budget)

        prepared = await read(service, _told(look))

        def change(session: Session) -> ProposalInfo:
            etags.require_match(request, _info(session, request, _found(session, request, number)))
            by = _by(session, request)
            return _info(session, request, propose.edit(session, by, number, prepared, _asked(new)))

        return await write(service, _told(change))


def _close(router: APIRouter, service: Service) -> None:
    for verb, act, summary in (
        ("withdraw", decide.withdraw, "Close what one proposed oneself"),
        ("reject", decide.reject, "Close a proposal, unapplied"),
        ("review", decide.review, "Say that one has looked at what was applied without approval"),
    ):
        _closing(router, service, verb, act, summary)


_Close = Callable[[Session, By, int, str], Proposal]


def _closing(router: APIRouter, service: Service, verb: str, act: _Close, summary: str) -> None:
    @router.post(f"/proposals/{{number}}/{verb}", tags=["proposals"], summary=summary)
    async def close(request: Request, number: _Number, said: WhyBody) -> ProposalInfo:
        def change(session: Session) -> ProposalInfo:
            return _info(session, request, act(session, _by(session, request), number, said.why))

        return await write(service, _told(change))


def _approve(router: APIRouter, service: Service) -> None:
    @router.post(
        "/proposals/{number}/approve",
        tags=["proposals"],
        summary="Approve a proposal of somebody else",
        description="By a person: tokens never approve. Asks once more who that is. Applied with the last approval.",
    )
    async def approve(request: Request, number: _Number, yes: ApproveBody) -> ProposalInfo:
        proof = await shown_again(request, service, yes)
        seen = decide.Seen(yes.content_hash, yes.version)

        def change(session: Session) -> ProposalInfo:
            by = _by(session, request)
            return _info(session, request, decide.approve(session, by, number, seen, proof))

        return await write(service, _told(change))


def _without_approval(router: APIRouter, service: Service) -> None:
    @router.post(
        "/proposals/{number}/break-glass",
        tags=["proposals"],
        summary="Apply a proposal now, without approval",
        description="Everybody concerned is told, and somebody else must review it.",
    )
    async def break_glass(request: Request, number: _Number, said: BreakGlassBody) -> ProposalInfo:
        await shown_again(request, service, said)

        def change(session: Session) -> ProposalInfo:
            by = _by(session, request)
            return _info(session, request, decide.break_glass(session, by, number, said.reason, said.why))

        return await write(service, _told(change))


def _found(session: Session, request: Request, number: int) -> Proposal:
    """The proposal of the path; that it may be seen was asked before."""
    return views.get(session, _sight(request), number)


def _sight(request: Request) -> Sight:
    return Sight.of(access_to(request))


def _by(session: Session, request: Request) -> By:
    actor = actor_of(request)
    return propose.acting(session, actor.name, actor.origin)


def _asked(new: EditBody | ProposeBody) -> Asked:
    at = new.apply_at
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    keep = isinstance(new, EditBody) and "apply_at" not in new.model_fields_set
    return Asked(new.reason, None if at is None else int(at.timestamp() * 1000), keep)


def _told(act: Callable[[Session], T]) -> Callable[[Session], T]:
    """The act, with what only proposals refuse as HTTP has it."""

    def run(session: Session) -> T:
        with _refusals():
            return act(session)

    return run


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ForbiddenError as error:
        raise ApiError(403, error.message, error.advice) from error
    except ClosedError as error:
        raise ApiError(409, error.message, error.advice) from error


_TIMES = ("created", "expires", "apply_at", "applied", "decided", "reviewed", "time")


def _times(values: dict[str, Any]) -> dict[str, Any]:
    """With times as JSON has them."""
    return {
        key: datetime.fromtimestamp(value / 1000, UTC) if key in _TIMES and value is not None else value
        for key, value in values.items()
    }


def _summary(session: Session, proposal: Proposal, now: int, waits: bool) -> ProposalSummary:
    return ProposalSummary(**_times(views.summary(session, proposal, now)), waits_for_you=waits)


def _info(session: Session, request: Request, proposal: Proposal) -> ProposalInfo:
    now = now_ms()
    found = _times(views.details(session, proposal, now))
    found["waits_for"] = wait.whom(session, proposal, now)
    found["waits_for_you"] = bool(wait.among(session, access_to(request), [proposal], now))
    for key in ("edits", "given"):
        found[key] = [_times(item) for item in found[key]]
    return ProposalInfo(**found)
