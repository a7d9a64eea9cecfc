"""Routes of files that are kept of a scan: recordings, and what packages dropped in the box. Those are hostile: they
leave this server in a ZIP under the field's password or encrypted to one reader, never as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, BinaryIO

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from package_hunter.api import etags
from package_hunter.api.allowed import PermittedRoute, actor_of
from package_hunter.api.errors import ApiError
from package_hunter.api.scan_act_routes import scan_of
from package_hunter.api.scan_schemas import KeptFileInfo, KeptFileList
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import add, as_time, read, told
from package_hunter.errors import HostError, StoreError
from package_hunter.queue import acts
from package_hunter.storage import handed_out
from package_hunter.storage.base import Kind
from package_hunter.storage.errors import DamagedError, MissingError
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import of_scan

_CHUNK = 256 << 10
_Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="Its SHA-256.")]
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such scan, or no such file of it."},
    409: {"model": Problem, "description": "It is not kept any more, or was damaged."},
}


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute, tags=["files"])
    _recordings(router, service)
    _dropped(router, service)
    return router


def _recordings(router: APIRouter, service: Service) -> None:
    @router.get("/scans/{scan_id}/recordings", summary="The recordings of a scan, one a box")
    async def recordings(request: Request, scan_id: str) -> KeptFileList:
        return await _listed(service, request, scan_id, Kind.RECORDING)

    @router.get(
        "/scans/{scan_id}/recordings/{digest}",
        summary="A recording: every event of a box",
        description="As Falco and sysdig read it (`.scap`). `package-hunter replay` judges it again. The history says "
        "who fetched it.",
        response_class=Response,
        responses=of_media("application/octet-stream"),
    )
    async def recording(request: Request, scan_id: str, digest: _Digest) -> Response:
        row = await read(service, lambda s: _row(s, request, scan_id, Kind.RECORDING, digest))
        tag = f'"{digest}"'
        if etags.is_known(request.headers.get("if-none-match"), tag):
            return etags.not_modified(tag)
        await tell_of(service, request, row, "recording.fetch")
        name = f"{row.scan_id}-{digest[:12]}.scap"
        file = await run_sync(opened, service, row)
        headers = headers_of(name, row.size, tag)
        return StreamingResponse(pieces(file), headers=headers, media_type="application/octet-stream")


def _dropped(router: APIRouter, service: Service) -> None:
    @router.get("/scans/{scan_id}/dropped", summary="The files that packages left in the box")
    async def dropped(request: Request, scan_id: str) -> KeptFileList:
        return await _listed(service, request, scan_id, Kind.DROPPED)

    @router.get(
        "/scans/{scan_id}/dropped/{digest}",
        summary="A dropped file, sealed",
        description=f"A ZIP (AES-256, password `{handed_out.PASSWORD}`), or with `recipient` encrypted by age. "
        "The history says who fetched it.",
        response_class=Response,
        responses=of_media("application/zip", "application/age"),
    )
    async def one(
        request: Request,
        scan_id: str,
        digest: _Digest,
        recipient: Annotated[
            str | None,
            Query(
                max_length=handed_out.MAX_RECIPIENT,
                description="An age recipient (age1…), or an SSH public key.",
            ),
        ] = None,
    ) -> Response:
        by = actor_of(request)

        def fetch(session: Session) -> ArtefactRef:
            row = _row(session, request, scan_id, Kind.DROPPED, digest)
            scan = scan_of(session, request, scan_id)
            acts.fetch(session, by, scan, digest, recipient)
            return row

        # weak: what is sealed anew has other bytes and the same in it
        tag = f'W/"{digest}.{"zip" if recipient is None else "age"}"'
        if etags.is_known(request.headers.get("if-none-match"), tag):
            await read(service, lambda s: _row(s, request, scan_id, Kind.DROPPED, digest))
            return etags.not_modified(tag)  # nothing leaves, so nobody fetched it
        row = await add(service, fetch)
        if recipient is not None:
            body = await run_sync(_for_reader, service, row, recipient)
            return Response(body, headers=headers_of(f"{digest}.age", tag=tag), media_type="application/age")
        file = await run_sync(opened, service, row)
        headers = headers_of(f"{digest}.zip", handed_out.zip_size(row.size, digest), tag)
        zipped = _closing(file, lambda source: handed_out.zipped(source, row.size, digest))
        return StreamingResponse(zipped, headers=headers, media_type="application/zip")


async def tell_of(service: Service, request: Request, row: ArtefactRef, action: str) -> None:
    """Write into the history who was given that file of a scan."""
    by, digest = actor_of(request), row.digest

    def tell(session: Session) -> None:
        scan = scan_of(session, request, str(row.scan_id))
        acts.fetched(session, by, scan, digest, action)

    await add(service, tell)


def of_media(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of an answer that is a file."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {200: {"description": "The file.", "content": content}}


async def _listed(service: Service, request: Request, scan_id: str, kind: Kind) -> KeptFileList:
    def look(session: Session) -> KeptFileList:
        rows = of_scan(session, scan_of(session, request, scan_id).id, kind)
        return KeptFileList(
            items=[
                KeptFileInfo(digest=row.digest, name=row.name, size=row.size, created=as_time(row.created))
                for row in rows
            ]
        )

    return await read(service, look)


def _row(session: Session, request: Request, scan_id: str, kind: Kind, digest: str) -> ArtefactRef:
    rows = of_scan(session, scan_of(session, request, scan_id).id, kind)
    found = next((row for row in rows if row.digest == digest), None)
    if found is None:
        raise ApiError(404, "This scan has no such file.", "The list beside it says which it has.")
    return found


def opened(service: Service, row: ArtefactRef) -> BinaryIO:
    """The file, compared while it is read; ApiError 409."""
    try:
        return service.store.artefacts.open(Kind(row.kind), row.digest, row.size)
    except (MissingError, DamagedError) as error:
        raise ApiError(
            409, "This file is not kept any more, or was damaged.", "Scan again.", kind="not-kept"
        ) from error


def _for_reader(service: Service, row: ArtefactRef, recipient: str) -> bytes:
    with told(), opened(service, row) as file:
        try:
            return handed_out.for_reader(file, recipient)
        except StoreError:
            raise
        except HostError as error:
            raise ApiError(
                409, "This file was damaged where it lay.", "Scan again.", kind="not-kept"
            ) from error


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """What ends in an error is cut off: its reader sees that it is not whole."""
    return _closing(file, lambda opened: iter(lambda: opened.read(_CHUNK), b""))


def _closing(file: BinaryIO, read_it: Callable[[BinaryIO], Iterator[bytes]]) -> Iterator[bytes]:
    with file:
        yield from read_it(file)


def headers_of(name: str, size: int | None = None, tag: str | None = None) -> dict[str, str]:
    """Of an answer that is a file of this name."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    found = {"Content-Disposition": f'attachment; filename="{safe}"'}
    found |= {} if size is None else {"Content-Length": str(size)}
    return found | ({} if tag is None else {"ETag": tag})
