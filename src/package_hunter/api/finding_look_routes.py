"""Routes of what stands behind a finding: how we know it, and what people did about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import PermittedRoute, access_to
from package_hunter.api.errors import ApiError
from package_hunter.api.finding_routes import WRONG, found
from package_hunter.api.service import Service
from package_hunter.api.transactions import as_time, read
from package_hunter.model.finding import Evidence, Finding
from package_hunter.model.report_form import finding_value
from package_hunter.report import words
from package_hunter.store import history, scans
from package_hunter.store.finding_tables import FindingRow
from package_hunter.triage.chain import Chains, scope_name

MAX_EVIDENCE = 100
MAX_HISTORY = 200
_MAX_TEXT = 4_000  # characters of a piece of evidence, or of a command line
_ACTIONS = ("finding.state", "finding.claim", "finding.note")


class EvidenceItem(BaseModel):
    """One thing that was seen."""

    time: dt.datetime
    what: str


class FindingEvidence(BaseModel):
    """How we know: the finding as its newest scan reports it."""

    scan: str
    who: str = Field(description="Who did it, a phrase.")
    package: str | None = Field(description="The package URL, with its version.")
    sureness: str = Field(description="How sure that is; empty: nobody is blamed.")
    basis: str = Field(description="How we know who it was, a sentence.")
    path: list[str] = Field(description="From the root of the dependency tree to the package: who wants it.")
    phase: str | None
    script: str | None
    chain: list[str] = Field(description="Command lines, from the first process to the one that did it.")
    rules: list[str]
    attack: list[str] = Field(description="ATT&CK techniques.")
    count: int = Field(description="How often it was seen.")
    evidence: list[EvidenceItem] = Field(description="In time; the first hundred.")
    not_shown: int = Field(description="Pieces of evidence beyond those: the scan's report has them.")
    explain: list[str] = Field(description="What raised it, and what would have lowered it.")
    advice: list[str] = Field(description="What to do.")


class FindingChange(BaseModel):
    """What somebody did about a finding."""

    time: dt.datetime
    who: str
    action: str = Field(examples=["finding.state"])
    object: str = Field(description="The fingerprint, and for a state the scope that it was set in.")
    before: str | None = Field(description="JSON.")
    after: str | None = Field(description="JSON.")
    why: str | None


class FindingHistory(BaseModel):
    """Newest first, two hundred at most: states that reach it, claims, notes."""

    items: list[FindingChange]


def routes(service: Service) -> APIRouter:
    """Both."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute, tags=["findings"])

    @router.get(
        "/findings/{finding_id}/evidence",
        summary="How we know: the finding in the report of its newest scan",
    )
    async def evidence(request: Request, finding_id: str) -> FindingEvidence:
        def look(session: Session) -> FindingEvidence:
            row = found(session, request, finding_id)
            view = access_to(request).view(Permission.REPORT_READ)
            return _evidence(row, _reported(scans.report(session, view, row.last_scan), row.fingerprint))

        return await read(service, look)

    @router.get("/findings/{finding_id}/history", summary="What people did about a finding, newest first")
    async def past(request: Request, finding_id: str) -> FindingHistory:
        def look(session: Session) -> FindingHistory:
            row = found(session, request, finding_id)
            chain = Chains(session).of(row.project_id)
            things = [row.fingerprint, *(f"{row.fingerprint} in {scope_name(place)}" for place in chain)]
            entries = history.about(session, _ACTIONS, things, row.project_id, MAX_HISTORY)
            return FindingHistory(
                items=[
                    FindingChange(
                        time=as_time(one.time),
                        who=one.who,
                        action=one.action,
                        object=one.object,
                        before=one.before,
                        after=one.after,
                        why=one.why,
                    )
                    for one in entries
                ]
            )

        return await read(service, look)

    return router


def _reported(report: dict[str, Any] | None, fingerprint: str) -> Finding:
    """The finding in its scan's report; ApiError 404, ValueError where the report is damaged."""
    listed = () if report is None else report.get("findings", ())
    for data in listed:
        if isinstance(data, dict) and data.get("fingerprint") == fingerprint:
            return finding_value(data)
    raise ApiError(404, "The scan's report is not kept any more.", "Scan it again.")


def _evidence(row: FindingRow, finding: Finding) -> FindingEvidence:
    blame = finding.blame
    pieces = sorted(finding.evidence, key=lambda one: one.time_ns)
    return FindingEvidence(
        scan=str(row.last_scan),
        who=words.who(blame),
        package=None if blame is None else blame.package,
        sureness=words.sureness(blame),
        basis="" if blame is None else _cut(blame.basis),
        path=[] if blame is None else [step[:200] for step in blame.path[:100]],
        phase=None if blame is None else blame.phase,
        script=None if blame is None else blame.script,
        chain=[_cut(p.get("cmdline") or p.get("name") or "?") for p in words.chain_data(finding)[:100]],
        rules=words.rules_of(finding)[:50],
        attack=list(finding.attack[:100]),
        count=finding.count,
        evidence=[_piece(one) for one in pieces[:MAX_EVIDENCE]],
        not_shown=max(0, len(pieces) - MAX_EVIDENCE),
        explain=[_cut(one) for one in finding.explain[:50]],
        advice=[_cut(one) for one in finding.advice[:50]],
    )


def _piece(one: Evidence) -> EvidenceItem:
    return EvidenceItem(time=as_time(one.time_ns // 1_000_000), what=_cut(one.what))


def _cut(text: object) -> str:
    return str(text)[:_MAX_TEXT]
