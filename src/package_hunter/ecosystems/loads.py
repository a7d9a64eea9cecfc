"""What became of the loads of an import: one sentence for all that failed, with why, and one for what was not tried."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from package_hunter.model.scan import Command, CommandRun, Phase
from package_hunter.model.text import shortened

_MAX_CAUSES, _MAX_NAMED, _MAX_CAUSE = 5, 3, 160
# “TypeError: …” of Python and node (theirs may have a code in brackets), “… (LoadError)” of Ruby.
_CAUSE = re.compile(
    r"^(?:Uncaught )?(?:[\w.$]*(?:Error|Exception|Exit|Interrupt)(?: \[\w+\])?(?:: .+)?|\S.*\([\w:]*Error\))$",
    re.M,
)


def failed(runs: Sequence[CommandRun]) -> Iterator[str]:
    """The one sentence about loads that failed; none where none did. What failed for the same cause stands
    together."""
    tried = [run for run in runs if run.phase not in ("fetch", "install") and run.scan_seconds is None]
    by_cause: dict[str, list[str]] = defaultdict(list)
    for run in tried:
        if run.exit_code != 0:
            by_cause[cause(run)].append(_step(run.command))
    count = sum(map(len, by_cause.values()))
    if not count:
        return
    parts = [f"{_some(steps)}: {why}" for why, steps in list(by_cause.items())[:_MAX_CAUSES]]
    parts += [f"{len(by_cause) - _MAX_CAUSES} other causes"] if len(by_cause) > _MAX_CAUSES else []
    yield f"{count} of {len(tried)} loads ended with an error: {'; '.join(parts)}."


def not_tried(planned: Mapping[str, Phase], runs: Sequence[CommandRun]) -> Iterator[str]:
    """The sentences about loads that the budget of their phase left no time for, or only together; none where each
    was tried."""
    for name, phase in planned.items():
        limited = [command for command in phase.commands if command.within is not None]
        mine = [run.command for run in runs if run.phase == name]
        done = sum(command.within is not None for command in mine)
        joined = sum(command.joined for command in mine)
        if joined:
            yield (
                f"{joined} of {len(limited)} sub-modules were loaded together, in one process for each package: the "
                f"time to load them apart ({limited[0].within:g} s) was over."
            )
        if runs and (left := len(limited) - done - joined) > 0:
            yield (
                f"{left} of {len(limited)} sub-modules and commands were not loaded: the time for them "
                f"({limited[0].within:g} s) was over."
            )


def cause(run: CommandRun) -> str:
    """Why a load failed, in the words of its interpreter: untrusted text, on one line, not long."""
    if run.exit_code is None:
        return f"still running after {run.command.timeout:.0f} s and stopped"
    tail = run.output_tail
    told = [hit[0] for hit in _CAUSE.finditer(tail)]
    if not told:
        return f"exit code {run.exit_code}"
    # Python tells the stack first and what led to what in order; node and Ruby begin with the cause.
    words = told[-1] if "Traceback (most recent call last)" in tail else told[0]
    return "".join(c if c.isprintable() else " " for c in words).strip()[:_MAX_CAUSE]


def _step(command: Command) -> str:
    return f"{shortened(command.script or 'command')} of {shortened(command.blame_purl or 'the project')}"


def _some(steps: Sequence[str]) -> str:
    more = len(steps) - _MAX_NAMED
    return ", ".join(steps[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
