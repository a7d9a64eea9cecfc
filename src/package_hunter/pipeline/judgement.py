"""After the box: blame, findings, verdict and decision make the report."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import replace

from package_hunter.ecosystems import Plan
from package_hunter.enrich.blame import Blamer
from package_hunter.enrich.blame_attach import blame_network, blame_observation
from package_hunter.findings import explanation, judge, verdict
from package_hunter.model.observation import Canary
from package_hunter.model.report import Canaries, Report
from package_hunter.model.scan import Coverage, ScanStatus
from package_hunter.pipeline.detonate import Seen
from package_hunter.pipeline.options import HOSTNAME, Scan
from package_hunter.pipeline.prepare import Stage
from package_hunter.policy import decide


def judge_seen(
    scan: Scan, plan: Plan, seen: Seen, canaries: Sequence[Canary], stage: Stage, left: list[str]
) -> Report:
    """Blame, findings, verdict, decision: the report."""
    observation, packages = seen.observation, plan.inventory()
    blamer = Blamer(seen.runs, observation.processes, packages, observation.files)
    observation = blame_observation(observation, blamer)
    network = blame_network(seen.network, observation, blamer)
    planned = plan.coverage(seen.runs)
    coverage: Coverage = replace(
        planned,
        events=observation.events,
        dropped=seen.dropped,
        frozen_seconds=observation.frozen_seconds,
        reasons=(*planned.reasons, *seen.reasons, *left),
        notes=(*planned.notes, *stage.notes, *plan.notes, *observation.notes),
    )
    findings = judge(
        observation, network, canaries, packages, coverage, blamer.blame, host_facts=(HOSTNAME, plan.project)
    )
    result = verdict(findings, coverage)
    return Report(
        id=scan.id,
        target=plan.target,
        started=scan.started,
        finished=time.time_ns(),
        status=ScanStatus.FINISHED,
        verdict=result,
        decision=decide(result, findings),
        coverage=coverage,
        packages=packages,
        alerts=observation.alerts,
        findings=findings,
        network=network,
        canaries=Canaries(tuple(canaries), observation.canary_reads, network.hits, stage.withheld),
        processes=observation.processes,
        files=observation.files,
        explanation=tuple(explanation(findings, coverage)),
        cut={**observation.cut, **network.cut},
        hostname=socket.gethostname(),
    )
