"""Which process had a pid at a time: the one answer for blame, findings and everybody else.

Pids are reused, so a pid alone names nobody. A process has its pid in a half-open interval: from its start up to,
not including, its end, or the start of the next process that was given the number, whichever comes first.
Clocks are read beside the events, not in them: so both ends are widened by what was measured (see the two
constants), never into another process's time. A pid that nobody on record had at that time is unknown, and stays
unknown: no neighbour in time is taken for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable

from package_hunter.model.observation import Process
from package_hunter.model.scan import CommandRun

START_SLACK_NS = 1_000_000  # a child's first event may stand before its parent's fork is done
END_SLACK_NS = 5_000_000_000  # the gateway's record of an exchange may be written after the process is gone
_CLOCK_SLACK_NS = 2_000_000_000  # the sandbox's clock readings of a command lie around the fork, not on it


class Pids:
    """The processes of one scan by pid (the host's) and time (ns since the epoch)."""

    def __init__(self, processes: Iterable[Process]) -> None:
        self._by_pid: dict[int, list[Process]] = defaultdict(list)
        for process in sorted(processes, key=lambda item: item.started_ns):
            self._by_pid[process.pid].append(process)

    def process_at(self, pid: int, time_ns: int) -> Process | None:
        """The process that had this pid then; None where none on record had."""
        known = self._by_pid.get(pid, [])
        at = bisect_right(known, time_ns + START_SLACK_NS, key=lambda item: item.started_ns)
        if not at:
            return None
        found = known[at - 1]
        gone = found.ended_ns is not None and time_ns >= found.ended_ns + END_SLACK_NS
        return None if gone else found

    def first_of(self, run: CommandRun, but: Container[int] = ()) -> Process | None:
        """The process that a command was started as: of those that had its pid while it ran, the one whose start
        is nearest to the command's. ``but`` are keys that it cannot be."""
        first, last = run.started_ns - _CLOCK_SLACK_NS, run.ended_ns + _CLOCK_SLACK_NS
        alive = (
            process
            for process in self._by_pid.get(run.pid, [])
            if process.started_ns <= last
            and (process.ended_ns is None or process.ended_ns >= first)
            and process.key not in but
        )
        return min(alive, key=lambda process: abs(process.started_ns - run.started_ns), default=None)
