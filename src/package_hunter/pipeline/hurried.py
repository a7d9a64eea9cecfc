"""Hurried time: where something was left waiting for longer than a scan can, a further box lets time pass faster.

The same install in its own time, then a minute in each second. Such a round only adds: what it shows beyond the first
is evidence like any other; that it failed, hung, asked more often or showed less says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from package_hunter.ecosystems.base import SourceTree
from package_hunter.errors import HunterError
from package_hunter.findings.catalog import daemons
from package_hunter.model.finding import Finding
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import LeftRunning, PhaseCoverage
from package_hunter.pipeline.merge import in_order, join_lists, join_networks, join_observations
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.pipeline.rounds import CommandKey, Hurry, hurried, key_of
from package_hunter.sandbox.clock.pacer import RATE

PHASE = "hurried"
# what faster time makes more of, or what only says that something did not end
_NOT_ADDED = frozenset({"hang", "left_running", "gated_behaviour"})
_MAX_NAMED = 5
_LEAST_SECONDS = 10.0  # of the scan's time, for a further box and its install
_FURTHER = "It was seen in a further box, in which"
HOW = f"{_FURTHER} time passed {RATE} times faster once the install was done."

Run = Callable[..., RoundResult]


def hurry(scan: Scan, source_tree: SourceTree, item: RoundResult, run: Run) -> RoundResult:
    """The same round, with what a hurried one adds to it; no box where nothing waits for what that can reach.
    ``run`` makes a round, whose processes' keys come ``after`` a number."""
    if (
        not scan.hurries
        or not item.round.first_world
        or not any(in_reach(left, scan.config.hurry_seconds) for left in item.left.found)
    ):
        return item
    if scan.deadline - time.monotonic() < scan.config.hurry_seconds + _LEAST_SECONDS:
        return noted(item, "What was left waiting was not tried in hurried time: the scan's time is over.")
    scan.say("Letting time pass faster, to see what was waited for")
    began = time.monotonic()
    try:
        turn = hurried(scan, source_tree, item.round, Hurry(frozenset(_stopped(item))))
        last = max((process.key for process in item.observation.processes), default=0)
        shown = run(turn, after=last)
    except HunterError as error:
        return noted(item, f"Time was to be hurried in a further box: {error.message}")
    return _with(item, shown, time.monotonic() - began)


def is_of_hurried(finding: Finding) -> bool:
    """Whether it was added by such a box, or another further one of the first world."""
    return any(line.startswith(_FURTHER) for line in finding.explain)


def in_reach(left: LeftRunning, seconds: float) -> bool:
    """Whether hurried time of so many (real) seconds may show what a process waited for. Not asked: helpers of the
    system's own, which wait for who calls them (findings/data/daemons.yaml)."""
    if left.of_image and any(left.program in daemon.programs for daemon in daemons().values()):
        return False
    return any(
        wait.what in ("timer", "signal", "work", "unknown") and (wait.seconds or 0.0) <= seconds * RATE
        for wait in left.waits
    )


def _stopped(item: RoundResult) -> Iterator[CommandKey]:
    return (key_of(run.phase, run.command) for run in item.runs if run.exit_code is None)


def _with(item: RoundResult, shown: RoundResult, seconds: float) -> RoundResult:
    """The round, with what the hurried one shows beyond it."""
    added = added_by(shown.findings, item.findings)
    sentence = f"To see what was waited for, time passed {RATE} times faster in a further box: " + (
        f"{len(added)} finding{'s come' if len(added) > 1 else ' comes'} from there."
        if added
        else "it showed nothing more."
    )
    item = noted(item, sentence, *_out_of_reach(shown), *_unseen(shown))
    phase = PhaseCoverage(PHASE, item.round.world.name, "ok", None, seconds)
    item = replace(item, coverage=replace(item.coverage, phases=(*item.coverage.phases, phase)))
    if not added:
        return item
    return _joined(item, shown, added, HOW)


def added_to(
    item: RoundResult, shown: RoundResult, phase: str, how: str, seconds: float, said: str
) -> RoundResult:
    """The round, with the findings that a further one shows beyond it; each says ``how`` it was seen."""
    added = added_by(shown.findings, item.findings)
    item = noted(item, said, *_unseen(shown))
    covered = PhaseCoverage(phase, item.round.world.name, "ok", None, seconds)
    item = replace(item, coverage=replace(item.coverage, phases=(*item.coverage.phases, covered)))
    return _joined(item, shown, added, how) if added else item


def _unseen(shown: RoundResult) -> Iterator[str]:
    """What went wrong in a further box: it showed less than it might have."""
    return (f"In that further box: {why}" for why in shown.broken)


def _joined(item: RoundResult, shown: RoundResult, added: Sequence[Finding], how: str) -> RoundResult:
    return replace(
        item,
        findings=joined_with(item.findings, added, how),
        observation=join_observations((item.observation, shown.observation)),
        network=join_networks((item.network, shown.network)),
        canaries=(*item.canaries, *shown.canaries),
    )


def added_by(shown: Sequence[Finding], known: Sequence[Finding]) -> list[Finding]:
    """What a further box shows beyond what is known."""
    before = {finding.fingerprint: finding for finding in known}
    return [finding for finding in shown if adds(finding, before.get(finding.fingerprint))]


def joined_with(findings: Sequence[Finding], added: Iterable[Finding], how: str = HOW) -> tuple[Finding, ...]:
    """The findings with those that a further box added; each says ``how`` it was seen."""
    told = tuple(replace(finding, explain=(*finding.explain, how)) for finding in added)
    return in_order(join_lists((findings, told)))


def adds(finding: Finding, known: Finding | None) -> bool:
    """Whether it is new, or graver than the same was."""
    if finding.kind in _NOT_ADDED:
        return False
    return known is None or _grave(finding) > _grave(known)


def _grave(finding: Finding) -> tuple[bool, int]:
    return finding.proof, severity_rank(finding.severity)


def _out_of_reach(shown: RoundResult) -> Iterator[str]:
    """What makes its system calls itself, and lived in its own time."""
    names = dict.fromkeys(_name(left) for left in shown.left.found if not left.hurried and left.waits)
    if names:
        yield (
            f"Time could not be hurried for {_listed(list(names))}: a program that makes its system calls itself "
            "(Go's, a static one) is out of reach."
        )


def _name(left: LeftRunning) -> str:
    return (left.program or left.cmdline).rpartition("/")[2][:80] or "a process"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def noted(item: RoundResult, *sentences: str) -> RoundResult:
    notes: Iterable[str] = dict.fromkeys((*item.coverage.notes, *sentences))
    return replace(item, coverage=replace(item.coverage, notes=tuple(notes)))
