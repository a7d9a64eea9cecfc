"""Gated behaviour: findings that appeared in some of the worlds that were tried and not in the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.findings.catalog import kinds
from package_hunter.findings.group import fingerprint, package_of
from package_hunter.model.finding import Evidence, Finding
from package_hunter.pipeline.hurried import is_of_hurried
from package_hunter.pipeline.morning import PHASE as MORNING
from package_hunter.pipeline.round_result import RoundResult

KIND = "gated_behaviour"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a round showed; ``whole``: all of it was covered."""

    ecosystem: str
    world: str
    whole: bool
    findings: Sequence[Finding]


def gated(judged: Sequence[RoundResult]) -> tuple[Finding, ...]:
    """One finding for each package whose behaviour differs between worlds of the same ecosystem.

    Only worlds that were covered whole are compared: what was not run cannot have shown anything.
    """
    return differing(
        Shown(
            item.round.plan.target.ecosystem,
            item.round.world.name,
            not item.coverage.reasons and not item.coverage.dropped,
            item.findings,
        )
        for item in judged
    )


def differing(shown: Iterable[Shown]) -> tuple[Finding, ...]:
    """The same, of what worlds showed, whoever knows it."""
    by_ecosystem: dict[str, list[Shown]] = defaultdict(list)
    for item in shown:
        if item.whole:
            by_ecosystem[item.ecosystem].append(item)
    return tuple(finding for items in by_ecosystem.values() for finding in _of(items))


def _of(items: Sequence[Shown]) -> Iterator[Finding]:
    if len(items) < 2:
        return
    names = [item.world for item in items]
    shown: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    for item in items:
        for finding in item.findings:
            if finding.severity != "info" and not _of_one_box(finding):
                shown[finding.fingerprint].append((item.world, finding))
    by_package: dict[str, list[tuple[list[str], Finding]]] = defaultdict(list)
    for seen in shown.values():
        if len(seen) < len(items):
            by_package[package_of(seen[0][1].blame)].append(([name for name, _ in seen], seen[0][1]))
    for package, differing in by_package.items():
        yield _finding(package, differing, names)


def _of_one_box(finding: Finding) -> bool:
    """Whether it was seen where one world alone looks: the next morning, or in hurried time."""
    return (finding.blame is not None and finding.blame.phase == MORNING) or is_of_hurried(finding)


def _finding(package: str, differing: Sequence[tuple[list[str], Finding]], names: Sequence[str]) -> Finding:
    kind = kinds()[KIND]
    evidence = tuple(_evidence(where, finding, names) for where, finding in differing)
    where = differing[0][0]
    subject = f"only in the world{'s' if len(where) > 1 else ''} {', '.join(where)}"
    blame = next((finding.blame for _, finding in differing if finding.blame is not None), None)
    return Finding(
        fingerprint=fingerprint(KIND, package, ""),
        kind=KIND,
        severity=kind.severity,
        title=kind.title.replace("{subject}", subject),
        blame=blame,
        evidence=evidence[:20],
        attack=kind.attack,
        count=len(evidence),
        explain=(
            f"Why it is here: {kind.raised}",
            *(item.what for item in evidence[:20]),
            f"What would have lowered it: {kind.lowers}",
        ),
        advice=kind.advice,
    )


def _evidence(where: Sequence[str], finding: Finding, names: Sequence[str]) -> Evidence:
    absent = [name for name in names if name not in where]
    what = f"“{finding.title}” was seen in: {_in_words(where)}; and not in: {_in_words(absent)}."
    time_ns = finding.evidence[0].time_ns if finding.evidence else 0
    data = {"finding": finding.fingerprint, "kind": finding.kind, "seen": list(where), "unseen": absent}
    return Evidence(time_ns, what, data)


def _in_words(names: Sequence[str]) -> str:
    return ", ".join(f"{name} ({WORLDS[name].about})" for name in names)
