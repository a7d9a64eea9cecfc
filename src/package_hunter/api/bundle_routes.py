"""Routes of bundles: a verdict, signed, with all that it came from. A process that holds the key makes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from package_hunter.api import etags
from package_hunter.api.allowed import PermittedRoute, actor_of
from package_hunter.api.errors import ApiError
from package_hunter.api.scan_act_routes import as_things_stand, scan_of
from package_hunter.api.scan_file_routes import headers_of, of_media, opened, pieces, tell_of
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import add, as_time, maybe_time, read
from package_hunter.bundle import asked as bundles
from package_hunter.storage.base import Kind
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import of_scan
from package_hunter.store.request_tables import BundleRequest

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No scan of this id that the account can see."},
    409: {
        "model": Problem,
        "description": "The scan came to no verdict; none was asked for, it is not made yet, or it cannot be made.",
    },
}


class BundleInfo(BaseModel):
    """How a bundle stands."""

    scan: str
    state: Literal["waiting", "made", "failed"]
    asked: datetime
    by: str = Field(description="The account that asked.")
    ended: datetime | None
    said: str | None = Field(description="Why it cannot be made.")
    digest: str | None = Field(description="SHA-256 of the file.")


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute, tags=["files"])

    @router.post(
        "/scans/{scan_id}/bundle",
        status_code=202,
        summary="Have a bundle made: the verdict, signed, with all that it came from",
        description="As policies and states are now. Anybody can check it offline: `package-hunter verify`.",
    )
    async def ask(request: Request, scan_id: str) -> BundleInfo:
        by = actor_of(request).name

        def change(session: Session) -> BundleInfo:
            scan = scan_of(session, request, scan_id)
            with as_things_stand():
                return _info(bundles.ask(session, by, scan))

        return await add(service, change)

    @router.get(
        "/scans/{scan_id}/bundle",
        summary="The bundle that was made last",
        description="It holds the recordings: the history says who fetched it.",
        response_class=Response,
        responses=of_media("application/zip"),
    )
    async def fetch(request: Request, scan_id: str) -> Response:
        row = await read(service, lambda s: _made(s, request, scan_id))
        tag = f'"{row.digest}"'
        if etags.is_known(request.headers.get("if-none-match"), tag):
            return etags.not_modified(tag)
        await tell_of(service, request, row, "scan.fetch-bundle")
        file = await run_sync(opened, service, row)
        headers = headers_of(f"{row.scan_id}.bundle.zip", row.size, tag)
        return StreamingResponse(pieces(file), headers=headers, media_type="application/zip")

    @router.get("/scans/{scan_id}/bundle/state", summary="How the bundle stands that was asked for last")
    async def state(request: Request, scan_id: str) -> BundleInfo:
        def look(session: Session) -> BundleInfo:
            row = bundles.get(session, scan_of(session, request, scan_id).id)
            if row is None:
                raise _not_asked()
            return _info(row)

        return await read(service, look)

    return router


def _not_asked() -> ApiError:
    return ApiError(409, "Nobody asked for a bundle of this scan.", "POST to …/bundle asks for one.")


def _made(session: Session, request: Request, scan_id: str) -> ArtefactRef:
    """The newest one, though another may be asked for; ApiError 404, 409."""
    scan = scan_of(session, request, scan_id)
    rows = of_scan(session, scan.id, Kind.BUNDLE)
    if rows:
        return rows[0]
    row = bundles.get(session, scan.id)
    if row is None:
        raise _not_asked()
    if row.state == bundles.FAILED:
        raise ApiError(409, f"No bundle can be made of this scan. {row.said or ''}".strip())
    raise ApiError(409, "The bundle is not made yet.", "Ask again in a moment.", {"Retry-After": "3"})


def _info(row: BundleRequest) -> BundleInfo:
    return BundleInfo(
        scan=str(row.scan_id),
        state=row.state,  # type: ignore[arg-type]
        asked=as_time(row.asked),
        by=row.who,
        ended=maybe_time(row.ended),
        said=row.said,
        digest=row.digest,
    )
