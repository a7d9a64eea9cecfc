"""Replay: a recording, ours or Falco's, judged again by other rules, the way a live scan is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.blame.attach import blame_observation
from package_hunter.blame.blamer import Blamer
from package_hunter.blame.manager import without_manager
from package_hunter.enrich.names import NameTable
from package_hunter.findings import RoundFacts, judge
from package_hunter.model.observation import Alert, NetworkLog, Observation
from package_hunter.model.report import Report
from package_hunter.model.scan import CommandRun, Coverage, ScanStatus, Target
from package_hunter.observe.events import Scope, observe, without_own
from package_hunter.observe.recorded import RecordedBox
from package_hunter.policy.rejudge import rejudge
from package_hunter.rules import Matcher
from package_hunter.sensor.scap import ScapReader

_MAX_ALERTS = 200_000  # kept; who wants all of them is told of each by ``tell``
Tell = Callable[[Alert, str], None]


@dataclass(frozen=True)
class ReplayResult:
    """What a recording shows under these rules. ``truncated``: it ends in the middle."""

    observation: Observation
    report: Report
    hostname: str
    truncated: bool


def replay(
    recording: Path,
    matcher: Matcher,
    tell: Tell | None = None,
    *,
    whole: bool = False,
    most: int = _MAX_ALERTS,
) -> ReplayResult:
    """Judge a recording; ``tell`` hears of each alert, in the order of events, with the recording's host name. With
    ``whole`` also what a scan leaves out is judged: our own first process, the package manager while it fetches.
    ``most`` alerts are kept.

    Raises BadArchiveError where the file is no recording.
    """
    with ScapReader(recording) as source:
        hostname = source.start.hostname
        box = RecordedBox.of(source.ours)
        if whole:
            box = replace(box, init_pid=None)
        # which alerts of a recording of ours are told is known at its end only
        at_once = tell is not None and box.init_pid is None
        observation = observe(
            source.sections(),
            matcher,
            Scope(box.canaries, box.inodes, most),
            names=NameTable(),
            on_alert=(lambda alert: tell(alert, hostname)) if tell is not None and at_once else None,
        )
        observation = _as_seen(box, observation, source.runs)
        truncated = source.truncated
    if tell is not None and not at_once:
        for alert in observation.alerts:
            tell(alert, hostname)
    return ReplayResult(observation, _report(recording.name, observation, truncated), hostname, truncated)


def _as_seen(box: RecordedBox, seen: Observation, runs: Sequence[CommandRun]) -> Observation:
    """As the scan saw it: without our own doings, and with blame where the commands that ran are known."""
    if box.init_pid is None:
        return seen
    seen = without_own(seen, box.init_pid, box.driver)
    if runs:
        seen = blame_observation(seen, Blamer(runs, seen.processes, (), seen.files))
        seen = without_manager(seen) if box.fetches_alone else seen
    return seen


def _report(name: str, observation: Observation, truncated: bool) -> Report:
    reasons = ("The recording ends in the middle.",) if truncated else ()
    coverage = Coverage(events=observation.events, reasons=reasons)
    report = Report(
        id=name,
        target=Target(name, ""),
        started=0,
        finished=0,
        status=ScanStatus.FINISHED,
        coverage=coverage,
        alerts=observation.alerts,
        findings=judge(observation, NetworkLog(), RoundFacts(coverage=coverage)),
    )
    return rejudge(report)
