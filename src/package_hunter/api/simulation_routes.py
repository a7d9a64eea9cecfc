"""Routes of the self-test: a bundled, harmless copy of a documented attack through the real queue and box."""

from __future__ import annotations

from typing import Annotated, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from package_hunter.api.allowed import PermittedRoute, access_to
from package_hunter.api.errors import ApiError, JsonResponse
from package_hunter.api.scan_act_routes import accepted
from package_hunter.api.schemas import ScanInfo
from package_hunter.api.service import Service
from package_hunter.simulations import archives
from package_hunter.storage.incoming import Incoming
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.scans import NewScan


class SimulationInfo(BaseModel):
    """A simulation."""

    name: str
    title: str = Field(description="After which attack it is made.")
    ecosystem: str
    expect: Literal["malicious", "suspicious", "no_findings", "inconclusive", "missed"] = Field(
        description="The verdict that a whole installation reaches; `missed`: no phase reaches its trigger."
    )
    why: str = Field(description="Why that is not `malicious`; else empty.")


class SimulationList(BaseModel):
    """The simulations that this server has."""

    items: list[SimulationInfo]


def routes(service: Service) -> APIRouter:
    """All of them; the simulations are read now."""
    known = archives.load()
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute, tags=["simulations"])

    @router.get("/simulations", summary="Harmless attacks to prove this installation with")
    async def list_simulations() -> SimulationList:
        return SimulationList(
            items=[
                SimulationInfo(
                    name=one.name,
                    title=one.title,
                    ecosystem=one.ecosystem,
                    expect=one.expect,  # type: ignore[arg-type]
                    why=one.why,
                )
                for one, _ in known.values()
            ]
        )

    @router.post(
        "/simulations/{name}",
        status_code=202,
        response_model=ScanInfo,
        summary="Scan a simulation, as if it had been submitted",
        description="Compare the scan's verdict with what is expected. Its findings are findings of the project.",
    )
    async def run(
        request: Request,
        name: str,
        project: Annotated[
            str | None,
            Query(max_length=MAX_PATH, description="The project's path; unset: the account's own."),
        ] = None,
    ) -> Response:
        found = known.get(name)
        if found is None:
            raise ApiError(
                404, "There is no such simulation.", "GET /api/v1/simulations lists those that there are."
            )
        simulation, content = found
        principal: str = request.scope["principal"]
        place = await service.target_project(access_to(request), project)
        await service.admit(principal)
        upload = await run_sync(_written, service, content)
        try:
            archive = (simulation.ecosystem, upload.sha256, upload.size)
            new = NewScan(f"simulation {name}", principal, *archive, fresh=True, project=place)
            scan = await service.accept(new, upload, answer=accepted)
        finally:
            await run_sync(upload.discard)
        kept = accepted(scan)
        return JsonResponse(kept.body, kept.status, headers={"Location": f"/api/v1/scans/{scan.id}"})

    return router


def _written(service: Service, content: bytes) -> Incoming:
    upload = service.uploads.begin(len(content))
    upload.write(content)
    upload.done()
    return upload
