"""Descent: which command of ours a process comes from, in time linear in the number of processes.

Chains of parents can be as long as an attacker likes (each generation forks the next and ends), and must not
end blame: so what a process inherits is handed down once and kept, and no depth limit applies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from package_hunter.model.observation import Process
from package_hunter.model.processes import Pids
from package_hunter.model.scan import CommandRun

T = TypeVar("T")


class Descent:
    """The processes of a scan as a forest whose roots are the commands' first processes."""

    def __init__(self, runs: Sequence[CommandRun], processes: Sequence[Process]) -> None:
        self.processes = {process.key: process for process in processes}
        self._pids = Pids(processes)
        self.anchors = self._find_anchors(sorted(runs, key=lambda run: run.started_ns))
        self._runs: dict[int, CommandRun | None] = {}

    def process_at(self, pid: int, time_ns: int) -> Process | None:
        """The process that had this pid of the host at that time (model.processes)."""
        return self._pids.process_at(pid, time_ns)

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
            first = self._pids.first_of(run, but=anchors)
            if first is not None:
                anchors[first.key] = run
        return anchors
