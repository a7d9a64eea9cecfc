"""Rederive: a recording and the surroundings that it keeps, judged again as the scan judged its round. No network, no
registry and no box is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.enrich.names import NameTable
from package_hunter.findings import judge
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Alert, Canary, NetworkLog, Observation
from package_hunter.model.report import Canaries, Report
from package_hunter.model.scan import Package
from package_hunter.observe.events import Scope, observe, without_own
from package_hunter.observe.recorded import RecordedBox
from package_hunter.pipeline.closing import Closing
from package_hunter.pipeline.closing import unpack as unpack_closing
from package_hunter.pipeline.gated import Shown, differing
from package_hunter.pipeline.hurried import added_by, joined_with
from package_hunter.pipeline.judgement import Sighted, attributed, english
from package_hunter.pipeline.merge import (
    in_order,
    join_lists,
    join_networks,
    join_observations,
    join_packages,
)
from package_hunter.pipeline.surroundings import Surroundings, unpack
from package_hunter.rules import Matcher
from package_hunter.sensor.scap import ScapReader

_MAX_ALERTS = 200_000  # where a recording does not say how many its scan kept
_MAX_RECORDS = 100_000


@dataclass(frozen=True)
class Kept:
    """What a recording says of itself beside its events. ``scan`` is whose it says that it is ("": it does not);
    ``surroundings`` None: it keeps none (an older one, a scan that was killed); ``closing`` None: its scan said nothing
    at its end, or came to none."""

    scan: str
    surroundings: Surroundings | None
    closing: Closing | None


@dataclass(frozen=True)
class Rederived:
    """What a recording comes to. ``alone`` are the findings of events and rules without what the gateway recorded.
    Without ``kept.surroundings`` there are alerts only. ``truncated``: it ends in the middle."""

    kept: Kept
    observation: Observation
    network: NetworkLog
    findings: tuple[Finding, ...]
    alone: frozenset[str]  # fingerprints
    truncated: bool

    @property
    def surroundings(self) -> Surroundings | None:
        """What it was judged by beside its events."""
        return self.kept.surroundings

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Of the rules that it was judged by."""
        return self.observation.alerts

    @property
    def events(self) -> int:
        """How many there are in it."""
        return self.observation.events

    @property
    def hurried(self) -> bool:
        """Whether it is of a further box, in which time was."""
        return self.surroundings is not None and self.surroundings.hurried

    @property
    def packages(self) -> tuple[Package, ...]:
        """Those that its scan knew."""
        return () if self.surroundings is None else tuple(self.surroundings.facts.packages)

    @property
    def canaries(self) -> tuple[Canary, ...]:
        """The fakes in its box."""
        return () if self.surroundings is None else tuple(self.surroundings.facts.canaries)


@dataclass(frozen=True)
class Whole:
    """What all recorded boxes of a scan come to, as its report has it."""

    observation: Observation = field(default_factory=Observation)
    network: NetworkLog = field(default_factory=NetworkLog)
    canaries: tuple[Canary, ...] = ()
    packages: tuple[Package, ...] = ()
    findings: tuple[Finding, ...] = ()

    def shown_in(self, report: Report) -> Report:
        """The report with this in place of what it shows; findings as no policy has seen them."""
        seen, network = self.observation, self.network
        return replace(
            report,
            packages=self.packages,
            alerts=seen.alerts,
            findings=self.findings,
            network=network,
            canaries=Canaries(self.canaries, seen.canary_reads, network.hits, report.canaries.replaced),
            processes=seen.processes,
            files=seen.files,
            cut={**seen.cut, **network.cut},
        )


def scan_of(recording: Path) -> str:
    """The id of the scan whose recording it says that it is, "" where it does not. BadArchiveError: it is none."""
    with ScapReader(recording) as source:
        return _scan(source)


def _scan(source: ScapReader) -> str:
    said = source.ours.get("scan")
    return said if isinstance(said, str) else ""


