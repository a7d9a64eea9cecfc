"""Routes of findings: listed, decided about, claimed, talked about."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access, View
from package_hunter.api import etags
from package_hunter.api import finding_answers as answers
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of, forbidden, unknown, view_of
from package_hunter.api.errors import ApiError
from package_hunter.api.etags import CHANGED, IF_MATCH
from package_hunter.api.finding_schemas import (
    ClaimBody,
    FilterBody,
    FindingDetails,
    FindingList,
    ListQuery,
    ManyApplyBody,
    ManyBody,
    ManyDone,
    NoteBody,
    NoteInfo,
    NoteList,
    PreviewInfo,
    SetStateBody,
)
from package_hunter.api.permits import Permit
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import as_time, read, write
from package_hunter.store import places
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.members import Place
from package_hunter.triage import bulk, claims, listing, notes, states
from package_hunter.triage.chain import Chains, projects_in
from package_hunter.triage.listing import Filters

WRONG: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The JSON is wrong, or lacks what a state needs."},
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "Not this account, or nobody alone: it takes a proposal."},
    404: {"model": Problem, "description": "There is none, or none that the account can see."},
    409: {"model": Problem, "description": "Somebody else is on it, or it is not what was previewed."},
    429: {"model": Problem, "description": "Too many failed logins; see the header Retry-After."},
    503: {"model": Problem, "description": "The store is full, busy or gone."},
}
_Finding = "/findings/{finding_id}"


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute, tags=["findings"])
    _list(router, service)
    _one(router, service)
    _claims(router, service)
    _notes(router, service)
    _many(router, service)
    return router


def _list(router: APIRouter, service: Service) -> None:
    @router.get(
        "/findings",
        summary="List findings, what was seen last first",
        description="Those of the projects in which the account can read findings.",
    )
    async def list_findings(request: Request, asked: Annotated[ListQuery, Query()]) -> FindingList:
        def look(session: Session) -> FindingList:
            view = narrowed(session, request, asked)
            page = listing.page(session, view, asked.filters(), asked.limit, asked.after, asked.order)
            return FindingList(items=answers.infos(session, view, page.rows), next=page.next)

        return await read(service, look)


def _one(router: APIRouter, service: Service) -> None:
    @router.get(_Finding, summary="A finding, and all that is needed to decide")
    async def finding(request: Request, response: Response, finding_id: str) -> FindingDetails:
        details = await read(
            service, lambda s: answers.details(s, view_of(request), found(s, request, finding_id))
        )
        response.headers["ETag"] = etags.of_document(details)
        return details

    @router.put(
        f"{_Finding}/state",
        summary="Set the state of a finding: here, in a group, or for all",
        description=IF_MATCH,
        responses=CHANGED,
    )
    async def set_state(request: Request, finding_id: str, asked: SetStateBody) -> FindingDetails:
        def change(session: Session) -> FindingDetails:
            hold(session, FINDINGS)  # what is looked at from here on is what the state is set for
            row = found(session, request, finding_id)
            etags.require_match(request, answers.details(session, view_of(request), row))
            if asked.behaviour not in (None, row.behaviour_digest):
                raise ApiError(409, "The finding does something else by now.", "Look at it again.")
            if "replaces" in asked.model_fields_set:
                _require_unchanged(listing.state_of(session, row), asked.replaces)
            place = _place(session, request, row, asked)
            states.set_state(session, actor_of(request), place, row.fingerprint, asked.new())
            return answers.details(session, view_of(request), row)

        return await write(service, change)


def _require_unchanged(standing: StateRow | None, seen: datetime | None) -> None:
    """ApiError 409 where somebody else decided since the caller looked."""
    if (None if standing is None else as_time(standing.time)) == seen:
        return
    by = (
        "Somebody took its state back" if standing is None else f"{standing.who} set it to {standing.state!r}"
    )
    raise ApiError(409, f"{by} since you looked.", "Look at it again, and decide then.")


def found(session: Session, request: Request, finding_id: str) -> FindingRow:
    """The finding of the path; ApiError 404 where the account cannot see it, 403 where it may not do that."""
    permit: Permit = request.state.permit
    access = access_to(request)
    try:
        key = uuid.UUID(finding_id) if len(finding_id) == 36 else None
    except ValueError:
        key = None
    row = None if key is None else listing.get(session, access.view(Permission.FINDING_READ), key)
    if row is None:
        raise unknown("finding")
    assert permit.permission is not None, "each of these routes asks for one"
    if not access.may_in(row.project_id, permit.permission):
        raise forbidden(permit.permission)
    return row


def _place(session: Session, request: Request, row: FindingRow, asked: SetStateBody) -> Place:
    """Where the state is to hold; ApiError 400, 403, 404."""
    access, chain = access_to(request), Chains(session).of(row.project_id)
    if (asked.group is not None) is not (asked.scope == "group"):
        raise ApiError(400, "A group is named exactly where the scope is one.", "Correct scope or group.")
    if asked.scope == "all":
        if not access.may(Permission.FINDING_TRIAGE):
            raise forbidden(Permission.FINDING_TRIAGE)
        return Place()
    if asked.group is None:
        return chain[-1]
    place = next((p for p in chain if p.group is not None and p.group.path == asked.group), None)
    if place is None or place.group is None:
        raise ApiError(404, f"The finding's project lies in no group {asked.group!r}.")
    if not access.may_in_group(place.group.id, Permission.FINDING_TRIAGE):
        raise forbidden(Permission.FINDING_TRIAGE)
    return place


def _claims(router: APIRouter, service: Service) -> None:
    @router.put(f"{_Finding}/claim", summary="Say that one is on a finding, for some hours")
    async def claim(request: Request, finding_id: str, asked: ClaimBody) -> FindingDetails:
        def change(session: Session) -> FindingDetails:
            row = found(session, request, finding_id)
            claims.claim(session, actor_of(request), row, asked.hours)
            return answers.details(session, view_of(request), row)

        return await write(service, change)

    @router.delete(f"{_Finding}/claim", summary="Let go of a finding", status_code=204)
    async def release(request: Request, finding_id: str) -> None:
        await write(service, lambda s: claims.release(s, actor_of(request), found(s, request, finding_id)))


def _notes(router: APIRouter, service: Service) -> None:
    @router.get(f"{_Finding}/notes", summary="The notes on a finding, oldest first")
    async def list_notes(request: Request, finding_id: str) -> NoteList:
        def look(session: Session) -> NoteList:
            rows = notes.listed(session, found(session, request, finding_id))
            return NoteList(items=[answers.note_info(row) for row in rows])

        return await read(service, look)

    @router.post(f"{_Finding}/notes", summary="Write a note on a finding", status_code=201)
    async def add_note(request: Request, finding_id: str, asked: NoteBody) -> NoteInfo:
        def change(session: Session) -> NoteInfo:
            row = found(session, request, finding_id)
            return answers.note_info(notes.add(session, actor_of(request), row, asked.text, asked.parent))

        return await write(service, change)


def _many(router: APIRouter, service: Service) -> None:
    @router.post("/findings/preview", summary="What setting a state for many findings would do")
    async def preview(request: Request, asked: ManyBody) -> PreviewInfo:
        def look(session: Session) -> PreviewInfo:
            view, which = _meant(session, request, asked)
            seen = bulk.preview(session, actor_of(request), view, which, asked.set.new())
            return PreviewInfo(
                findings=seen.findings,
                projects=seen.projects,
                detected=seen.detected,
                refused=answers.refused_info(seen.refused),
                impact=answers.impact_info(seen.impact),
                digest=seen.digest,
            )

        return await read(service, look)

    @router.post("/findings/state", summary="Set a state for many findings, as it was previewed")
    async def set_states(request: Request, asked: ManyApplyBody) -> ManyDone:
        def change(session: Session) -> ManyDone:
            view, which = _meant(session, request, asked)
            new, by = asked.set.new(), actor_of(request)
            number, refused = bulk.apply(session, by, view, which, new, asked.digest)
            return ManyDone(findings=number, refused=answers.refused_info(refused))

        return await write(service, change)


def _meant(session: Session, request: Request, asked: ManyBody) -> tuple[View, Filters | list[uuid.UUID]]:
    """Of what the account may decide about."""
    view = narrowed(session, request, asked.filter)
    return view, asked.filter.filters() if asked.ids is None else asked.ids


def narrowed(session: Session, request: Request, asked: FilterBody) -> View:
    """What the account may see, of the project and of the group that are named; ApiError 404."""
    view, access = view_of(request), access_to(request)
    if asked.project is not None:
        try:
            seen = access.view(Permission.PROJECT_READ)
            view = view.only(places.project_at(session, seen, asked.project).id)
        except places.MissingError:
            raise unknown("project") from None
    if asked.group is not None:
        view = _below(session, view, access, asked.group)
    return view


def _below(session: Session, view: View, access: Access, path: str) -> View:
    """Of what is seen, what lies below a group."""
    try:
        group = places.group_at(session, access.groups_view(Permission.PROJECT_READ), path)
    except places.MissingError:
        raise unknown("group") from None
    inside = projects_in(session, Place(group=group)) or ()
    return view.among(inside)
