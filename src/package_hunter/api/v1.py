"""Our own routes, under /api/v1."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import structlog
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from packageurl import PackageURL
from pydantic import ValidationError
from starlette.responses import Response

from package_hunter import __version__
from package_hunter.access.view import View
from package_hunter.api.allowed import PermittedRoute, access_to, view_of
from package_hunter.api.errors import ApiError, JsonResponse, to_json
from package_hunter.api.receive import ARCHIVE_TYPE, chunks, received
from package_hunter.api.schemas import Health, Problem, PurlSubmission, ScanInfo, ScanList
from package_hunter.api.service import Service, parse_id
from package_hunter.api.tree import PARAMETERS, said_of
from package_hunter.audit.sealer import oldest_unsealed
from package_hunter.audit.verify import ALARM_MS
from package_hunter.model.depth import DepthName
from package_hunter.model.ecosystem import names
from package_hunter.model.scan import ScanStatus
from package_hunter.store import scans
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.database import now_ms
from package_hunter.store.scans import NewScan, clean_text

log = structlog.get_logger(__name__)

_MAX_JSON = 64 << 10
_WORKER_SILENT_SECONDS = 60.0
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
    """All routes of version 1."""
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute)
    _submit_route(router, service)
    _list_route(router, service)
    _status_route(router, service)
    _report_route(router, service)
    _health_route(router, service)
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
    async def submit(
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
    ) -> Response:
        if ecosystem is not None and ecosystem not in names():
            raise ApiError(
                400, f"Unknown ecosystem {ecosystem[:40]!r}.", f"Known ones: {', '.join(names())}."
            )
        principal: str = request.scope["principal"]
        said = said_of(request)
        place = await service.target_project(access_to(request), project)
        await service.admit(principal)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            if said is not None:
                raise ApiError(400, "A package is no commit's tree.", "Leave commit out, or send the tree.")
            purl = _purl(await _json_body(request, service.settings.upload_stall_seconds))
            scan = await service.accept(
                NewScan(purl, principal, ecosystem, purl=purl, fresh=fresh, depth=depth, project=place)
            )
        else:
            async with received(request, service) as upload:
                target = clean_text(name or "", 200) or f"archive {upload.sha256[:12]}"
                archive = (ecosystem, upload.sha256, upload.size)
                new = NewScan(target, principal, *archive, fresh=fresh, depth=depth, project=place)
                scan = await service.accept(new, upload, said)
        info = ScanInfo.of(scan)
        headers = {"Location": f"/api/v1/scans/{info.id}"}
        return JsonResponse(info.model_dump_json().encode(), 202, headers=headers)


def _list_route(router: APIRouter, service: Service) -> None:
    @router.get(
        "/scans",
        tags=["scans"],
        summary="List scans, newest first",
        description="Those of the projects whose scans the account can see.",
        responses={
            404: {"model": Problem, "description": "No project of this path that the account can see."}
        },
    )
    async def list_scans(
        request: Request,
        status: Annotated[ScanStatus | None, Query(description="Only scans of this status.")] = None,
        limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 50,
        before: Annotated[str | None, Query(max_length=80, description="`next` of the page before.")] = None,
        project: Annotated[
            str | None, Query(max_length=MAX_PATH, description="Only those of the project of this path.")
        ] = None,
    ) -> ScanList:
        position = None if before is None else _position(before)
        view = view_of(request)
        if project is not None:
            view = view.only(await service.project_at(access_to(request), project))
        found = await run_sync(_newest, service, view, limit + 1, status, position)
        page = found[:limit]
        more = f"{page[-1].created}-{page[-1].id}" if len(found) > limit else None
        return ScanList(scans=[ScanInfo.of(s) for s in page], next=more)


def _status_route(router: APIRouter, service: Service) -> None:
    @router.get("/scans/{scan_id}", tags=["scans"], summary="Status of a scan", responses=_NOT_FOUND)
    async def status(request: Request, scan_id: str) -> ScanInfo:
        return ScanInfo.of(await service.find(scan_id, view_of(request)))


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
        data = await service.report(scan.id, view)
        if data is None:
            raise _no_report(scan.status, scan.reason)
        if format == "json":
            return JsonResponse(await run_sync(to_json, data))
        renderer = service.renderers[format]
        text = await run_sync(renderer.render, data)
        return Response(text.encode("utf-8", "backslashreplace"), media_type=renderer.media_type)


def _health_route(router: APIRouter, service: Service) -> None:
    @router.get(
        "/health", tags=["server"], summary="Whether the server works", description="Asks no credentials."
    )
    async def health() -> Health:
        waiting, seen, lacks = await run_sync(_queue_state, service)
        unsealed = await run_sync(_unsealed, service)
        silent = None if seen is None else max(0.0, (now_ms() - seen) / 1000)
        if silent is None or silent >= _WORKER_SILENT_SECONDS:
            lacks = "No worker is running: package-hunter worker starts one."
        if lacks is None and unsealed:
            lacks = "Changes wait for their seal: the history's sealer does not work."
            log.error("history unsealed", seconds=unsealed)
        return Health(
            status="ok" if lacks is None else "degraded",
            version=__version__,
            waiting=waiting,
            worker_seen_seconds=silent,
            reason=lacks,
        )


def _newest(
    service: Service, view: View, limit: int, status: ScanStatus | None, before: tuple[int, uuid.UUID] | None
) -> list[Any]:
    with service.store.read() as session:
        return list(scans.newest(session, view, limit, status, before))


def _queue_state(service: Service) -> tuple[int, int | None, str | None]:
    with service.store.read() as session:
        lately = now_ms() - int(_WORKER_SILENT_SECONDS * 1000)
        return scans.unfinished(session), scans.worker_seen(session), scans.worker_lacks(session, lately)


def _unsealed(service: Service) -> float:
    """For how many seconds too long the history's oldest entry has waited for its seal."""
    with service.store.read() as session:
        since = oldest_unsealed(session)
    return 0.0 if since is None else max(0.0, (now_ms() - since - ALARM_MS) / 1000)


async def _json_body(request: Request, stall: float) -> bytes:
    body = bytearray()
    async for chunk in chunks(request, stall):
        body += chunk
        if len(body) > _MAX_JSON:
            raise ApiError(413, f"The JSON has more than {_MAX_JSON} bytes.")
    return bytes(body)


def _purl(body: bytes) -> str:
    """The submitted purl in its canonical form; ApiError 400."""
    try:
        submitted = PurlSubmission.model_validate_json(body)
        purl = PackageURL.from_string(submitted.purl)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ApiError(
            400, f"The JSON is wrong: {first['msg']}.", 'Send {"purl": "pkg:npm/NAME"}.'
        ) from error
    except ValueError as error:
        raise ApiError(400, "This is no package URL.", "It looks like pkg:npm/left-pad@1.3.0.") from error
    return str(purl.to_string())


def _position(text: str) -> tuple[int, uuid.UUID]:
    created, _, scan_id = text.partition("-")
    if not created.isascii() or not created.isdigit() or len(created) > 15:
        raise ApiError(400, "`before` is wrong.", "Use `next` of the page before.")
    return int(created), parse_id(scan_id)


def _no_report(status: str, reason: str | None) -> ApiError:
    if status == ScanStatus.FAILED.value:
        return ApiError(409, f"This scan has no report: it failed. {reason or ''}".strip())
    if status == ScanStatus.CANCELLED.value:
        return ApiError(409, f"This scan has no report: it was cancelled. {reason or ''}".strip())
    return ApiError(409, "This scan has no report yet.", "Ask again when its status is finished.")
