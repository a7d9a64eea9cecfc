"""Rederive: a recording and the surroundings that it keeps, judged again as the scan judged its round. No network, no
registry and no box is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.enrich.names import NameTable
from package_hunter.findings import judge
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Alert, NetworkLog, Observation
from package_hunter.observe.events import Scope, observe, without_own
from package_hunter.observe.recorded import RecordedBox
from package_hunter.pipeline.hurried import adds
from package_hunter.pipeline.judgement import Sighted, attributed, english
from package_hunter.pipeline.merge import in_order, joined
from package_hunter.pipeline.surroundings import Surroundings, unpack
from package_hunter.rules import Matcher
from package_hunter.sensor.scap import ScapReader

_MAX_ALERTS = 200_000  # where a recording does not say how many its scan kept
_MAX_RECORDS = 100_000


@dataclass(frozen=True)
class Rederived:
    """What a recording comes to. ``alone`` are the findings of events and rules without what the gateway recorded.
    ``surroundings`` None: the recording keeps none (an older one, a scan that was killed), and there are alerts only.
    ``truncated``: it ends in the middle. ``scan`` is whose recording it says that it is ("": it does not)."""

    alerts: tuple[Alert, ...]
    events: int
    findings: tuple[Finding, ...]
    alone: frozenset[str]  # fingerprints
    surroundings: Surroundings | None
    truncated: bool
    scan: str = ""


def scan_of(recording: Path) -> str:
    """The id of the scan whose recording it says that it is, "" where it does not. BadArchiveError: it is none."""
    with ScapReader(recording) as source:
        return _scan(source)


def _scan(source: ScapReader) -> str:
    said = source.ours.get("scan")
    return said if isinstance(said, str) else ""


def surroundings_of(recording: Path) -> Surroundings | None:
    """What the recording keeps beside its events; all of it is read for that. BadArchiveError: it is no recording."""
    with ScapReader(recording) as source:
        for _ in source:
            pass
        return unpack(source.round) if source.round else None


def rederive(recording: Path, matcher_of: Callable[[Surroundings | None], Matcher]) -> Rederived:
    """Judge it by the rules that ``matcher_of`` gives. BadArchiveError where it is no recording."""
    around = surroundings_of(recording)
    matcher = matcher_of(around)
    with ScapReader(recording) as source:
        box = RecordedBox.of(source.ours)
        most = (_MAX_ALERTS, _MAX_RECORDS) if around is None else (around.max_alerts, around.max_records)
        scope = Scope(box.canaries, box.inodes, *most)
        seen = observe(source.sections(), matcher, scope, names=NameTable())
        truncated, scan = source.truncated, _scan(source)
    if box.init_pid is not None:
        seen = without_own(seen, box.init_pid, box.driver)
    if around is None:
        return Rederived(seen.alerts, seen.events, (), frozenset(), None, truncated, scan)
    return replace(_judged(seen, around, matcher, truncated), scan=scan)


def _judged(seen: Observation, around: Surroundings, matcher: Matcher, truncated: bool) -> Rederived:
    facts = replace(around.facts, runs=around.runs)
    made = []
    for network in (around.network, NetworkLog()):
        of = Sighted(around.runs, network, facts.packages, around.fetches_alone, around.after)
        observation, log, blamer = attributed(seen, of)
        made.append((observation, judge(observation, log, facts, blamer.blame, english(matcher))))
    (observation, findings), (_, alone) = made
    marks = frozenset(finding.fingerprint for finding in alone)
    return Rederived(observation.alerts, seen.events, findings, marks, around, truncated)


def together(rounds: Sequence[Rederived]) -> tuple[Finding, ...]:
    """The findings of all recorded rounds as the scan put them together: of a hurried one only what it adds."""
    found: dict[str, Finding] = {}
    for item in rounds:
        hurried = item.surroundings is not None and item.surroundings.hurried
        for finding in item.findings:
            known = found.get(finding.fingerprint)
            if hurried and not adds(finding, known):
                continue
            found[finding.fingerprint] = finding if known is None else joined(known, finding)
    return in_order(found.values())
