"""What the gate says of a commit, and why: pass, block, review, missing.

Missing blocks. Each reason says in plain words what was seen, who can lift it and how to ask.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.governance import requirements
from package_hunter.governance.gate import counted
from package_hunter.governance.gate.counted import Counted
from package_hunter.governance.gate.lift import Way, Ways
from package_hunter.model.scan import Decision, ScanStatus
from package_hunter.policy.layers import Effective
from package_hunter.policy.model import When
from package_hunter.store.access_tables import Project
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.gate_tables import Fetch
from package_hunter.triage.chain import Chains
from package_hunter.triage.decide import Outcome, needs_grant
from package_hunter.triage.results import Standing
from package_hunter.triage.stored import facts_of

MAX_REASONS = 100


class Gate(StrEnum):
    """The gate's word, grave to mild."""

    BLOCK = "block"
    MISSING = "missing"
    REVIEW = "review"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it is not pass: ``what`` was seen, a sentence; ``way``: out of it. ``scan``, ``fingerprint``, ``package`` and
    ``rule`` where there is one."""

    gate: Gate
    what: str
    way: Way
    scan: uuid.UUID | None = None
    fingerprint: str | None = None
    package: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate says now. ``policies``: scope and digest of each document that had a say; ``basis``: of policies
    and states together."""

    project: str
    commit: str
    gate: Gate
    reasons: tuple[Reason, ...]
    scans: tuple[Counted, ...]
    policies: tuple[tuple[str, str], ...]
    basis: str

    def body(self) -> dict[str, Any]:
        """As it is stored and told: JSON."""
        return {
            "project": self.project,
            "commit": self.commit,
            "result": self.gate.value,
            "says": self.says,
            "waits": any(scan.runs for scan in self.scans),
            "reasons": [_reason(one) for one in self.reasons],
            "scans": [_scan(one) for one in self.scans],
            "policies": [{"scope": scope, "digest": digest} for scope, digest in self.policies],
            "basis": self.basis,
        }

    @property
    def says(self) -> str:
        """In one sentence."""
        first = self.reasons[0].what if self.reasons else ""
        return {
            Gate.PASS: "Nothing that was seen in a scan of this commit stops it.",
            Gate.BLOCK: f"Blocked: {first}",
            Gate.REVIEW: f"A person must look first: {first}",
            Gate.MISSING: f"There is no scan that counts for this commit: {first}",
        }[self.gate]


def answer(session: Session, project: Project, commit: str, usual_depth: str) -> Answer:
    """What the gate says of a commit of the project. ``usual_depth``: how far the server looks where nobody said."""
    standing = Standing(session)
    effective = standing.effective(project.id)
    ways = Ways(session, project.path, Chains(session).of(project.id))
    scans = counted.of_commit(session, project.id, commit)
    reasons = [
        *_blocks(session, standing, project, ways, scans),
        *_missing(session, project, commit, ways, scans, _depths(project, effective), usual_depth),
    ]
    order = list(Gate)
    reasons.sort(key=lambda reason: order.index(reason.gate))
    return Answer(
        project=project.path,
        commit=commit,
        gate=reasons[0].gate if reasons else Gate.PASS,
        reasons=tuple(reasons[:MAX_REASONS]),
        scans=tuple(scans),
        policies=tuple((layer.scope, layer.digest) for layer in effective.layers),
        basis=standing.basis(project.id),
    )


def _depths(project: Project, effective: Effective) -> set[str]:
    """How far the scan of a merge request must look, by all that ask; "" : as the server is set up."""
    asked = requirements.of(effective, project.path)
    return {""} | {required.depth for required in asked if required.when is When.MERGE_REQUEST}


def _missing(  # noqa: PLR0913 (what the question is made of)
    session: Session,
    project: Project,
    commit: str,
    ways: Ways,
    scans: Sequence[Counted],
    depths: set[str],
    usual: str,
) -> Iterator[Reason]:
    done = [scan for scan in scans if scan.is_done]
    for depth in sorted(depths - {""}) or [""]:
        if any(scan.reaches(depth, usual) or scan.is_proof for scan in done):
            continue
        what = _why_missing(session, project, commit, scans, depth)
        yield Reason(Gate.MISSING, what, ways.of_missing(commit))


