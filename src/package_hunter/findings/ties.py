"""What ties the steps of a combination together: which process did them, and where that one comes from.

Two acts of one package are not one deed. A program that was downloaded and run, and a helper that was left
running, may have nothing to do with each other; so each such signal is told what its own line of processes did.
A fact is set only where it is known: what cannot be told excuses nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from package_hunter.findings.context import Context
from package_hunter.findings.signals import Signal

# the next morning's occasions that come by themselves: not a command that somebody calls, nor a task that is chosen
_BY_ITSELF = frozenset({"login", "source", "cron", "unit", "autostart", "python", "npm"})


class _Lines:
    """Where the signals' processes stand in the forest of processes."""

    def __init__(self, signals: Sequence[Signal], context: Context) -> None:
        self._context = context
        self._detached = _keys(signals, "detached")
        self._hidden = _keys([s for s in signals if s.facts.get("hidden")], "dropped_executable")
        self._shells = _keys(signals, "reverse_shell")
        self._above_detached = context.above(self._detached)
        self._told: dict[str, int] = {}  # host -> when it was first told about this machine
        for signal in signals:
            if signal.kind == "host_facts_sent":
                self._told.setdefault(signal.subject, signal.time_ns)

    def of_executed(self, signal: Signal) -> dict[str, Any]:
        """Of something that was downloaded and run."""
        line = self._context.line(signal.process)
        facts = {"facts_told_first": self._told.get(signal.subject, signal.time_ns + 1) <= signal.time_ns}
        if line is None:
            return facts
        return facts | {
            "from_hidden": not self._hidden.isdisjoint(line),
            "by_shell": not self._shells.isdisjoint(line),
            "left_running": self._left_running(signal, line),
            "at_start": any(map(self._starts_by_itself, line)),
        }

    def _starts_by_itself(self, key: int) -> bool:
        """Whether the process is the command that set a start-up file off which was changed."""
        run = self._context.firsts.get(key)
        return run is not None and bool(run.command.because_of) and run.command.argv[-2] in _BY_ITSELF

    def of_program(self, signal: Signal) -> dict[str, Any]:
        """Of a program that was put somewhere and started."""
        line = self._context.line(signal.process)
        return {} if line is None else {"left_running": self._left_running(signal, line)}

    def _left_running(self, signal: Signal, line: frozenset[int]) -> bool:
        return not self._detached.isdisjoint(line) or signal.process in self._above_detached


def _keys(signals: Sequence[Signal], kind: str) -> frozenset[int]:
    return frozenset(s.process for s in signals if s.kind == kind and s.process is not None)


def tied(signals: Sequence[Signal], context: Context) -> Iterator[Signal]:
    """The signals with their processes and roots, and with facts about what their processes' lines did."""
    placed = [_placed(signal, context) for signal in signals]
    lines = _Lines(placed, context)
    for signal in placed:
        if signal.kind == "remote_code_execution":
            yield replace(signal, facts={**lines.of_executed(signal), **signal.facts})
        elif signal.kind == "dropped_executable":
            yield replace(signal, facts={**lines.of_program(signal), **signal.facts})
        else:
            yield signal


def _placed(signal: Signal, context: Context) -> Signal:
    process = signal.process
    if process is None:
        process = context.key_of(signal.blame, signal.time_ns)
    return replace(signal, process=process, root=context.root_of(process))
