"""What several boxes showed, put together into one report's worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from package_hunter.model.finding import Finding
from package_hunter.model.observation import NetworkLog, Observation
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import Coverage, Package
from package_hunter.pipeline.round_result import RoundResult

_MAX_EVIDENCE = 20


def renumbered(seen: Observation, after: int) -> Observation:
    """The same observation with every process's key moved up: keys are unique within a box only. Key 0
    stands for no process in particular."""

    def moved(key: int) -> int:
        return key + after if key else 0

    return replace(
        seen,
        processes=tuple(
            replace(p, key=moved(p.key), parent=None if p.parent is None else moved(p.parent))
            for p in seen.processes
        ),
        files=tuple(replace(f, process=moved(f.process)) for f in seen.files),
        sockets=tuple(replace(s, process=moved(s.process)) for s in seen.sockets),
        canary_reads=tuple(replace(r, process=moved(r.process)) for r in seen.canary_reads),
    )


def join_observations(seen: Sequence[Observation]) -> Observation:
    """One observation of all; ``renumbered`` before."""
    if len(seen) == 1:
        return seen[0]
    return Observation(
        alerts=tuple(a for s in seen for a in s.alerts),
        processes=tuple(p for s in seen for p in s.processes),
        files=tuple(f for s in seen for f in s.files),
        sockets=tuple(u for s in seen for u in s.sockets),
        canary_reads=tuple(r for s in seen for r in s.canary_reads),
        events=sum(s.events for s in seen),
        dropped=sum(s.dropped for s in seen),
        frozen_seconds=sum(s.frozen_seconds for s in seen),
        cut=_added(s.cut for s in seen),
    )


def join_networks(seen: Sequence[NetworkLog]) -> NetworkLog:
    """One log of all, in the order of the rounds (which is that of time)."""
    if len(seen) == 1:
        return seen[0]
    return NetworkLog(
        dns=tuple(d for s in seen for d in s.dns),
        connections=tuple(c for s in seen for c in s.connections),
        requests=tuple(r for s in seen for r in s.requests),
        hits=tuple(h for s in seen for h in s.hits),
        marks=tuple(m for s in seen for m in s.marks),
        cut=_added(s.cut for s in seen),
        fetched=tuple(f for s in seen for f in s.fetched),
    )


class HasPackages(Protocol):
    """A round, judged or judged again."""

    @property
    def packages(self) -> tuple[Package, ...]: ...


def join_packages(judged: Iterable[HasPackages]) -> tuple[Package, ...]:
    """Every package once: another world installs the same ones."""
    found: dict[tuple[str, str | None], Package] = {}
    for item in judged:
        for package in item.packages:
            found.setdefault((package.purl, package.path), package)
    return tuple(found.values())


def join_coverages(judged: Sequence[RoundResult]) -> Coverage:
    """Packages and scripts are counted once, in the first world; all else in all."""
    if len(judged) == 1:
        return judged[0].coverage
    first = [item.coverage for item in judged if item.round.world == judged[0].round.world]
    every = [item.coverage for item in judged]
    return Coverage(
        events=sum(c.events for c in every),
        dropped=sum(c.dropped for c in every),
        frozen_seconds=sum(c.frozen_seconds for c in every),
        filtered=_added(c.filtered for c in every),
        phases=tuple(
            replace(phase, ecosystem=item.round.place) for item in judged for phase in item.coverage.phases
        ),
        packages_expected=sum(c.packages_expected for c in first),
        packages_installed=sum(c.packages_installed for c in first),
        scripts_expected=sum(c.scripts_expected for c in first),
        scripts_run=sum(c.scripts_run for c in first),
        reasons=_labelled((item.round.label, item.coverage.reasons) for item in judged),
        notes=_labelled((item.round.label, item.coverage.notes) for item in judged),
        failed=tuple(
            replace(command, ecosystem=item.round.place)
            for item in judged
            for command in item.coverage.failed
        ),
    )


def join_findings(judged: Sequence[RoundResult]) -> tuple[Finding, ...]:
    """Findings of one fingerprint become one, with the evidence of all; gravest first."""
    return join_lists([item.findings for item in judged])


def join_lists(lists: Sequence[Sequence[Finding]]) -> tuple[Finding, ...]:
    """The same of findings alone."""
    found: dict[str, Finding] = {}
    for findings in lists:
        for finding in findings:
            known = found.get(finding.fingerprint)
            found[finding.fingerprint] = finding if known is None else joined(known, finding)
    return in_order(found.values())


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Gravest first; what is as grave stays as it was."""
    return tuple(sorted(findings, key=lambda f: (not f.proof, -severity_rank(f.severity))))


def joined(one: Finding, other: Finding) -> Finding:
    graver, milder = in_order((one, other))
    known = {e.what for e in one.evidence}
    more = (e for e in other.evidence if e.what not in known)
    return replace(
        graver,
        blame=graver.blame or milder.blame,
        evidence=(*one.evidence, *more)[:_MAX_EVIDENCE],
        attack=tuple(sorted({*one.attack, *other.attack})),
        count=one.count + other.count,
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for each in counts:
        for name, number in each.items():
            total[name] += number
    return dict(total)


def _labelled(said: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Each sentence once, with the rounds that it is of where it is not of all."""
    who: dict[str, list[str]] = defaultdict(list)
    rounds: list[Any] = []
    for label, sentences in said:
        rounds.append(label)
        for sentence in dict.fromkeys(sentences):
            who[sentence].append(label)
    return tuple(
        sentence if len(labels) == len(rounds) else f"{'; '.join(dict.fromkeys(labels))}: {sentence}"
        for sentence, labels in who.items()
    )
