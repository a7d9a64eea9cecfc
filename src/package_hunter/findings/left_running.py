"""Signals from what still ran when the box was ended: what a process waits for, no scan sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from package_hunter.findings.catalog import Class, daemons, kinds
from package_hunter.findings.context import Context
from package_hunter.findings.signals import Signal
from package_hunter.findings.waits import in_order, plain, waiting
from package_hunter.model.observation import Blame, Process
from package_hunter.model.scan import CommandRun, LeftRunning

_SLACK_NS = 100_000_000  # between the clocks of the record and of whoever ended the box
_KILLED = -9
_MAX_TEXT = 500
_MAX_WAITS = 8  # of a process, told in the data
_MAX_FOLLOWED = 200  # processes whose parents are told what they wait for
_SYSTEM = (
    "In its favour: it is a helper of {name}'s, which {starter} started; both programs came with the system and "
    "are unchanged."
)


def signals(context: Context) -> Iterator[Signal]:
    """One signal a process, once each."""
    descent = _Descent(context)
    waits = _Waits(context)
    told: set[int] = set()
    for left in context.left.found:
        process = context.process_at(left.pid, left.time_ns)
        if process is not None and process.ended_ns is not None:
            process = process if process.ended_ns >= left.time_ns - _SLACK_NS else None
        if process is not None and (process.key in told or descent.under_way(process, left.time_ns)):
            continue
        if process is not None:
            told.add(process.key)
        yield _signal(context, left.time_ns, process, left, waits.sentence(process, left))
    for process in _ended_by_us(context):
        if process.key not in told:
            yield _signal(context, context.left.since_ns or 0, process, None, "")


def _ended_by_us(context: Context) -> Iterator[Process]:
    """Of the record, what lived when the box was ended: also those that were too quick to be looked at."""
    since = context.left.since_ns
    if since is None:
        return
    for process in context.processes.values():
        ended = process.ended_ns is not None and process.ended_ns >= since - _SLACK_NS
        if ended and process.exit_code == _KILLED and process.vpid != 1:
            yield process


def _signal(
    context: Context, time_ns: int, process: Process | None, left: LeftRunning | None, waits: str
) -> Signal:
    """``process`` is what the record has of it, ``left`` what was seen of it from outside; one of them is there."""
    shown = left.cmdline[:_MAX_TEXT].strip() if left is not None else ""
    cmdline = process.cmdline[:_MAX_TEXT].strip() if process is not None else shown
    program = left.program if left is not None else ""
    data: dict[str, Any] = {
        "cmdline": cmdline,
        "exepath": program or (process.exepath if process is not None else ""),
    }
    blame = context.blame_of(process.key, time_ns) if process is not None else None
    name = process.name if process is not None else program.rpartition("/")[2]
    pid = f" (pid {process.vpid})" if process is not None else ""
    who = f"{name or 'a process'}{pid}{_of(context, blame)}"
    what = f"{who} was left {waits}" if waits else f"{cmdline or who} still ran when all else had ended"
    if left is not None and left.waits:
        data["waits"] = [plain(wait) for wait in in_order(left.waits)[:_MAX_WAITS]]
    if shown and _words(shown) != _words(cmdline):
        data["shown_as"] = shown
        what += f", and called itself {shown[:200]}"
    why = _helper(context, process, left)
    return Signal(
        time_ns=time_ns,
        kind="left_running",
        weight=Class.INFO if why else kinds()["left_running"].weight,
        subject=cmdline[:200],
        what=what,
        blame=blame,
        process=process.key if process is not None else None,
        data=data,
        explain=(why,) if why else (),
    )


def _of(context: Context, blame: Blame | None) -> str:
    package = context.packages.get(blame.package) if blame is not None and blame.package else None
    return f" of {package.name}@{package.version}" if package is not None else ""


def _words(cmdline: str) -> list[str]:
    """For comparing: the record has a program's name where the process itself may show its path."""
    first, *rest = cmdline.split() or [""]
    return [first.rpartition("/")[2], *rest]


def _helper(context: Context, process: Process | None, left: LeftRunning | None) -> str:
    """What speaks for it, where it is a helper that the system's own program started; else ""."""
    if process is None or left is None or not left.of_image:
        return ""
    parent = context.processes.get(process.parent) if process.parent is not None else None
    if parent is None:
        return ""
    for name, daemon in daemons().items():
        if left.program in daemon.programs and parent.exepath in daemon.started_by:
            return _SYSTEM.format(name=name, starter=parent.exepath)
    return ""


class _Waits:
    """What those that were left wait for, in words."""

    def __init__(self, context: Context) -> None:
        self._below: dict[int, list[tuple[str, LeftRunning]]] = {}
        for left in context.left.found[:_MAX_FOLLOWED]:
            process = context.process_at(left.pid, left.time_ns)
            if process is None or not left.waits or in_order(left.waits)[0].what == "child":
                continue
            for above in context.ancestors(process.key)[1:]:
                self._below.setdefault(above.key, []).append((process.name, left))

    def sentence(self, process: Process | None, left: LeftRunning) -> str:
        """As the rest of "it was left ..."; "" where nothing of it was seen."""
        if not left.waits:
            return ""
        below = self._below.get(process.key, ()) if process is not None else ()
        if in_order(left.waits)[0].what != "child" or not below:
            return waiting(left.waits)
        name, child = below[0]
        return f"waiting for {name}, which was {waiting(child.waits)}"


class _Descent:
    """Which command a process comes from, to tell what a command left from the command itself."""

    def __init__(self, context: Context) -> None:
        self._processes = context.processes
        self._runs = {
            process.key: run
            for run in context.runs
            if (process := context.process_at(run.pid, run.started_ns + _SLACK_NS)) is not None
        }
        self._known: dict[int, CommandRun | None] = {}

    def under_way(self, process: Process, time_ns: int) -> bool:
        """Whether the command that it comes from had not ended: what is killed at a deadline is no leftover."""
        run = self._run_of(process)
        return run is not None and time_ns < run.ended_ns

    def _run_of(self, process: Process) -> CommandRun | None:
        line: list[int] = []
        here: Process | None = process
        found: CommandRun | None = None
        while here is not None and here.key not in self._known:
            self._known[here.key] = None  # also ends a circle
            line.append(here.key)
            if here.key in self._runs:
                found = self._runs[here.key]
                break
            here = self._processes.get(here.parent) if here.parent is not None else None
        else:
            found = self._known.get(here.key) if here is not None else None
        self._known.update(dict.fromkeys(line, found))
        return found
