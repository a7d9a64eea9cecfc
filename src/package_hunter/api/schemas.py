"""The values of /api/v1, as OpenAPI shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from package_hunter.model.depth import DepthName
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.store.models import MAX_TARGET, Scan

_UUID = "3f0c9c52-27a7-4c6b-9b0c-5d3d4ac4a1de"


class PurlSubmission(BaseModel):
    """A single package, fetched from the registry that the server's package managers are set up for."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"purl": "pkg:npm/left-pad@1.3.0"}}
    )

    purl: str = Field(
        max_length=MAX_TARGET, description="Package URL; without a version the newest is taken."
    )


class ScanInfo(BaseModel):
    """How a scan stands."""

    id: str = Field(description="The scan's id.", examples=[_UUID])
    status: ScanStatus = Field(
        description="`pending`, `running`, `finished`, or `failed` or `cancelled` (then see `reason`)."
    )
    target: str = Field(description="What is scanned, for people.")
    ecosystem: str | None = Field(description="The package manager that the submitter named, if any.")
    depth: DepthName | None = Field(description="How far it was to look; null: as the server is set up.")
    purl: str | None = Field(description="The package, where one was submitted.")
    sha256: str | None = Field(description="The archive's digest, where one was submitted.")
    size: int | None = Field(description="The archive's size in bytes.")
    submitter: str = Field(description="The account that submitted it.")
    project: str = Field(description="The id of the project that it belongs to.")
    created: datetime = Field(description="When it was accepted.")
    started: datetime | None = Field(description="When a worker began with it.")
    finished: datetime | None = Field(description="When it finished or failed.")
    reason: str | None = Field(description="Why it failed, or is inconclusive.")
    exit_code: int | None = Field(description="What `package-hunter scan` exits with on such a failure.")
    verdict: Verdict | None = Field(description="What was found. `no_findings` never means: harmless.")
    decision: Decision | None = Field(description="What the policy makes of it.")
    known_from: str | None = Field(
        description="The earlier scan whose result this is, where nothing was run; null: it was run."
    )

    @classmethod
    def of(cls, scan: Scan | Row[Any]) -> ScanInfo:
        """A stored scan as the API shows it."""
        return cls(
            id=str(scan.id),
            status=ScanStatus(scan.status),
            target=scan.target,
            ecosystem=scan.manager,
            depth=None if scan.depth is None else DepthName(scan.depth),
            purl=scan.purl,
            sha256=scan.sha256,
            size=scan.size,
            submitter=scan.submitter,
            project=str(scan.project_id),
            created=_time(scan.created),
            started=None if scan.started is None else _time(scan.started),
            finished=None if scan.finished is None else _time(scan.finished),
            reason=scan.reason,
            exit_code=scan.exit_code,
            verdict=None if scan.verdict is None else Verdict(scan.verdict),
            decision=None if scan.decision is None else Decision(scan.decision),
            known_from=None if scan.known_from is None else str(scan.known_from),
        )


class ScanList(BaseModel):
    """Scans, newest first."""

    scans: list[ScanInfo]
    next: str | None = Field(description="Give this as `before` to see older ones; null at the end.")


class Health(BaseModel):
    """Whether the server can do its work."""

    status: Literal["ok", "degraded"] = Field(description="`degraded`: scans are accepted but do not run.")
    version: str
    waiting: int = Field(description="Scans that wait or run.")
    worker_seen_seconds: float | None = Field(description="Since any worker was last seen; null: never.")
    reason: str | None = Field(description="Why it is degraded.")


class Problem(BaseModel):
    """A refusal of ours: a problem document (RFC 9457)."""

    type: str = Field(description="Which kind of problem; `about:blank`: what its status says.")
    title: str = Field(description="The kind in words, the same for all of it.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What is wrong, in a sentence.")
    instance: str = Field(description="The path that was asked for.")
    advice: str | None = Field(description="What to do about it.")


class Refusal(BaseModel):
    """A refusal of the original's routes."""

    status: Literal["error"]
    reason: str = Field(description="What is wrong.")
    message: str = Field(description="What is wrong, and what to do about it.")


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
