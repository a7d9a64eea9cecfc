"""What a scan covered of its plan, in figures and sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from package_hunter.ecosystems import loads
from package_hunter.ecosystems.base import ALL_PHASES, Inventory, PlanOptions, Tally
from package_hunter.ecosystems.reasons import Failures, words_of
from package_hunter.model.ecosystem import Facts, derived, runs_at_start
from package_hunter.model.scan import Command, CommandRun, Coverage, Phase, PhaseCoverage
from package_hunter.model.text import shortened

# Exit codes of lifecycle.js: npm itself could not be set up; the script is not in package.json any more.
DRIVER_FAILED, SCRIPT_GONE = 97, 98


@derived
def _not_found(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join(line for one in known for line in one.says_not_found))


def coverage(
    planned: Mapping[str, Phase],
    options: PlanOptions,
    installed: Inventory,
    runs: Sequence[CommandRun],
    nothing_to_load: Sequence[str],
    parts: frozenset[str] = frozenset(),
) -> Coverage:
    """Compare the plan with what was run. ``parts`` are names of packages that are parts of the project itself. Event
    counts are left at 0 for the caller."""
    failures = Failures(installed.asked | {package.name for package in installed.packages})
    tally = Tally(dict.fromkeys(installed.reasons), dict.fromkeys(installed.notes))
    names = dict.fromkeys((*ALL_PHASES, *planned))
    for run in runs:
        if run.scan_seconds is not None:
            tally.reason(_cut(run))
    phases = [_phase(name, planned.get(name), options, runs, tally, failures) for name in names]
    if installed.missing:
        some = ", ".join(map(shortened, installed.missing[:10])) + (
            " …" if len(installed.missing) > 10 else ""
        )
        one = len(installed.missing) == 1
        what = "package of the tree was" if one else "packages of the tree were"
        tally.reason(f"{len(installed.missing)} {what} not installed: {some}.")
    for run in runs:
        _judge_run(run, tally, failures, parts)
    for sentence in (*loads.failed(runs), *loads.not_tried(planned, runs)):
        tally.note(sentence)
    if options.asks("exercise") and "exercise" not in planned:
        tally.note("Nothing was exercised: what is installed exports nothing that this can call.")
    if nothing_to_load:
        what = "direct dependency holds" if len(nothing_to_load) == 1 else "direct dependencies hold"
        tally.note(f"{len(nothing_to_load)} {what} nothing to load (types or commands only).")
    # What runs on behalf of one package; a package manager's own command is no script.
    scripts = list(filter(_is_script, planned["install"].commands)) if "install" in planned else []
    done = [run for run in runs if run.phase == "install" and _is_script(run.command)]
    ran = [run for run in done if run.exit_code not in (DRIVER_FAILED, SCRIPT_GONE)]
    if "install" in options.phases and done and len(ran) < len(scripts):
        tally.reason(f"{len(scripts) - len(ran)} of {len(scripts)} install scripts were not run.")
    return Coverage(
        phases=tuple(phases),
        packages_expected=installed.expected,
        packages_installed=len(installed.packages) if "install" in planned else 0,
        scripts_expected=len(scripts),
        scripts_run=len(ran),
        reasons=tuple(tally.reasons),
        notes=tuple(tally.notes),
        failed=failures.records(),
    )


def _is_script(command: Command) -> bool:
    """Of the install. A start of the interpreter for one start-up file is none: no package asks for it."""
    return not command.essential and not runs_at_start(command.script or "")


def _phase(
    name: str,
    phase: Phase | None,
    options: PlanOptions,
    runs: Sequence[CommandRun],
    tally: Tally,
    failures: Failures,
) -> PhaseCoverage:
    mine = [run for run in runs if run.phase == name]
    world = runs[0].world if runs else "default"
    seconds = sum(run.ended_ns - run.started_ns for run in mine) / 1e9
    began = min((run.started_ns for run in mine), default=None)
    bad = next((run for run in mine if run.command.essential and run.exit_code != 0), None)
    if bad is not None:
        if bad.scan_seconds is None:
            tally.reason(_why(name, bad, failures))
        status = "timeout" if bad.exit_code is None else "failed"
        return PhaseCoverage(name, world, status, bad.exit_code, seconds, started_ns=began)
    if not mine and not options.asks(name):
        tally.note(f"The phase “{name}” was not asked for.")
        return PhaseCoverage(name, world, "skipped", None, 0.0)
    if not mine and (phase is None or phase.commands):
        if not tally.reasons:  # else it was not reached because of what was said already
            tally.reason(f"The phase “{name}” was not run.")
        return PhaseCoverage(name, world, "skipped", None, 0.0)
    # what has a budget is left out where that is used up: `loads.not_tried` says it
    due = sum(command.within is None for command in phase.commands) if phase is not None else 0
    if phase is not None and sum(run.command.within is None for run in mine) < due:
        if not any(run.scan_seconds for run in mine):
            tally.reason(f"Of the phase “{name}”, {len(mine)} of {len(phase.commands)} steps were run.")
        return PhaseCoverage(name, world, "timeout", None, seconds, started_ns=began)
    return PhaseCoverage(name, world, "ok", 0, seconds, started_ns=began)


def _cut(run: CommandRun) -> str:
    """Where the scan's own time was over."""
    script, who = run.command.script, run.command.blame_purl or "the project"
    where = f"{script} of {who}" if script else f"`{_words(run.command)}`"
    return f"The scan's time of {run.scan_seconds:g} s was over in {where}."


