"""After the box: blame, findings, verdict and decision make the report."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from package_hunter.blame.attach import blame_network, blame_observation
from package_hunter.blame.blamer import Blamer
from package_hunter.blame.falco import FalcoBlamer, blame_by_time
from package_hunter.blame.manager import without_manager
from package_hunter.decoy import outside
from package_hunter.findings import RoundFacts, judge, not_compared
from package_hunter.model.observation import NetworkLog, Observation
from package_hunter.model.report import Canaries, Report
from package_hunter.model.scan import CommandRun, Coverage, Package, ScanStatus
from package_hunter.model.text import shortened
from package_hunter.pipeline.detonate import Sighting
from package_hunter.pipeline.gated import gated
from package_hunter.pipeline.last_words import without_fakes
from package_hunter.pipeline.merge import (
    in_order,
    join_coverages,
    join_findings,
    join_networks,
    join_observations,
    join_packages,
    renumbered,
)
from package_hunter.pipeline.morning import PHASE as MORNING
from package_hunter.pipeline.morning import with_morning
from package_hunter.pipeline.options import HOSTNAME, Scan
from package_hunter.pipeline.prepare import Preparation
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.pipeline.rounds import Round
from package_hunter.policy.rejudge import rejudge
from package_hunter.rules import Matcher
from package_hunter.rules.explain import brief

_MAX_SENTENCE = 2_000  # characters


def english(matcher: Matcher) -> Callable[[str], str | None]:
    """From a rule's name to its condition as a sentence."""
    rules = {rule.name: rule for rule in matcher.rules}
    return lambda name: brief(rules[name]) if name in rules else None


@dataclass(frozen=True)
class Sighted:
    """What blame is put on beside what the watcher saw: commands, what the gateway recorded, packages. ``after``: the
    keys of processes begin after it; ``fetches_alone``: what the manager does while it fetches is its own."""

    runs: Sequence[CommandRun]
    network: NetworkLog
    packages: Sequence[Package]
    fetches_alone: bool
    after: int = 0


def attributed(
    observation: Observation, of: Sighted, kind: type[Blamer] = Blamer
) -> tuple[Observation, NetworkLog, Blamer]:
    """What was seen and recorded, with whom to blame, and who says so: for a live round and for a replayed one."""
    observation = renumbered(observation, of.after) if of.after else observation
    blamer = kind(of.runs, observation.processes, of.packages, observation.files)
    observation = blame_observation(observation, blamer)
    if of.fetches_alone:
        observation = without_manager(observation)
    return observation, blame_network(of.network, observation, blamer), blamer


def judge_round(
    turn: Round, seen: Sighting, after: int = 0, explain_rule: Callable[[str], str | None] | None = None
) -> RoundResult:
    """Blame and findings of one round; its processes' keys begin after ``after``. ``explain_rule`` gives a
    rule's condition in English."""
    plan, packages = turn.plan, turn.plan.inventory()
    sighted = Sighted(seen.runs, seen.network, packages, plan.fetches_alone, after)
    kind = FalcoBlamer if seen.by_falco else Blamer
    observation, network, blamer = attributed(seen.observation, sighted, kind)
    if seen.by_falco:
        network = blame_by_time(network, blamer)
    planned = with_morning(plan.coverage([run for run in seen.runs if run.phase != MORNING]), seen.runs)
    seen_of_it: Coverage = replace(
        planned,
        events=observation.events,
        dropped=seen.dropped,
        frozen_seconds=observation.frozen_seconds,
        filtered=seen.filtered,
        reasons=_sentences(
            outside.of_refusals(planned.reasons, network),
            plan.reasons,
            seen.reasons,
            outside.reasons_of(network, seen.runs, plan.registry),
        ),
        notes=_sentences(
            outside.of_refusals(planned.notes, network),
            plan.notes,
            outside.notes_of(network),
            observation.notes,
        ),
    )
    reasons, notes = not_compared(observation, network, RoundFacts(canaries=seen.canaries, packages=packages))
    seen_of_it = replace(
        seen_of_it,
        reasons=_sentences(seen_of_it.reasons, reasons),
        notes=_sentences(seen_of_it.notes, notes),
    )
    coverage = without_fakes(seen_of_it, seen.canaries)
    facts = RoundFacts(
        canaries=seen.canaries,
        packages=packages,
        coverage=coverage,
        runs=seen.runs,
        left=seen.left,
        scriptless=seen.scriptless,
        host_facts=(HOSTNAME, plan.project),
        project=plan.root,
        own_scripts=plan.own_scripts,
        patched=plan.patched,
    )
    findings = judge(observation, network, facts, blamer.blame, explain_rule)
    return RoundResult(
        turn,
        tuple(seen.runs),
        observation,
        network,
        seen.canaries,
        packages,
        coverage,
        findings,
        tuple(seen.reasons),
        seen.faults,
        seen.left,
        seen.sources,
        facts,
    )


def _sentences(*parts: Iterable[str]) -> tuple[str, ...]:
    """What a scan says of its coverage: whatever was read in a project or a box, none is longer than a reader can
    use."""
    return tuple(shortened(text, _MAX_SENTENCE) for part in parts for text in part)


def report_of(scan: Scan, stage: Preparation, judged: Sequence[RoundResult]) -> Report:
    """All rounds of a scan as its report: verdict and decision are of all together."""
    observation = join_observations([item.observation for item in judged])
    network = join_networks([item.network for item in judged])
    coverage = join_coverages(judged)
    coverage = replace(coverage, notes=_sentences(stage.notes, coverage.notes))
    findings = in_order((*join_findings(judged), *gated(judged)))
    canaries = tuple(canary for item in judged for canary in item.canaries)
    targets = tuple(dict.fromkeys(item.round.plan.target for item in judged))
    report = Report(
        id=scan.id,
        target=targets[0],
        targets=targets,
        started=scan.started,
        finished=time.time_ns(),
        status=ScanStatus.FINISHED,
        coverage=coverage,
        packages=join_packages(judged),
        alerts=observation.alerts,
        findings=findings,
        network=network,
        canaries=Canaries(canaries, observation.canary_reads, network.hits, stage.withheld),
        processes=observation.processes,
        files=observation.files,
        cut={**observation.cut, **network.cut},
        hostname=socket.gethostname(),
        depth=scan.depth.name,
    )
    return rejudge(report)
