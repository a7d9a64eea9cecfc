"""The report of one scan: all that the other parts found out, in one value. Its JSON form: model/report_form.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from package_hunter.model.depth import DepthName
from package_hunter.model.finding import Finding
from package_hunter.model.observation import (
    Alert,
    Canary,
    CanaryHit,
    CanaryRead,
    FileChange,
    NetworkLog,
    Process,
)
from package_hunter.model.scan import Coverage, Decision, Package, ScanStatus, Target, Verdict

SCHEMA_VERSION: Literal["1"] = "1"


@dataclass(frozen=True, slots=True)
class Canaries:
    """The fakes of this scan's box and what became of them.

    ``placed`` are all of them (their values stay out of the JSON form), ``replaced`` the credential files of
    the project that were kept out of the box, as paths in the project.
    """

    placed: tuple[Canary, ...] = ()
    read: tuple[CanaryRead, ...] = ()
    sent: tuple[CanaryHit, ...] = ()
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that a server keeps of the scan: ``kind`` is ``recording`` or ``dropped``. ``name`` is the recording's, or
    the dropped file's path in the box (untrusted); ``sha256`` and ``size`` (bytes) are of the content."""

    kind: str
    sha256: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """One scan's report. ``explanation`` says why the verdict is what it is, ``error`` why a scan failed,
    ``known_from`` which earlier scan was run, where this one was not."""

    id: str
    target: Target
    started: int
    finished: int
    status: ScanStatus
    verdict: Verdict = Verdict.INCONCLUSIVE  # until policy.rejudge gave it one
    decision: Decision = Decision.REVIEW
    coverage: Coverage = field(default_factory=Coverage)
    packages: tuple[Package, ...] = ()
    alerts: tuple[Alert, ...] = ()
    findings: tuple[Finding, ...] = ()
    network: NetworkLog = field(default_factory=NetworkLog)
    canaries: Canaries = field(default_factory=Canaries)
    processes: tuple[Process, ...] = ()
    files: tuple[FileChange, ...] = ()
    explanation: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()  # e.g. an expired waiver
    baseline: Mapping[str, Any] | None = None  # what is new against an earlier report (JSON values)
    cut: Mapping[str, int] = field(default_factory=dict)  # what limits left out of this report, by kind
    hostname: str = ""
    error: str | None = None
    known_from: str | None = None
    depth: DepthName | None = None  # how far it looked; None: a recording, or a report of before
    kept: tuple[KeptFile, ...] = ()
    targets: tuple[Target, ...] = ()  # one for each ecosystem of a project; ``target`` is the first
