"""Routes that tell of a scan beside its report: what was said while it ran, which scan came before it, and what is in
one and not in another."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.api.allowed import PermittedRoute, view_of
from package_hunter.api.errors import ApiError
from package_hunter.api.look_schemas import (
    Comparison,
    Earlier,
    FoundInfo,
    PackageChange,
    Sides,
    StepInfo,
    StepList,
)
from package_hunter.api.parsed import parsed
from package_hunter.api.scan_act_routes import scan_of
from package_hunter.api.schemas import Problem, ScanInfo
from package_hunter.api.service import Service, parse_id, unknown_scan
from package_hunter.api.transactions import as_time, read
from package_hunter.findings.compare import Difference, compare
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.store import reports, scan_events, scans
from package_hunter.triage import before

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No scan of this id that the account can see."},
}
_NO_REPORT: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "One of them has no report, or none came before."},
}
MOST = 1_000
"""Of each list of a comparison; how many more there are is told."""
_COMPARING = asyncio.Semaphore(1)  # two reports may be a hundred megabytes in memory
_With = Annotated[
    str | None,
    Query(
        alias="with", max_length=36, description="The id of the older one; unset: the one that came before."
    ),
]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute, tags=["scans"])

    @router.get(
        "/scans/{scan_id}/steps",
        summary="What was said of a scan while it ran",
        description="The same as its events, as they are now: for who does not stay on the line.",
    )
    async def steps(
        request: Request,
        scan_id: str,
        after: Annotated[int, Query(ge=0, le=1 << 31, description="Only those that follow this number.")] = 0,
    ) -> StepList:
        def look(session: Session) -> StepList:
            rows = scan_events.after(session, scan_of(session, request, scan_id).id, after)
            return StepList(
                items=[StepInfo(seq=r.seq, at=as_time(r.at), kind=r.kind, text=r.text) for r in rows]
            )

        return await read(service, look)

    @router.get(
        "/scans/{scan_id}/earlier",
        summary="The scan of the version before",
        description="In the same project, of the same package in another version, or of the same project's tree in "
        "another state: the newest that ended with a result before this one was accepted.",
    )
    async def earlier(request: Request, scan_id: str) -> Earlier:
        def look(session: Session) -> Earlier:
            found = before.of(session, scan_of(session, request, scan_id))
            return Earlier(scan=None if found is None else ScanInfo.of(found))

        return await read(service, look)

    @router.get(
        "/scans/{scan_id}/compare",
        summary="What is in this scan and not in another, and the other way round",
        description="Findings, packages, and behaviour: hosts contacted, programs run, files written.",
        responses=_NO_REPORT,
    )
    async def compared(request: Request, scan_id: str, other: _With = None) -> Comparison:
        view = view_of(request)
        async with _COMPARING:
            return await run_sync(_compared, service, view, parse_id(scan_id), other)

    return router


@dataclass(frozen=True, slots=True)
class _Side:
    info: ScanInfo
    report: Report


def _compared(service: Service, view: View, scan_id: uuid.UUID, other: str | None) -> Comparison:
    with service.store.read() as session:
        new = _side(session, view, scan_id)
        old = _side(session, view, _before(session, view, scan_id) if other is None else parse_id(other))
    found = compare(old.report, new.report)
    return _comparison(old.info, new.info, found)


def _before(session: Session, view: View, scan_id: uuid.UUID) -> uuid.UUID:
    scan = scans.get(session, view, scan_id)
    found = None if scan is None else before.of(session, scan)
    if found is None:
        raise ApiError(
            409, "No other version was scanned before this one.", "Say `with`: which to compare it with."
        )
    return found.id


def _side(session: Session, view: View, scan_id: uuid.UUID) -> _Side:
    scan = scans.get(session, view, scan_id)
    if scan is None:
        raise unknown_scan()
    row = scans.stored_report(session, view, scan_id)
    if row is None:
        raise ApiError(409, f"The scan of {scan.target} has no report.", "Compare scans that are finished.")
    return _Side(ScanInfo.of(scan), parsed(reports.read_bytes(session, row.body, row.digest)))


def _comparison(old: ScanInfo, new: ScanInfo, found: Difference) -> Comparison:
    return Comparison(
        old=old,
        new=new,
        new_findings=[_finding(f) for f in found.new_findings[:MOST]],
        gone_findings=[_finding(f) for f in found.gone_findings[:MOST]],
        hosts=_sides(found.new_hosts, found.gone_hosts),
        programs=_sides(found.new_programs, found.gone_programs),
        files=_sides(found.new_files, found.gone_files),
        packages=[
            PackageChange(package=p, old=was, new=now) for p, was, now in found.changed_packages[:MOST]
        ],
        more_packages=max(0, len(found.changed_packages) - MOST),
        more_findings=sum(max(0, len(those) - MOST) for those in (found.new_findings, found.gone_findings)),
        is_empty=found.is_empty,
    )


def _sides(new: tuple[str, ...], gone: tuple[str, ...]) -> Sides:
    more = sum(max(0, len(those) - MOST) for those in (new, gone))
    return Sides(new=list(new[:MOST]), gone=list(gone[:MOST]), more=more)


def _finding(finding: Finding) -> FoundInfo:
    blame = finding.blame
    return FoundInfo(
        fingerprint=finding.fingerprint,
        kind=finding.kind,
        severity=finding.severity,
        proof=finding.proof,
        title=finding.title,
        package=None if blame is None else blame.package,
    )
