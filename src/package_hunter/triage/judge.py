"""The server's judge: a scan's report under the policies of its project, and what people decided about its findings."""

from __future__ import annotations

import uuid
from dataclasses import replace

from package_hunter.model import wire
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus
from package_hunter.policy.facts import Facts
from package_hunter.policy.layers import Effective
from package_hunter.policy.model import Policy
from package_hunter.policy.rejudge import own_policy, told_of_own_file
from package_hunter.policy.verdict import explanation
from package_hunter.policy.waive import apply_waivers
from package_hunter.queue.base import Job
from package_hunter.store.database import Store
from package_hunter.store.finding_tables import FindingRow, OwnSayRow
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.decide import Inputs, Result, Seen
from package_hunter.triage.projection import finding_id
from package_hunter.triage.results import Standing
from package_hunter.triage.stored import days_since


class ServerJudge:
    """What a worker judges by (`queue.runner.Judge`)."""

    def base(self, store: Store, project: uuid.UUID) -> Policy:
        """What holds for all, as a scan begins: whether a project's own file is heeded. UsageError: it is wrong."""
        return self._effective(store, project).base

    def judge(self, store: Store, job: Job, report: Report, own: str | None) -> Report:
        """The report as policies and states see it; ``own`` is the text of the scanned project's own file."""
        if report.status is ScanStatus.FAILED:
            return report
        said, problem = own_policy(own)
        mine = None if own is None or problem else said
        if mine is not None:
            text = wire.to_bytes(Policy, mine).decode()
            with store.write() as session:
                session.merge(OwnSayRow(scan_id=job.scan_id, said=text))
        with store.read() as session:
            standing = Standing(session)
            made = inputs(standing, job.project, report, mine).result()
            base = standing.effective(job.project).base
        return _told(report, made, base, mine, problem)

    def _effective(self, store: Store, project: uuid.UUID) -> Effective:
        with store.read() as session:
            return Standing(session).effective(project)


def inputs(standing: Standing, project: uuid.UUID, report: Report, own: Policy | None) -> Inputs:
    """What a report in a project is judged by; ``own`` is what the scanned project's own file says, where it has a
    say."""
    packages = {p.purl: p for p in report.packages}
    found = []
    for finding in report.findings:
        row = standing.session.get(FindingRow, finding_id(project, finding.fingerprint))
        days = 0 if row is None else days_since(row.first_seen, standing.day)
        found.append(Seen(Facts.of(finding, packages, days), Behaviour.of(finding)))
    reaching = standing.held({project: [s.facts.fingerprint for s in found]})[project]
    incomplete = bool(report.coverage.reasons or report.coverage.dropped)
    return Inputs(tuple(found), standing.effective(project), reaching, incomplete, standing.day, own)


def _told(report: Report, made: Result, base: Policy, own: Policy | None, problem: list[str]) -> Report:
    """The report with the result, and what needs somebody's attention."""
    findings = tuple(
        replace(finding, waived=outcome.silenced)
        for finding, outcome in zip(report.findings, made.outcomes, strict=True)
    )
    packages = {p.purl: p for p in report.packages}
    notices = [*report.notices, *apply_waivers(report.findings, base, packages=packages).notices, *problem]
    if own is not None:
        inside = apply_waivers(report.findings, own, packages=packages)
        by_own = {f.waived for f in inside.findings if f.waived} & {f.waived for f in findings}
        notices += told_of_own_file(sum(f.waived in by_own for f in findings))
        notices += inside.notices
    return replace(
        report,
        findings=findings,
        verdict=made.verdict,
        decision=made.decision,
        explanation=explanation(findings, report.coverage),
        notices=tuple(dict.fromkeys([*notices, *made.notices])),
    )
