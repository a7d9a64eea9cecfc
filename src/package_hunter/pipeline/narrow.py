"""Narrow: which package it was that showed something while it was loaded with all that it depends on.

A fresh box, the same install; then each package below the suspect is loaded in a process of its own, what is
depended on first, the suspect last. The first that shows the same is the smallest that does: all it stands on
was loaded before it and did not. A tree too large for that is gone down level by level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from package_hunter.ecosystems.base import SourceTree
from package_hunter.errors import HunterError
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Blame
from package_hunter.model.scan import Package, PhaseCoverage
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.round_result import RoundResult, not_run
from package_hunter.pipeline.rounds import Round, again
from package_hunter.pipeline.separate_loads import SeparateLoads

MAX_BOXES = 3
MAX_SUSPECTS = 5
T = TypeVar("T")
Run = Callable[[Round], RoundResult]


def narrow(scan: Scan, source_tree: SourceTree, item: RoundResult, run: Run) -> RoundResult:
    """The same round, with certain blame where loading apart gave it; a few boxes at most, none where nothing
    needs it."""
    suspects = _suspects(item.findings)
    for further in range(1, MAX_BOXES + 1):
        if not suspects:
            break
        scan.say("Loading packages apart, to find who it was")
        apart = SeparateLoads(suspects)
        try:
            turn = again(scan, source_tree, item.round, apart, further)
        except HunterError as error:
            notes = (*item.coverage.notes, f"Packages were to be loaded apart: {error.message}")
            return replace(item, coverage=replace(item.coverage, notes=notes))
        try:
            shown = run(turn)
        except HunterError as error:
            shown = not_run(turn, error)
        if shown.broken or shown.coverage.dropped:
            return _noted(item, "Packages were to be loaded apart, which did not come to an end.", shown)
        item, suspects = _with_blame(item, shown, apart)
        count = len({purl for order in apart.order.values() for purl in order})
        item = _noted(
            item, f"To find who it was, {count} packages were loaded apart in a further box.", shown
        )
    return item


def _suspects(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Packages that are only likely to blame for something that a person will be shown."""
    found: dict[str, None] = {}
    for finding in findings:
        blame = finding.blame
        if blame is None or blame.package is None or finding.severity == "info":
            continue
        if blame.phase == "import" and blame.confidence == "likely":
            found.setdefault(blame.package)
    return tuple(found)[:MAX_SUSPECTS]


def _with_blame(
    item: RoundResult, shown: RoundResult, apart: SeparateLoads
) -> tuple[RoundResult, tuple[str, ...]]:
    """The round with what ``shown`` tells about its blame, and who is to be looked into further."""
    packages = {package.purl: package for package in item.packages}
    findings: list[Finding] = []
    moved: dict[tuple[str, str], Blame] = {}
    further: dict[str, None] = {}
    for finding in item.findings:
        blame = finding.blame
        order = apart.order.get(blame.package or "", []) if blame is not None else []
        twin = _first(finding, shown.findings, order) if blame and blame.phase == "import" else None
        if blame is None or twin is None or twin.blame is None or twin.blame.package is None:
            findings.append(finding)
            continue
        suspect, culprit = blame.package or "", twin.blame.package
        certain = suspect in apart.whole or culprit == suspect
        if not certain:
            further.setdefault(culprit)
        new = _blame(blame, culprit, packages.get(culprit), certain, len(order) - 1)
        moved[suspect, culprit] = new
        findings.append(
            replace(finding, blame=new, fingerprint=twin.fingerprint, explain=_explained_by(finding, new))
        )
    return _reblamed(replace(item, findings=tuple(findings)), shown, moved), tuple(further)


def _first(finding: Finding, others: Sequence[Finding], order: Sequence[str]) -> Finding | None:
    """The same behaviour of the package that was loaded first."""
    places = {purl: place for place, purl in enumerate(order)}
    alike = [
        other
        for other in others
        if other.kind == finding.kind
        and other.blame is not None
        and other.blame.phase == "narrow"
        and other.blame.package in places
    ]
    same = [other for other in alike if other.title == finding.title] or alike
    return min(same, key=lambda other: places[_package(other)], default=None)