def _words(command: Command) -> str:
    return shortened(command.script or words_of(command.argv))


def _why(name: str, run: CommandRun, failures: Failures) -> str:
    command = _words(run.command)
    if run.exit_code is None:
        stopped = f"`{command}` was stopped after {run.command.timeout:.0f} s in the phase “{name}”."
        return failures.add(run, stopped)
    return failures.sentence(run, f"`{command}`")


def _judge_run(run: CommandRun, tally: Tally, failures: Failures, parts: frozenset[str]) -> None:
    if run.scan_seconds is not None:
        return  # said already
    who = shortened(run.command.blame_purl or "the project")
    step = f"{shortened(run.command.script or 'command')} of {who}"
    if run.phase == "install" and not runs_at_start(run.command.script or ""):
        if run.exit_code == DRIVER_FAILED:
            tally.reason(f"{step} could not be run: {safe(run.output_tail[-200:])}")
        elif run.exit_code == SCRIPT_GONE:
            tally.note(f"{step} was gone from its package.json when it was to run.")
        elif run.exit_code is None:
            tally.reason(
                f"{step} was stopped after {run.command.timeout:.0f} s; what it did later was not seen."
            )
        elif run.exit_code and not run.command.essential:
            tally.note(failures.sentence(run, step))
    elif run.phase not in ("fetch", "install") and run.exit_code != 0:
        found_nothing = run.exit_code is not None and _itself_not_found(run.command, run.output_tail)
        if found_nothing and run.command.within is None:
            if _is_part(run.command, parts):
                tally.note(f"{who}, a part of the project itself, was not loaded: it is not built.")
            else:
                tally.reason(f"{step} could not be tried: the module was not found.")


def _is_part(command: Command, parts: frozenset[str]) -> bool:
    """Whether what a command loads is a part of the project itself: it is built before it is used, and what it asks
    for was installed and loaded all the same."""
    bare = unquote((command.blame_purl or "").partition("/")[2])
    return bare in parts or bare[: bare.rfind("@")] in parts if bare.rfind("@") > 0 else bare in parts


def _itself_not_found(command: Command, tail: str) -> bool:
    found = _not_found().search(tail)
    name = next((text for text in found.groups() if text), None) if found else None
    return name is not None and bool(re.search(rf"""["' ]{re.escape(name)}["']?\)?$""", command.argv[-1]))


def safe(text: str) -> str:
    """Text out of a box, on one line, printable, not long."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:300]