def kept_in(recording: Path) -> Kept:
    """What the recording says of itself; all of it is read for that. BadArchiveError: it is no recording."""
    with ScapReader(recording) as source:
        for _ in source:
            pass
        return Kept(
            _scan(source),
            unpack(source.round) if source.round else None,
            unpack_closing(source.closing) if source.closing else None,
        )


def rederive(recording: Path, matcher_of: Callable[[Surroundings | None], Matcher]) -> Rederived:
    """Judge it by the rules that ``matcher_of`` gives. BadArchiveError where it is no recording."""
    kept = kept_in(recording)
    around = kept.surroundings
    matcher = matcher_of(around)
    with ScapReader(recording) as source:
        box = RecordedBox.of(source.ours)
        most = (_MAX_ALERTS, _MAX_RECORDS) if around is None else (around.max_alerts, around.max_records)
        scope = Scope(box.canaries, box.inodes, *most)
        seen = observe(source.sections(), matcher, scope, names=NameTable())
        truncated = source.truncated
    if box.init_pid is not None:
        seen = without_own(seen, box.init_pid, box.driver)
    if around is None:
        return Rederived(kept, seen, NetworkLog(), (), frozenset(), truncated)
    return _judged(seen, around, matcher, Rederived(kept, seen, NetworkLog(), (), frozenset(), truncated))


def _judged(seen: Observation, around: Surroundings, matcher: Matcher, bare: Rederived) -> Rederived:
    facts = replace(around.facts, runs=around.runs)
    made = []
    for network in (around.network, NetworkLog()):
        of = Sighted(around.runs, network, facts.packages, around.fetches_alone, around.after)
        observation, log, blamer = attributed(seen, of)
        made.append((observation, log, judge(observation, log, facts, blamer.blame, english(matcher))))
    (observation, log, findings), (_, _, alone) = made
    marks = frozenset(finding.fingerprint for finding in alone)
    return replace(bare, observation=observation, network=log, findings=findings, alone=marks)


def together(rounds: Sequence[Rederived]) -> Whole:
    """All recorded boxes as their scan put them together: of a hurried one only what it adds, and what differs between
    worlds."""
    groups = [_with_hurried(group) for group in _groups(rounds)]
    packages = join_packages([item for item in rounds if not item.hurried])
    findings = in_order((*join_lists([group.findings for group in groups]), *_differing(rounds, groups)))
    return replace(_joined(groups), packages=packages, findings=findings)


def _groups(rounds: Sequence[Rederived]) -> list[list[Rederived]]:
    """Each of the scan's own boxes, with the hurried one that came after it."""
    groups: list[list[Rederived]] = []
    for item in rounds:
        if item.hurried and groups:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _with_hurried(group: Sequence[Rederived]) -> Whole:
    first, *further = group
    whole = Whole(first.observation, first.network, first.canaries, (), first.findings)
    for item in further:
        added = added_by(item.findings, whole.findings)
        if added:
            more = Whole(item.observation, item.network, item.canaries)
            whole = replace(_joined((whole, more)), findings=joined_with(whole.findings, added))
    return whole


def _joined(parts: Sequence[Whole]) -> Whole:
    if not parts:
        return Whole()
    return Whole(
        join_observations([part.observation for part in parts]),
        join_networks([part.network for part in parts]),
        tuple(canary for part in parts for canary in part.canaries),
    )


def _differing(rounds: Sequence[Rederived], groups: Sequence[Whole]) -> Iterable[Finding]:
    """What worlds showed that others did not, where each box says of which it was."""
    shown = []
    for group, whole in zip(_groups(rounds), groups, strict=True):
        around, closing = group[0].kept.surroundings, group[0].kept.closing
        if around is None or closing is None or around.world not in WORLDS:
            return ()
        mine = (around.began_ns, around.ended_ns, around.world)
        box = next((b for b in closing.boxes if (b.began_ns, b.ended_ns, b.world) == mine), None)
        if box is None:
            return ()
        coverage = around.facts.coverage
        covered = not coverage.reasons and not coverage.dropped
        shown.append(Shown(box.ecosystem, around.world, covered, whole.findings))
    return differing(shown)
