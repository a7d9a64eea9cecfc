"""Which of a phase's limited loads are begun: no package's loads that hang take the time of another's.

All share the time that the depth gives (``Command.within``). A package that has used less than an equal part of it may
begin in any case, so a module that sleeps keeps no other package's command from being looked at. And a load that had to
be stopped counts for a tenth of the time at most, so three of them do not hide what else the same package brings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from package_hunter.model.scan import Command, CommandRun

_HUNG = 0.1  # of the time: what a load that was stopped counts for at most
_NS = 1e9


class Share:
    """The time of one phase's limited loads, seconds."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._parts = len({c.blame_purl for c in commands if c.within is not None}) or 1
        self._spent: dict[str | None, float] = defaultdict(float)

    def allows(self, command: Command) -> bool:
        """Whether it is begun; what has no limit always is."""
        if command.within is None:
            return True
        own = self._spent[command.blame_purl]
        return own < command.within / self._parts or sum(self._spent.values()) < command.within

    def count(self, command: Command, run: CommandRun) -> None:
        """Count what a limited load took."""
        if command.within is None:
            return
        seconds = (run.ended_ns - run.started_ns) / _NS
        if run.exit_code is None:
            seconds = min(seconds, command.within * _HUNG)
        self._spent[command.blame_purl] += seconds