def _package(finding: Finding) -> str:
    assert finding.blame is not None and finding.blame.package is not None
    return finding.blame.package


def _blame(blame: Blame, culprit: str, package: Package | None, certain: bool, count: int) -> Blame:
    name = package.name if package is not None else culprit
    if culprit == blame.package:
        basis = (
            f"{name} shows it when it is loaded; none of the {count} packages below it does, loaded apart."
        )
    elif certain:
        basis = f"Loaded apart in a fresh box, {name} shows it, and nothing that it depends on does."
    else:
        basis = f"Loaded apart in a fresh box, {name} shows it; what it depends on was not tried."
    return replace(
        blame,
        package=culprit,
        path=package.chain if package is not None else (),
        basis=basis,
        confidence="certain" if certain else "likely",
    )


def _explained_by(finding: Finding, blame: Blame) -> tuple[str, ...]:
    kept = [line for line in finding.explain if not line.startswith("Who did it is ")]
    return (*kept[:-1], f"Who did it is {blame.confidence}: {blame.basis}", *kept[-1:])


def _noted(item: RoundResult, sentence: str, shown: RoundResult) -> RoundResult:
    coverage = item.coverage
    seconds = sum(run.ended_ns - run.started_ns for run in shown.runs if run.phase == "narrow") / 1e9
    status = "failed" if shown.broken else "ok"
    phase = PhaseCoverage("narrow", item.round.world.name, status, None, seconds)
    notes = coverage.notes if sentence in coverage.notes else (*coverage.notes, sentence)
    coverage = replace(coverage, phases=(*coverage.phases, phase), notes=notes)
    return replace(item, coverage=coverage, faults=(*item.faults, *shown.faults))


def _reblamed(item: RoundResult, shown: RoundResult, moved: dict[tuple[str, str], Blame]) -> RoundResult:
    """The records behind the findings get the same blame, as far as the culprit showed the same ones."""
    seen, log = item.observation, item.network
    apart_seen, apart_log = shown.observation, shown.network

    def anew(records: Sequence[T], apart: Sequence[T], key: Callable[[T], object]) -> tuple[T, ...]:
        who = {(_purl(record), key(record)) for record in apart}
        return tuple(_moved(record, key(record), who, moved) for record in records)

    observation = replace(
        seen,
        alerts=anew(seen.alerts, apart_seen.alerts, lambda a: a.rule),
        canary_reads=anew(seen.canary_reads, apart_seen.canary_reads, lambda r: r.path),
    )
    network = replace(
        log,
        dns=anew(log.dns, apart_log.dns, lambda d: d.name),
        connections=anew(log.connections, apart_log.connections, lambda c: (c.name or c.address, c.port)),
        requests=anew(log.requests, apart_log.requests, lambda r: (r.method, r.url.partition("?")[0])),
        hits=anew(log.hits, apart_log.hits, lambda h: (h.channel, h.destination)),
        marks=anew(log.marks, apart_log.marks, lambda m: (m.kind, m.destination)),
    )
    return replace(item, observation=observation, network=network)


def _purl(record: object) -> str | None:
    blame: Blame | None = getattr(record, "blame", None)
    return blame.package if blame is not None else None


def _moved(
    record: T, key: object, who: set[tuple[str | None, object]], moved: dict[tuple[str, str], Blame]
) -> T:
    blame: Blame | None = getattr(record, "blame", None)
    if blame is None or blame.phase != "import" or blame.confidence != "likely":
        return record
    for (suspect, culprit), new in moved.items():
        if blame.package == suspect and (culprit, key) in who:
            fresh = replace(blame, package=culprit, path=new.path, basis=new.basis, confidence=new.confidence)
            return replace(record, blame=fresh)  # type: ignore[type-var]
    return record