def _why_missing(
    session: Session, project: Project, commit: str, scans: Sequence[Counted], depth: str
) -> str:
    runs = next((scan for scan in scans if scan.runs), None)
    if runs is not None:
        return f"Scan {runs.scan.id} of it is {runs.scan.status}; ask again when it has ended."
    if depth and any(scan.is_done for scan in scans):
        return f"The policy asks for a scan of depth {depth}, and none looked that far."
    failed = next((s for s in scans if s.counts and s.scan.status == ScanStatus.FAILED.value), None)
    if failed is not None:
        return f"Scan {failed.scan.id} of it failed. {failed.scan.reason or ''}".strip()
    if scans:
        return f"Scan {scans[0].scan.id} is only claimed to be of it. {scans[0].says}"
    query = select(Fetch).where(Fetch.project_id == project.id, Fetch.commit == commit)
    fetch = session.scalar(query.order_by(Fetch.created.desc()).limit(1))
    if fetch is not None and fetch.status == "waiting":
        return "It is being fetched; ask again in a moment."
    if fetch is not None and fetch.status == "failed":
        return f"It could not be fetched. {fetch.reason or ''}".strip()
    return "Nobody scanned it."


def _blocks(
    session: Session, standing: Standing, project: Project, ways: Ways, scans: Sequence[Counted]
) -> Iterator[Reason]:
    deciding = counted.deciding(scans)
    for purl, said, record in counted.condemned(session, deciding):
        yield Reason(
            Gate.BLOCK, f"{purl} is malicious ({record}): {said}", ways.of_package(purl), package=purl
        )
    told: set[str] = set()
    for scan in deciding:
        yield from _of_scan(session, standing, project, ways, scan, told)


def _of_scan(
    session: Session, standing: Standing, project: Project, ways: Ways, scan: Counted, told: set[str]
) -> Iterator[Reason]:
    assert scan.result is not None, "only a scan that is done decides"
    decision = counted.decision_of(scan)
    if scan.origin.gaps is not None:
        yield Reason(Gate.REVIEW, scan.origin.gaps, ways.of_review(), scan.scan.id)
    if decision is Decision.PASS:
        return
    mine = list(_of_findings(session, standing, project, ways, scan))
    reached = max((Decision(one.gate.value).rank for one in mine), default=0)
    yield from (one for one in mine if one.fingerprint not in told)
    told.update(one.fingerprint for one in mine if one.fingerprint)
    if reached < decision.rank:  # no single finding asks for that much: the verdict does
        yield Reason(Gate(decision.value), _of_verdict(scan), ways.of_review(), scan.scan.id)


def _of_findings(
    session: Session, standing: Standing, project: Project, ways: Ways, scan: Counted
) -> Iterator[Reason]:
    assert scan.result is not None
    for outcome in scan.result.outcomes:
        if outcome.silenced is None and outcome.decision is not Decision.PASS:
            yield _of_finding(session, standing, project, ways, scan, outcome)


def _of_finding(
    session: Session,
    standing: Standing,
    project: Project,
    ways: Ways,
    scan: Counted,
    outcome: Outcome,
) -> Reason:
    query = select(FindingRow).where(
        FindingRow.project_id == project.id, FindingRow.fingerprint == outcome.fingerprint
    )
    row = session.scalars(query).one()
    facts = facts_of(row, standing.day)
    two = needs_grant(facts, standing.effective(project.id), standing.day)
    who = facts.package or "The project itself"
    why = f" (rule: {outcome.rule})" if outcome.rule else " (this is proof of malice)" if facts.proof else ""
    return Reason(
        Gate(outcome.decision.value),
        f"{who}: {row.title}{why}",
        ways.of_finding(row.id, outcome.fingerprint, two is not None),
        scan.scan.id,
        outcome.fingerprint,
        facts.package or None,
        outcome.rule,
    )


def _of_verdict(scan: Counted) -> str:
    assert scan.result is not None
    verdict = scan.result.verdict.value.replace("_", " ")
    return f"Scan {scan.scan.id} is {verdict}. {scan.scan.reason or ''}".strip()


def _reason(one: Reason) -> dict[str, Any]:
    return {
        "result": one.gate.value,
        "what": one.what,
        "who_can_lift_it": list(one.way.who),
        "how_to_ask": one.way.how,
        "scan": None if one.scan is None else str(one.scan),
        "fingerprint": one.fingerprint,
        "package": one.package,
        "rule": one.rule,
    }


def _scan(one: Counted) -> dict[str, Any]:
    return {
        "id": str(one.scan.id),
        "status": one.scan.status,
        "known": one.origin.known,
        "counts": one.counts,
        "says": one.says,
        "verdict": None if one.result is None else one.result.verdict.value,
        "decision": None if one.result is None else one.result.decision.value,
        "known_from": None if one.scan.known_from is None else str(one.scan.known_from),
    }
