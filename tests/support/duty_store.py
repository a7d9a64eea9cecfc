"""Results in a store without any scan: for tests of findings, their states, and policies."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from package_hunter import duties
from package_hunter.access.actor import Actor
from package_hunter.access.view import LEGACY
from package_hunter.model.finding import Finding
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Coverage, ScanStatus, Target
from package_hunter.policy.rejudge import rejudge
from package_hunter.store import places, reports, results, scans
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from tests.support import judge_samples as samples

ANA, BEN = Actor("ana", "test"), Actor("ben", "test")
LOOK = replace(
    samples.FINDING, fingerprint="1" * 32, kind="git_hook", proof=False, severity="medium", form=""
)
PROOF = replace(
    samples.FINDING, fingerprint="2" * 32, kind="exfiltration", proof=True, severity="critical", form=""
)
_times = itertools.count(1_790_000_000_000, 60_000)


def finding(number: int, **changes: Any) -> Finding:
    """One that is none of the others."""
    return replace(LOOK, **({"fingerprint": f"{number:032x}", "kind": "git_hook"} | changes))


def scanned(
    session: Session,
    findings: Sequence[Finding],
    project: uuid.UUID = LEGACY,
    *,
    name: str = "demo",
    purl: str | None = None,
    reasons: Sequence[str] = (),
    created: int | None = None,
) -> uuid.UUID:
    """Store a scan with this result, as a queue does."""
    assert results.AFTER_RESULT == duties.AFTER_RESULT
    archive = {} if purl else {"sha256": "0" * 64, "size": 1}
    scan = scans.add(session, scans.NewScan(name, "ana", purl=purl, project=project, **archive))
    scan.created = next(_times) if created is None else created
    report = replace(
        samples.report(),
        id=str(scan.id),
        status=ScanStatus.FINISHED,
        target=Target(name, "npm", purl),
        findings=tuple(findings),
        coverage=Coverage(reasons=tuple(reasons)),
    )
    report = rejudge(report)
    scan.status, scan.finished = ScanStatus.FINISHED.value, scan.created + 1_000
    scan.verdict, scan.decision = report.verdict.value, report.decision.value
    reports.replace(session, scan.id, to_json(report))
    results.stored(session, scan, report)
    return scan.id


def shops(store: Store) -> dict[str, Place]:
    """Groups ``web`` and ``ops`` with projects ``web/shop``, ``web/blog`` and ``ops/pay``, by path; "" is all."""
    with store.write() as session:
        found = {"": Place()}
        for path in ("web", "ops"):
            found[path] = Place(group=places.add_group(session, path, ANA))
        for path in ("web/shop", "web/blog", "ops/pay"):
            found[path] = Place(project=places.add_project(session, path, ANA))
    return found


def id_of(place: Place) -> uuid.UUID:
    """The project's."""
    assert place.project is not None
    return place.project.id
