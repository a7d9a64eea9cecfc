"""Which of a phase's limited loads are begun: no package's loads that hang take the time of another's.

All share the time that the depth gives (``Command.within``). A package that has used less than an equal part of it may
begin in any case, so a module that sleeps keeps no other package's command from being looked at. And a load that had to
be stopped counts for a tenth of the time at most, so three of them do not hide what else the same package brings.

What is not begun is loaded after all, all of one package in one process: less can be told of it (one module may end or
mislead the others), but it is not unseen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from package_hunter.model.scan import Command, CommandRun

_TOGETHER = 1 / 3  # of the time, once more, for what is loaded together
_HUNG = 0.1  # of the time: what a load that was stopped counts for at most
_NS = 1e9


class Share:
    """The time of one phase's limited loads, seconds."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._parts = len({c.blame_purl for c in commands if c.within is not None}) or 1
        self._spent: dict[str | None, float] = defaultdict(float)
        self._left: list[Command] = []
        self._joined = 0.0

    def rest(self) -> Iterator[Command]:
        """What was not begun and can be loaded together, a command for each package, the first one's first."""
        groups: dict[tuple[str | None, tuple[str, ...], str], list[Command]] = defaultdict(list)
        for command in self._left:
            if command.together:
                groups[command.blame_purl, command.together, command.cwd].append(command)
        seconds = max((command.within or 0.0 for command in self._left), default=0.0) * _TOGETHER
        for (_, together, _), members in groups.items():
            if self._joined >= seconds:
                return
            yield replace(
                members[0],
                argv=(*together, *(member.item for member in members)),
                timeout=min(members[0].timeout, seconds - self._joined),
                script=f"{len(members)} further modules",
                within=None,
                joined=len(members),
            )

    def allows(self, command: Command) -> bool:
        """Whether it is begun; what has no limit always is."""
        if command.within is None:
            return True
        own = self._spent[command.blame_purl]
        if own < command.within / self._parts or sum(self._spent.values()) < command.within:
            return True
        self._left.append(command)
        return False

    def count(self, command: Command, run: CommandRun) -> None:
        """Count what a limited load took, or those that were done together."""
        seconds = (run.ended_ns - run.started_ns) / _NS
        if command.joined:
            self._joined += seconds
        if command.within is None:
            return
        if run.exit_code is None:
            seconds = min(seconds, command.within * _HUNG)
        self._spent[command.blame_purl] += seconds
