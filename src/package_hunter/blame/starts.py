"""Starts of an interpreter that nobody's build asked for: before uv builds or installs a package, it asks the
environment's interpreter what it is, and that runs the start-up files (``.pth``) of all that was installed before. Of
the package whose turn it is no code has run by then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from package_hunter.blame.descent import Descent
from package_hunter.model import owners
from package_hunter.model.ecosystem import Builds, Facts, derived, runs_at_start
from package_hunter.model.observation import Process
from package_hunter.model.scan import CommandRun, Package


class Starts:
    """Which processes descend from such a question, and whose start-up file it may have been."""

    def __init__(self, descent: Descent, runs: Sequence[CommandRun], packages: Sequence[Package]) -> None:
        self._descent, self._packages = descent, packages
        self._asking: dict[int, bool | None] = {}
        self._installed = {run.command.blame_purl: run.ended_ns for run in runs if run.phase == "install"}

    def asks(self, process: Process) -> bool:
        """Whether a process is a question of the manager's own, or descends from one."""
        found: bool | None = self._descent.inherit(process, self._asking, self._asks)
        return bool(found)

    def _asks(self, item: Process, above: bool | None) -> bool | None:
        return above or self._is(item)

    def starter(self, process: Process, run: CommandRun) -> tuple[str | None, str]:
        """The package (purl) whose start-up file ran, where it can be one only, and the basis of that."""
        basis = (
            "It descends from an interpreter that was only asked what it is, which runs all start-up files"
        )
        found = [package for package in self._packages if self._was_there(package, process.started_ns, run)]
        if len(found) == 1:
            return found[0].purl, f"{basis}; only {found[0].name} had one."
        of = f" (of {owners.names(found)})" if found else ""
        return None, f"{basis}{of}; whose it was is not known."

    def _is(self, item: Process) -> bool:
        """Of our command's own manager, and nothing else since: a build that gives itself such a line had another."""
        parent = self._descent.processes.get(item.parent or 0)
        if parent is None or not {parent.key, parent.parent} & self._descent.anchors.keys():
            return False
        question = _questions().get(parent.exepath)
        own = (*item.execs[1:], item.cmdline)  # before: its parent's, from whom it was forked
        return question is not None and all(re.fullmatch(question.question, line) for line in own)

    def _was_there(self, package: Package, time_ns: int, run: CommandRun) -> bool:
        if package.purl == run.command.blame_purl or self._installed.get(package.purl, 0) > time_ns:
            return False
        return any(map(runs_at_start, package.places))


@derived
def _questions(known: tuple[Facts, ...]) -> Mapping[str, Builds]:
    """Program that asks -> how."""
    return {
        program: one.builds
        for one in known
        if one.builds is not None and one.builds.question
        for program in one.fetch_programs
    }
