"""The routes of the original Package Hunter, request for request."""

from __future__ import annotations

import uuid

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from package_hunter.api import original_form
from package_hunter.api.allowed import PermittedRoute, access_to, view_of
from package_hunter.api.errors import ApiError, JsonResponse, to_json
from package_hunter.api.receive import ARCHIVE_TYPE, received
from package_hunter.api.service import Service
from package_hunter.api.tree import said_of
from package_hunter.model.ecosystem import names
from package_hunter.store import scans
from package_hunter.store.scans import NewScan

_ARCHIVE_BODY = {
    "requestBody": {
        "required": True,
        "content": {ARCHIVE_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_ID_QUERY = {
    "parameters": [
        {
            "name": "id",
            "in": "query",
            "required": True,
            "description": "The id that the submission returned.",
            "schema": {"type": "string", "format": "uuid"},
        }
    ]
}


def routes(service: Service) -> APIRouter:
    """`POST /monitor/project/{manager}` and `GET /?id=`."""
    router = APIRouter(tags=["original"], route_class=PermittedRoute)

    @router.post(
        "/monitor/project/{manager}",
        summary="Submit a project (original form)",
        description="The body is a gzip tar of the project, as `application/octet-stream`. Answers "
        '`{"status": "ok", "id": "…"}`; the scan goes on by itself.',
        openapi_extra=_ARCHIVE_BODY,
    )
    async def submit(manager: str, request: Request) -> Response:
        if manager not in names():
            known = ", ".join(names())
            raise ApiError(
                404, f"There is no package manager {manager[:40]!r} here.", f"Known ones: {known}."
            )
        principal = request.scope["principal"]
        said = said_of(request)
        project = await service.target_project(access_to(request), None)
        await service.admit(principal)
        async with received(request, service) as upload:
            name = f"{manager} project {upload.sha256[:12]}"
            new = NewScan(name, principal, manager, upload.sha256, upload.size, project=project)
            scan = await service.accept(new, upload, said)
        return JsonResponse(to_json({"status": "ok", "id": str(scan.id)}))

    @router.get(
        "/",
        summary="Status and result of a scan (original form)",
        description="`pending`, `finished` with the alerts as `result`, or `failed` with a `reason`.",
        openapi_extra=_ID_QUERY,
    )
    async def status(request: Request) -> Response:
        scan_id = request.query_params.get("id")
        if not scan_id and service.pages is not None and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/overview", 303)
        if not scan_id:
            advice = "Ask for GET /?id=ID with the id that POST /monitor/project/npm returned."
            raise ApiError(400, "The query has no id.", advice)
        view = view_of(request)
        key = scan_id.lower()
        kept = service.answers.get(key)
        if kept is not None and view.sees(uuid.UUID(bytes=kept[:16])):
            return JsonResponse(kept[16:])
        scan = await service.find(scan_id, view)
        if scan.status in scans.UNFINISHED:
            return JsonResponse(to_json(original_form.answer(str(scan.id), scan.status, None, None)))
        answer = original_form.answer(
            str(scan.id), scan.status, scan.reason, await service.report(scan.id, view)
        )
        body = await run_sync(to_json, answer)
        service.answers.put(key, scan.project_id.bytes + body)  # it cannot change any more
        return JsonResponse(body)

    return router
