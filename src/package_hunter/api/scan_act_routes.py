"""Routes of what is done with a scan: cancelled, made again, run again, judged again, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api import idempotency
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of, forbidden, view_of
from package_hunter.api.errors import ApiError, JsonResponse
from package_hunter.api.scan_schemas import AgainBody, CancelBody, RejudgeInfo, RerunBody
from package_hunter.api.schemas import Problem, ScanInfo, ScanList
from package_hunter.api.service import Service, parse_id, unknown_scan
from package_hunter.api.transactions import add, as_time, maybe_time, read, told
from package_hunter.inventory import rejudge_asked
from package_hunter.queue import acts
from package_hunter.queue.acts import Again, StandsOtherwiseError
from package_hunter.store import deletion, scans
from package_hunter.store.collection import remove_unwanted
from package_hunter.store.deletion import Deletion, KeptError
from package_hunter.store.history import MAX_WHY
from package_hunter.store.models import Scan
from package_hunter.store.request_tables import RejudgeRequest
from package_hunter.store.requests import Kept

_CONFLICT: dict[int | str, dict[str, Any]] = {
    404: {
        "model": Problem,
        "description": "No scan of this id that the account can see, and may do that with.",
    },
    409: {
        "model": Problem,
        "description": "Not as things stand: it has ended, or what it needs is not kept.",
    },
}

_NO_WORDS, _AS_IT_WAS, _AS_USUAL = CancelBody(), AgainBody(), RerunBody()  # where nothing is sent


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_CONFLICT, route_class=PermittedRoute, tags=["scans"])
    _cancel(router, service)
    _again(router, service)
    _rejudge(router, service)
    _delete(router, service)
    _dead(router, service)
    return router


def scan_of(session: Session, request: Request, scan_id: str) -> Scan:
    """The scan of the path; ApiError 404 where the account may not do with it what the route is about."""
    found = scans.get(session, view_of(request), parse_id(scan_id))
    if found is None:
        raise unknown_scan()
    return found


@contextmanager
def as_things_stand() -> Iterator[None]:
    """ApiError 409 for what cannot be done with a scan as it is."""
    try:
        yield
    except StandsOtherwiseError as error:
        kind = "not-kept" if error.not_kept else None
        raise ApiError(409, error.message, error.advice, kind=kind) from error


def _cancel(router: APIRouter, service: Service) -> None:
    @router.post(
        "/scans/{scan_id}/cancel",
        summary="End a scan that is not wanted any more",
        description="One that waits ends at once; one that runs within a second, `running` until then.",
    )
    async def cancel(request: Request, scan_id: str, asked: CancelBody = _NO_WORDS) -> ScanInfo:
        by = actor_of(request)

        def change(session: Session) -> ScanInfo:
            scan = scan_of(session, request, scan_id)
            with as_things_stand():
                acts.cancel(session, service.queue, by, scan, asked.why)
            return ScanInfo.of(scan)

        return await add(service, change)


def _again(router: APIRouter, service: Service) -> None:
    @router.post(
        "/scans/{scan_id}/rescan",
        status_code=202,
        response_model=ScanInfo,
        summary="Scan the same once more",
        description="A new scan of the same package or archive (where that is kept), without known results.",
    )
    async def rescan(request: Request, scan_id: str, asked: AgainBody = _AS_IT_WAS) -> Response:
        by = actor_of(request)
        await service.admit(by.name)

        def change(session: Session) -> Kept:
            old, wish = scan_of(session, request, scan_id), Again(asked.depth, asked.to_priority())
            with as_things_stand():
                kept = accepted(acts.rescan(session, service.queue, by, old, wish))
            idempotency.mark(session, kept)
            return kept

        kept = await add(service, change)
        headers = {} if kept.location is None else {"Location": kept.location}
        return JsonResponse(kept.body, kept.status, headers=headers)


def accepted(scan: Scan) -> Kept:
    """The answer to a submission."""
    return Kept(202, ScanInfo.of(scan).model_dump_json().encode(), f"/api/v1/scans/{scan.id}")


def _rejudge(router: APIRouter, service: Service) -> None:
    @router.post(
        "/scans/{scan_id}/rejudge",
        status_code=202,
        summary="Judge a scan's recording by the rules of now",
        description="Nothing is run again. What rules that are new see becomes part of its result.",
    )
    async def rejudge(request: Request, scan_id: str) -> RejudgeInfo:
        by = actor_of(request)

        def change(session: Session) -> RejudgeInfo:
            scan = scan_of(session, request, scan_id)
            with as_things_stand():
                row = rejudge_asked.ask(session, by, scan)
            return rejudge_info(row)

        return await add(service, change)

    @router.get("/scans/{scan_id}/rejudge", summary="What came of judging a scan again")
    async def rejudged(request: Request, scan_id: str) -> RejudgeInfo:
        def look(session: Session) -> RejudgeInfo:
            row = rejudge_asked.get(session, scan_of(session, request, scan_id).id)
            if row is None:
                raise ApiError(409, "Nobody asked for that.", "POST to the same path asks for it.")
            return rejudge_info(row)

        return await read(service, look)


def rejudge_info(row: RejudgeRequest) -> RejudgeInfo:
    """As the API tells of it."""
    return RejudgeInfo(
        scan=str(row.scan_id),
        state=row.state,  # type: ignore[arg-type]
        asked=as_time(row.asked),
        by=row.who,
        ended=maybe_time(row.ended),
        said=row.said,
    )


def _delete(router: APIRouter, service: Service) -> None:
    @router.delete(
        "/scans/{scan_id}",
        status_code=204,
        summary="Delete a scan, its report and all that is kept of it",
        description="The history keeps what it was. Not while it runs, nor under a legal hold; `force` although an "
        "open finding rests on it takes the permission `project:hold:manage`.",
    )
    async def delete_scan(
        request: Request,
        scan_id: str,
        why: Annotated[str, Query(min_length=1, max_length=MAX_WHY)],
        force: Annotated[bool, Query(description="Although an open finding rests on it.")] = False,
    ) -> None:
        await run_sync(_deleted, service, request, parse_id(scan_id), Deletion(why, force))


def _deleted(service: Service, request: Request, scan_id: uuid.UUID, asked: Deletion) -> None:
    view, access = view_of(request), access_to(request)
    with service.store.write() as session:
        scan = scans.get(session, view, scan_id)
        if scan is None:
            raise unknown_scan()
        if asked.force and not access.may_in(scan.project_id, Permission.HOLD_MANAGE):
            raise forbidden(Permission.HOLD_MANAGE)
        with told():
            try:
                unwanted = deletion.delete_scan(session, view, actor_of(request), scan_id, asked)
            except KeptError as error:
                raise ApiError(409, error.message, error.advice, kind="held") from error
    service.answers.forget(str(scan_id))
    remove_unwanted(service.store, unwanted)


def _dead(router: APIRouter, service: Service) -> None:
    @router.get(
        "/dead-letters",
        summary="Scans that failed through faults of ours, newest first",
        description="Each was tried as often as the server is set up to. `rerun` lets one wait again.",
    )
    async def dead(
        request: Request, limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100
    ) -> ScanList:
        view = view_of(request)

        def look(session: Session) -> ScanList:
            found = service.queue.dead(session, view, limit)
            return ScanList(scans=[ScanInfo.of(scan) for scan in found], next=None)

        return await read(service, look)

    @router.post("/scans/{scan_id}/rerun", status_code=202, summary="Let a dead letter wait again")
    async def rerun(request: Request, scan_id: str, asked: RerunBody = _AS_USUAL) -> ScanInfo:
        by = actor_of(request)

        def change(session: Session) -> ScanInfo:
            scan = scan_of(session, request, scan_id)
            with as_things_stand():
                acts.rerun(session, service.queue, by, scan, asked.to_priority())
            return ScanInfo.of(scan)

        return await add(service, change)
