"""The phases of a plan, run in a box one command after the other."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from package_hunter.confined import StoppedError
from package_hunter.ecosystems.base import Plan
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.ecosystems.worlds import in_world
from package_hunter.errors import BoxKilledError, HelperDiedError, SandboxError
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import Command, CommandRun, Leftovers, Phase
from package_hunter.pipeline.morning import StartupFiles, has_morning, morning
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.rounds import Round, key_of
from package_hunter.pipeline.share import Share
from package_hunter.sandbox import RuncSandbox

_APART_SECONDS = (
    5.0  # what still runs is watched in a further box: one of another world, or to find who it was
)


def run_phases(
    scan: Scan,
    box: RuncSandbox,
    turn: Round,
    runs: list[CommandRun],
    freeze: Callable[[], None],
    allow: Callable[[RegistryAllow], None],
) -> tuple[list[str], Leftovers]:
    """Run every phase in order. Sentences about what kept it from being whole, and what still ran at the end.
    ``freeze`` is called when the fetch is over, before any foreign code runs; ``allow`` with
    what builds turned out to need."""
    plan, tree = turn.plan, BoxTree(box.upper_dir)
    reasons: list[str] = []
    left = Leftovers()
    try:
        before = StartupFiles.of(tree, plan.root)
        _run(scan, box, turn, plan.fetch, runs, reasons)
        again = plan.fetch_again(tree, runs) if not _late(scan, "fetch", runs, reasons) else None
        if again is not None:
            _run(scan, box, turn, again, runs, reasons)
        freeze()
        plan.keep_locks(tree)
        _refuse(plan, runs)
        if not _late(scan, "fetch", runs, reasons):
            install = plan.after_fetch(tree, runs)
            _refuse(plan, runs)
            if "install" in scan.options.phases:
                _run(scan, box, turn, install, runs, reasons)
                again = plan.second_try(runs) if not _late(scan, "install", runs, reasons) else None
                if again is not None:
                    _run(scan, box, turn, again, runs, reasons)
                learnt = plan.learnt(tree) if not _late(scan, "install", runs, reasons) else None
                if learnt is not None:
                    allow(learnt[1])
                    _run(scan, box, turn, learnt[0], runs, reasons)
        if not _late(scan, "install", runs, reasons):
            later = plan.later(tree) if turn.apart is None else (turn.apart.phase(plan, tree),)
            for phase in later:
                _run(scan, box, turn, phase, runs, reasons)
        if has_morning(scan, turn) and not _late(scan, "import", runs, reasons):
            changed = before.changed(StartupFiles.of(tree, plan.root))
            _run(scan, box, turn, morning(changed, plan.root), runs, reasons)
        scan.say("Waiting for what still runs")
        with scan.options.timed("settle"):
            left = _end(scan, box, turn)
        reasons += box.limits_hit()
    except StoppedError as error:
        reasons.append(error.message)
        reasons += box.limits_hit()
    except SandboxError as error:
        if _is_ours(error, scan):
            raise
        reasons.append(f"The box broke during the scan: {error.message}")
        reasons += box.limits_hit()
    return reasons, left


def _is_ours(error: SandboxError, scan: Scan) -> bool:
    """Whether a process of ours was killed, so that the scan is to be tried again. Where nobody does that, what a box
    showed until somebody killed it is worth a report."""
    if isinstance(error, BoxKilledError):
        return scan.options.again
    return isinstance(error, HelperDiedError)


def _end(scan: Scan, box: RuncSandbox, turn: Round) -> Leftovers:
    """Watch what still runs, and say what does not end."""
    left = max(0.0, scan.deadline - time.monotonic())
    if turn.hurry is not None:
        with box.hurried():
            return box.end(min(scan.config.hurry_seconds, left))
    budget = scan.config.settle_seconds if scan.options.settle is None else scan.options.settle
    whole = turn.apart is None and turn.first_world
    return box.end(min(budget if whole else min(budget, _APART_SECONDS), left))


def without_scripts(turn: Round, box: RuncSandbox) -> frozenset[str] | None:
    """The packages (purls) whose manifest no longer has the scripts that it came with; None where the box's files
    cannot be read."""
    tree = BoxTree(box.upper_dir)
    if tree.kind(turn.plan.project) != "folder":
        return None
    try:
        return turn.plan.without_scripts(tree)
    except StoppedError:
        return None


def _refuse(plan: Plan, runs: Sequence[CommandRun]) -> None:
    """An unknown package or a dead registry ends the scan with its own exit code."""
    failure = plan.failure(runs)
    if failure is not None:
        raise failure


def _run(
    scan: Scan, box: RuncSandbox, turn: Round, phase: Phase, runs: list[CommandRun], reasons: list[str]
) -> None:
    phase = in_world(phase, turn.world)
    label = f"{phase.name} ({turn.label})" if turn.label else phase.name
    share = Share(phase.commands)
    with scan.options.timed(phase.name):
        for command in itertools.chain(filter(share.allows, phase.commands), share.rest()):
            if _late(scan, phase.name, runs, reasons):
                return
            scan.say(f"{label}: {command.script or command.argv[0]} {command.blame_purl or ''}".rstrip())
            run = _one(scan, box, turn, phase, command)
            share.count(command, run)
            if run.exit_code is None and time.monotonic() >= scan.deadline:
                run = replace(run, scan_seconds=scan.config.scan_timeout)
            runs.append(run)


def _one(scan: Scan, box: RuncSandbox, turn: Round, phase: Phase, command: Command) -> CommandRun:
    """Run a command; one that waited for its deadline is given faster time where the round has that."""
    if turn.hurry is None or key_of(phase.name, command) not in turn.hurry.stopped:
        return box.run(command, phase.name, phase.world, until=scan.deadline)
    command = replace(command, timeout=scan.config.hurry_seconds)
    with box.hurried():
        return box.run(command, phase.name, phase.world, until=scan.deadline)


def _late(scan: Scan, phase: str, runs: Sequence[CommandRun], reasons: list[str]) -> bool:
    """Whether the scan's time is over; why nothing more is run is said once."""
    if time.monotonic() < scan.deadline:
        return False
    if not reasons and not any(run.scan_seconds for run in runs):  # else coverage says in which command
        reasons.append(f"The scan's time of {scan.config.scan_timeout:g} s was over in the {phase} phase.")
    return True
