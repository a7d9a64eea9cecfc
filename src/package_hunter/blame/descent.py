"""Descent: which command of ours a process comes from, in time linear in the number of processes.

Chains of parents can be as long as an attacker likes (each generation forks the next and ends), and must not
end blame: so what a process inherits is handed down once and kept, and no depth limit applies.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from package_hunter.model.observation import Process
from package_hunter.model.scan import CommandRun

T = TypeVar("T")
_CLOCK_SLACK_NS = 2_000_000_000  # the sandbox's clock readings lie around the fork, not on it
_START_SLACK_NS = 1_000_000  # a child's first event may stand before its parent's fork is done


class Descent:
    """The processes of a scan as a forest whose roots are the commands' first processes."""

    def __init__(self, runs: Sequence[CommandRun], processes: Sequence[Process]) -> None:
        self.processes = {process.key: process for process in processes}
        self._by_pid: dict[int, list[Process]] = defaultdict(list)
        for process in sorted(processes, key=lambda item: item.started_ns):
            self._by_pid[process.pid].append(process)
        self.anchors = self._find_anchors(sorted(runs, key=lambda run: run.started_ns))
        self._runs: dict[int, CommandRun | None] = {}

    def process_at(self, pid: int, time_ns: int) -> Process | None:
        """The process that had this pid of the host at that time."""
        known = self._by_pid.get(pid, [])
        at = bisect_right(known, time_ns + _START_SLACK_NS, key=lambda item: item.started_ns)
        return known[at - 1] if at else (known[0] if known else None)

    def run_of(self, process: Process) -> CommandRun | None:
        """The command that a process descends from."""
        return self.inherit(process, self._runs, lambda item, above: self.anchors.get(item.key) or above)

    def inherit(
        self, process: Process, known: dict[int, T | None], of: Callable[[Process, T | None], T | None]
    ) -> T | None:
        """What a process has by ``of(process, what its parent has)``, from the anchor down; kept in
        ``known``."""
        line: list[Process] = []
        here: Process | None = process
        seen: set[int] = set()
        while here is not None and here.key not in known and here.key not in seen:
            seen.add(here.key)
            line.append(here)
            is_root = here.key in self.anchors or here.parent is None
            here = None if is_root else self.processes.get(here.parent or 0)
        above = known.get(here.key) if here is not None else None
        for item in reversed(line):
            above = known[item.key] = of(item, above)
        return above

    def _find_anchors(self, runs: Sequence[CommandRun]) -> dict[int, CommandRun]:
        """Process key -> the command that it is the first process of."""
        anchors: dict[int, CommandRun] = {}
        for run in runs:
            alive = [
                process
                for process in self._by_pid.get(run.pid, [])
                if process.started_ns <= run.ended_ns + _CLOCK_SLACK_NS
                and (process.ended_ns is None or process.ended_ns >= run.started_ns - _CLOCK_SLACK_NS)
                and process.key not in anchors
            ]
            if alive:
                first = min(alive, key=lambda process: abs(process.started_ns - run.started_ns))
                anchors[first.key] = run
        return anchors
