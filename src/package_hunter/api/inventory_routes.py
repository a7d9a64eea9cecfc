"""Routes of the inventory: who has it, the files of a release, SBOMs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.view import View
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of, view_of
from package_hunter.api.errors import ApiError
from package_hunter.api.inventory_schemas import (
    BehaviourInfo,
    BehaviourList,
    Commit,
    FileInfo,
    FileList,
    HasInfo,
    HasList,
    SbomTaken,
)
from package_hunter.api.receive import chunks
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import add, as_time, read, told
from package_hunter.inventory import behaviours, intake, packages, sbom, who_has
from package_hunter.inventory.behaviours import Behaviour
from package_hunter.inventory.intake import Handed
from package_hunter.inventory.names import name_of
from package_hunter.inventory.packages import File
from package_hunter.inventory.who_has import Has
from package_hunter.model.scales import SEVERITIES
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.base import MAX_TARGET

_TYPES = ("application/json", "application/vnd.cyclonedx+json")
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "This is no purl, digest, commit or CycloneDX document."},
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "The account has not the permission."},
    404: {"model": Problem, "description": "No project of this path that the account can see."},
    429: {"model": Problem, "description": "Too many failed logins; see the header Retry-After."},
    503: {"model": Problem, "description": "The store is full, busy or gone."},
}
_SBOM_PROBLEMS: dict[int | str, dict[str, Any]] = {
    408: {"model": Problem, "description": "The body came in too slowly."},
    413: {"model": Problem, "description": f"The document has more than {sbom.MAX_BYTES} bytes."},
    415: {"model": Problem, "description": "No JSON."},
}
_SBOM_BODY = {
    "requestBody": {"required": True, "content": {kind: {"schema": {"type": "object"}} for kind in _TYPES}}
}
_READING = asyncio.Semaphore(1)
_Find = Callable[[Session, View, str], list[Has]]
_Text = Annotated[str | None, Query(max_length=MAX_TARGET)]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute)
    _who_has(router, service)
    _packages(router, service)
    _sboms(router, service)
    return router


def _who_has(router: APIRouter, service: Service) -> None:
    @router.get(
        "/who-has",
        tags=["inventory"],
        summary="Which projects have a package, a file, a finding, or contacted a host",
        description="One of the four. A purl without a version means every version.",
    )
    async def has(
        request: Request,
        purl: _Text = None,
        digest: _Text = None,
        fingerprint: Annotated[str | None, Query(max_length=64)] = None,
        host: Annotated[str | None, Query(max_length=255)] = None,
    ) -> HasList:
        asked: list[tuple[_Find, str | None]] = [
            (who_has.by_purl, purl),
            (who_has.by_digest, digest),
            (who_has.by_fingerprint, fingerprint),
            (who_has.by_host, host),
        ]
        given = [(find, text) for find, text in asked if text is not None]
        if len(given) != 1:
            raise ApiError(400, "Ask for one thing.", "Give purl, digest, fingerprint or host.")
        (find, text), view = given[0], view_of(request)
        found = await read(service, lambda session: find(session, view, text))
        return HasList(projects=who_has.projects(found), items=[_has(one) for one in found])


def _has(one: Has) -> HasInfo:
    return HasInfo(
        project=one.project,
        what=one.what,
        since=as_time(one.since),
        last=as_time(one.last),
        source=one.source,  # type: ignore[arg-type]
        owner=one.owner,
        scan=None if one.scan is None else str(one.scan),
        commit=one.commit,
        direct=one.direct,
        wanted_by=one.wanted_by,
        path=one.path,
        certain=one.certain,
    )


def _packages(router: APIRouter, service: Service) -> None:
    @router.get(
        "/packages/{purl:path}",
        tags=["inventory"],
        summary="The files of a release, each with its verdict",
        description="Of the projects that the account can see, and what public records say. Verdicts are by digest.",
    )
    async def files(
        request: Request,
        purl: str,
        digest: Annotated[
            str | None,
            Query(
                max_length=MAX_TARGET,
                description="Only the file of this digest; the purl has a version, then.",
            ),
        ] = None,
    ) -> FileList:
        view = view_of(request)

        def look(session: Session) -> list[File]:
            if digest is None:
                return packages.files(session, view, purl)
            return [packages.file(session, view, purl, digest)]

        found = await read(service, look)
        return FileList(purl=purl[:MAX_TARGET], items=[_file(one) for one in found])

    @router.get(
        "/behaviours",
        tags=["inventory"],
        summary="What a package did, by version",
        description="Findings of the projects that the account can see, of every version of the package.",
    )
    async def behaved(
        request: Request, purl: Annotated[str, Query(min_length=1, max_length=MAX_TARGET)]
    ) -> BehaviourList:
        view = view_of(request)
        found = await read(service, lambda session: behaviours.of(session, view, purl))
        return BehaviourList(purl=name_of(purl).base, items=[_behaviour(one) for one in found])


def _behaviour(one: Behaviour) -> BehaviourInfo:
    return BehaviourInfo(
        fingerprint=one.fingerprint,
        kind=one.kind,
        title=one.title,
        severity=SEVERITIES[one.severity],
        proof=one.proof,
        last=as_time(one.last),
        versions=sorted(one.versions),
        projects=sorted(map(str, one.projects)),
    )


def _file(one: File) -> FileInfo:
    return FileInfo(
        version=one.version,
        digest=one.digest,
        name=one.name,
        verdict=one.verdict,  # type: ignore[arg-type]
        because=one.because,
        scans=[str(scan) for scan in one.scans],
        sibling=one.sibling,
        native=one.native,
    )


def _sboms(router: APIRouter, service: Service) -> None:
    @router.post(
        "/sboms",
        tags=["inventory"],
        summary="Hand in an SBOM",
        description="CycloneDX 1.2 to 1.7 in JSON. What it lists counts as held by the project from now on.",
        status_code=201,
        responses=_SBOM_PROBLEMS,
        openapi_extra=_SBOM_BODY,
    )
    async def take(
        request: Request,
        project: Annotated[
            str | None,
            Query(max_length=MAX_PATH, description="The project's path; unset: the account's own."),
        ] = None,
        commit: Annotated[Commit | None, Query()] = None,
    ) -> SbomTaken:
        place = await service.target_project(access_to(request), project, Permission.INVENTORY_SUBMIT)
        data = await _body(request, service.settings.upload_stall_seconds)
        by = actor_of(request)
        handed = await _read_sbom(data, commit)
        taken = await add(service, lambda s: intake.take_sbom(s, place, handed, by))
        return SbomTaken(id=str(taken.id), components=taken.components, without_purl=taken.without_purl)


async def _read_sbom(data: bytes, commit: str | None) -> Handed:
    """Reading a large one costs memory and a second: one at a time. ApiError 400."""

    def run() -> Handed:
        with told():
            return intake.read_sbom(data, commit)

    async with _READING:
        return await run_sync(run)


async def _body(request: Request, stall: float) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise ApiError(415, "The document must be JSON.", f"Send it as {_TYPES[1]}.")
    body = bytearray()
    async for chunk in chunks(request, stall):
        body += chunk
        if len(body) > sbom.MAX_BYTES:
            raise ApiError(413, f"The document has more than {sbom.MAX_BYTES} bytes.")
    return bytes(body)
