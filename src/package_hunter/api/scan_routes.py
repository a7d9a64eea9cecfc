"""Routes of scans: submitted, listed, looked at, reported."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from package_hunter import __version__
from package_hunter.access.view import View
from package_hunter.api import etags
from package_hunter.api.allowed import PermittedRoute, access_to, identity_of, view_of
from package_hunter.api.errors import ApiError, JsonResponse, invalid, read_json
from package_hunter.api.receive import ARCHIVE_TYPE, chunks, received
from package_hunter.api.scan_act_routes import accepted
from package_hunter.api.scan_schemas import PriorityName, ScanQuery, priority_of
from package_hunter.api.schemas import Problem, PurlSubmission, ScanInfo, ScanList
from package_hunter.api.service import Service
from package_hunter.api.transactions import read, told
from package_hunter.api.tree import PARAMETERS, said_of
from package_hunter.governance.gate.submitted import Said
from package_hunter.model.depth import DepthName
from package_hunter.model.ecosystem import names
from package_hunter.model.priority import Priority
from package_hunter.model.scan import ScanStatus
from package_hunter.package_url import scannable
from package_hunter.queue.base import Terms
from package_hunter.store import reports, scan_list, scans
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.scans import NewScan, clean_text

_MAX_JSON = 64 << 10
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "The account has not the permission."},
    429: {"model": Problem, "description": "Too much at once; see the header Retry-After."},
    503: {"model": Problem, "description": "The disk is full, or the store or the queue stands still."},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No scan of this id."}}
_SUBMIT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            ARCHIVE_TYPE: {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": PurlSubmission.model_json_schema()},
        },
    }
}
_SUBMIT_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Empty body, broken JSON or purl, unknown ecosystem."},
    404: {"model": Problem, "description": "No project of this path that the account can see."},
    408: {"model": Problem, "description": "The body came in too slowly."},
    413: {"model": Problem, "description": "The archive is larger than the server takes."},
    415: {"model": Problem, "description": "Neither raw bytes nor JSON."},
}


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute)
    _submit_route(router, service)
    _list_route(router, service)
    _status_route(router, service)
    _report_route(router, service)
    return router


def _submit_route(router: APIRouter, service: Service) -> None:
    @router.post(
        "/scans",
        status_code=202,
        response_model=ScanInfo,
        responses=_SUBMIT_PROBLEMS,
        openapi_extra={**_SUBMIT_BODY, "parameters": PARAMETERS},
        tags=["scans"],
        summary="Submit an archive or a package",
        description="Either the bytes of an archive (a gzip tar of a project, or a package as `npm pack` "
        'makes it) as `application/octet-stream`, or `{"purl": "pkg:npm/…"}` as JSON. The scan goes on by '
        "itself: ask for its status. An archive that cannot be read is a scan that failed, with its reason.",
    )
    async def submit(  # noqa: PLR0913 (each is a parameter of the query)
        request: Request,
        ecosystem: Annotated[
            str | None, Query(description=f"One of {', '.join(names())}; unset: find out.")
        ] = None,
        name: Annotated[str | None, Query(max_length=200, description="A name for people to see.")] = None,
        fresh: Annotated[
            bool, Query(description="Scan even where the same dependencies were scanned lately.")
        ] = False,
        depth: Annotated[
            DepthName | None, Query(description="How far to look; unset: as the server is set up (standard).")
        ] = None,
        project: Annotated[
            str | None,
            Query(max_length=MAX_PATH, description="The project's path; unset: the account's own."),
        ] = None,
        priority: Annotated[
            PriorityName | None,
            Query(description="Who comes first; `merge-request` is for trees of one, and for CI jobs."),
        ] = None,
    ) -> Response:
        if ecosystem is not None and ecosystem not in names():
            raise ApiError(
                400, f"Unknown ecosystem {ecosystem[:40]!r}.", f"Known ones: {', '.join(names())}."
            )
        principal: str = request.scope["principal"]
        said = said_of(request)
        terms = _terms(request, said, priority)
        place = await service.target_project(access_to(request), project)
        await service.admit(principal)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            if said is not None:
                raise ApiError(400, "A package is no commit's tree.", "Leave commit out, or send the tree.")
            body = await _json_body(request, service.settings.upload_stall_seconds)
            purl = _purl(body, ecosystem)
            package = NewScan(purl, principal, ecosystem, purl=purl, fresh=fresh, depth=depth, project=place)
            scan = await service.accept(package, answer=accepted, terms=terms)
        else:
            async with received(request, service) as upload:
                target = clean_text(name or "", 200) or f"archive {upload.sha256[:12]}"
                archive = (ecosystem, upload.sha256, upload.size)
                new = NewScan(target, principal, *archive, fresh=fresh, depth=depth, project=place)
                scan = await service.accept(new, upload, said, accepted, terms)
        kept = accepted(scan)
        return JsonResponse(kept.body, kept.status, headers={"Location": f"/api/v1/scans/{scan.id}"})


def _terms(request: Request, said: Said | None, priority: PriorityName | None) -> Terms:
    """How the scan waits: what is of a merge request comes first, and nothing else may say that it is; ApiError 403."""
    of_request = said is not None and said.origin.merge_request is not None
    if priority is None:
        return Terms(Priority.MERGE_REQUEST if of_request else Priority.NORMAL)
    wanted = priority_of(priority)
    if wanted is Priority.MERGE_REQUEST and not of_request and identity_of(request).job is None:
        raise ApiError(
            403,
            "This priority is for merge requests.",
            "Say commit and merge_request, submit as a CI job, or leave priority out.",
        )
    return Terms(wanted)


def _list_route(router: APIRouter, service: Service) -> None:
    @router.get(
        "/scans",
        tags=["scans"],
        summary="List scans, newest first",
        description="Those of the projects whose scans the account can see. All filters that are given must fit.",
        responses={
            404: {"model": Problem, "description": "No project of this path that the account can see."}
        },
    )
    async def list_scans(request: Request, asked: Annotated[ScanQuery, Query()]) -> ScanList:
        view = view_of(request)
        if asked.project is not None:
            view = view.only(await service.project_at(access_to(request), asked.project))

        def look(session: Session) -> ScanList:
            page = scan_list.page(session, view, asked.filters(), asked.limit, asked.before)
            return ScanList(scans=[ScanInfo.of(scan) for scan in page.rows], next=page.next)

        return await read(service, look)


def _status_route(router: APIRouter, service: Service) -> None:
    @router.get(
        "/scans/{scan_id}",
        tags=["scans"],
        summary="Status of a scan",
        responses=_NOT_FOUND,
        response_model=ScanInfo,
    )
    async def status(request: Request, scan_id: str) -> Response:
        info = ScanInfo.of(await service.find(scan_id, view_of(request)))
        return JsonResponse(info.model_dump_json().encode())


def _report_route(router: APIRouter, service: Service) -> None:
    formats = ["json", *service.renderers]

    @router.get(
        "/scans/{scan_id}/report",
        tags=["scans"],
        summary="Report of a scan that ended",
        description=f"Formats: {', '.join(formats)}. JSON follows schema version 1 (docs/report.md).",
        responses={**_NOT_FOUND, 409: {"model": Problem, "description": "There is no report (yet)."}},
        response_class=Response,
    )
    async def report(
        request: Request,
        scan_id: str,
        format: Annotated[str, Query(description="The report's form.")] = "json",
    ) -> Response:
        if format not in formats:
            raise ApiError(400, f"Unknown format {format[:40]!r}.", f"Known ones: {', '.join(formats)}.")
        view = view_of(request)
        scan = await service.find(scan_id, view)
        wish = _Wish(format, request.headers.get("if-none-match"))
        answer = await run_sync(_reported, service, view, scan.id, wish)
        if answer is None:
            raise _no_report(scan.status, scan.reason)
        return answer


@dataclass(frozen=True, slots=True)
class _Wish:
    format: str
    known: str | None  # If-None-Match


def _reported(service: Service, view: View, scan_id: uuid.UUID, wish: _Wish) -> Response | None:
    """The report in that form, which is neither fetched nor rendered where it is known already."""
    with service.store.read() as session:
        row = scans.stored_report(session, view, scan_id)
        if row is None:
            return None
        name = row.body if row.digest is None else row.digest.encode()
        tag = etags.of_bytes(name, wish.format.encode(), __version__.encode())
        if etags.is_known(wish.known, tag):
            return etags.not_modified(tag)
        if wish.format == "json":
            text = reports.read_bytes(session, row.body, row.digest)
            return JsonResponse(text, headers={"ETag": tag})
        data = reports.read(session, row.body, row.digest)
    renderer = service.renderers[wish.format]
    rendered = renderer.render(data).encode("utf-8", "backslashreplace")
    return Response(rendered, headers={"ETag": tag}, media_type=renderer.media_type)


async def _json_body(request: Request, stall: float) -> bytes:
    body = bytearray()
    async for chunk in chunks(request, stall):
        body += chunk
        if len(body) > _MAX_JSON:
            raise ApiError(413, f"The JSON has more than {_MAX_JSON} bytes.")
    return bytes(body)


def _purl(body: bytes, ecosystem: str | None) -> str:
    """The submitted purl in its canonical form; ApiError 400: none, or none that can be scanned here."""
    try:
        submitted = PurlSubmission.model_validate(read_json(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise invalid({**first, "loc": ("body", *first["loc"])}) from error
    except json.JSONDecodeError as error:
        raise invalid({"type": "json_invalid", "loc": (), "msg": error.msg}, error) from error
    with told():
        return scannable(submitted.purl, ecosystem).purl


def _no_report(status: str, reason: str | None) -> ApiError:
    if status == ScanStatus.FAILED.value:
        return ApiError(409, f"This scan has no report: it failed. {reason or ''}".strip())
    if status == ScanStatus.CANCELLED.value:
        return ApiError(409, f"This scan has no report: it was cancelled. {reason or ''}".strip())
    return ApiError(409, "This scan has no report yet.", "Ask again when its status is finished.")
