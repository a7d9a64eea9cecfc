"""Who did it: from a process back to the command that we started, and so to package and script.

The anchor is our own spawn: each command of a phase runs for one package (model.scan.Command), the sandbox
tells which process it started, and the sensor which process gave birth to which. What a process calls itself,
its environment, its parent after reparenting: none of it counts. So daemons, double forks, shells and
sessions of their own stay with the package that started them.

One thing descent cannot show: a package that changes files of another, whose script then runs them. The file
changes that the sensor saw do show it, and the writer is blamed.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from package_hunter.blame.descent import Descent
from package_hunter.blame.rewrites import Changes, Rewrite
from package_hunter.blame.starts import Starts
from package_hunter.model.ecosystem import Builds, Facts, derived
from package_hunter.model.observation import Blame, FileChange, Process
from package_hunter.model.scan import CommandRun, Package

_ALONE = ("install", "startup")  # phases whose commands run one package's own code, not its dependencies'
_OWN = ""  # a build of what was given
_MAX_WRITERS = 5  # of start-up files, named


class Blamer:
    """Answers who is to blame for what a process did, of one scan."""

    def __init__(
        self,
        runs: Sequence[CommandRun],
        processes: Sequence[Process],
        packages: Sequence[Package],
        files: Sequence[FileChange] = (),
    ) -> None:
        self._packages = {package.purl: package for package in packages}
        self._by_bare = {p.purl.split("@", 1)[0]: p.purl for p in reversed(packages)}  # without version
        runs = [self._with_version(run) for run in runs]
        self._runs = sorted(runs, key=lambda run: run.started_ns)
        self._latest_end = list(itertools.accumulate((run.ended_ns for run in self._runs), max))
        self._descent = Descent(runs, processes)
        self._changes = Changes(self._descent, packages, files, self._shells(processes))
        self._starts = Starts(self._descent, runs, packages)
        self._building: dict[int, str | None] = {}
        self._answers: dict[tuple[int, bool], Blame] = {}

    def blame(self, key: int | None, time_ns: int, pid: int | None = None) -> Blame | None:
        """Blame for what a process did at a time (ns since the epoch).

        ``key`` is the process's key; where only the host's ``pid`` is known, it is looked up by time. None
        where nothing was running that could be blamed.
        """
        process = self._descent.processes.get(key) if key is not None else None
        if process is None and pid is not None:
            process = self._descent.process_at(pid, time_ns)
        if process is None:
            return self._by_time(time_ns, pid or 0)
        run = self._descent.run_of(process)
        memo = (process.key, run is not None and time_ns > run.ended_ns)
        if memo not in self._answers:
            self._answers[memo] = self._blame(process, run, time_ns)
        return self._answers[memo]

    def _blame(self, process: Process, run: CommandRun | None, time_ns: int) -> Blame:
        if run is None:
            found = self._by_time(time_ns, process.pid)
            basis = "It descends from no command of ours."
            return found or Blame("unknown", None, (), None, process.pid, process.cmdline, basis, "tree")
        if run.command.because_of:
            return self._because(run.command.because_of, process, run)
        rewritten = self._changes.rewriter(process, run)
        if rewritten is not None:
            return self._rewritten(rewritten, process, run)
        if self._starts.asks(process):
            return self._by_starter(process, run)
        if (builds := _builds().get(run.command.script or "")) is not None:
            return self._build(process, run, builds)
        basis, confidence = self._basis(run, time_ns)
        return self._answer(run, process, basis, confidence)

    def _by_starter(self, process: Process, run: CommandRun) -> Blame:
        """For what was done where an interpreter was only asked what it is: start-up files of others did it."""
        purl, basis = self._starts.starter(process, run)
        if purl is None and (laid := self._changes.starter_laid_before(process)) is not None:
            return self._rewritten(laid, process, run)
        confidence = "likely" if purl is not None else "tree"
        pid, line = process.pid, process.cmdline
        return Blame(run.phase, purl, self._chain(purl), "startup", pid, line, basis, confidence)

    def _basis(self, run: CommandRun, time_ns: int) -> tuple[str, str]:
        command = run.command
        if run.phase == "fetch":
            return "It descends from the package manager while it fetched the tree.", "tree"
        late = " It outlived the script." if time_ns > run.ended_ns else ""
        if command.blame_purl is None:
            return f"It descends from the project's own {command.script}.{late}", "certain"
        package = self._packages.get(command.blame_purl)
        name = package.name if package is not None else command.blame_purl
        if run.phase not in _ALONE and (package is None or package.requires):
            return f"It descends from the process that loaded {name} with its dependencies.{late}", "likely"
        return f"It descends from the process that we started for {name}'s {command.script}.{late}", "certain"

    def _answer(self, run: CommandRun, process: Process, basis: str, confidence: str) -> Blame:
        purl = run.command.blame_purl
        return Blame(
            phase=run.phase,
            package=purl,
            path=self._chain(purl),
            script=run.command.script,
            pid=process.pid,
            cmdline=process.cmdline,
            basis=basis,
            confidence=confidence,
        )

    def _rewritten(self, found: Rewrite, process: Process, run: CommandRun) -> Blame:
        purl, script = found.writer.command.blame_purl, found.writer.command.script
        pid, cmdline = process.pid, process.cmdline
        return Blame(run.phase, purl, self._chain(purl), script, pid, cmdline, found.basis, found.confidence)

    def _because(self, paths: Sequence[str], process: Process, run: CommandRun) -> Blame:
        """What changed start-up files set off is on the account of who wrote them; of nobody, where several did: which
        of them it was, files that are read together do not say."""
        writers = {
            w.command.blame_purl: w for path in paths for w in self._changes.writers_of(path, run.started_ns)
        }
        pid, line = process.pid, process.cmdline
        if len(writers) != 1:
            who = " and ".join(self._changes.who(writer) for writer in list(writers.values())[:_MAX_WRITERS])
            said = f"which {who} had all written" if who else "and who wrote that is not on record"
            basis = f"It ran because {', '.join(paths[:_MAX_WRITERS])} had changed, {said}."
            return Blame(run.phase, None, (), run.command.script, pid, line, basis, "tree")
        ((purl, writer),) = writers.items()
        basis = f"It ran because of {paths[0]}, which {self._changes.who(writer)} had written."
        return Blame(run.phase, purl, self._chain(purl), writer.command.script, pid, line, basis, "certain")

    def _chain(self, purl: str | None) -> tuple[str, ...]:
        package = self._packages.get(purl) if purl is not None else None
        return package.chain if package is not None else ()

    def _by_time(self, time_ns: int, pid: int) -> Blame | None:
        """For what cannot be traced: the command that was running then, if it was one."""
        then = self._running(time_ns)
        if not then:
            return None
        run, alone = then[-1], len(then) == 1
        purl = run.command.blame_purl if alone else None
        script = run.command.script if alone else None
        basis = "Its process is not on record; this command was running at that time."
        confidence = "likely" if purl is not None else "tree"
        return Blame(run.phase, purl, self._chain(purl), script, pid, "", basis, confidence)

    def _running(self, time_ns: int) -> list[CommandRun]:
        """The last two commands (or fewer) that were running at that time, in the order of their starts."""
        found: list[CommandRun] = []
        at = bisect_right(self._runs, time_ns, key=lambda run: run.started_ns) - 1
        while at >= 0 and self._latest_end[at] >= time_ns and len(found) < 2:
            if self._runs[at].ended_ns >= time_ns:
                found.append(self._runs[at])
            at -= 1
        return found[::-1]

    def _build(self, process: Process, run: CommandRun, facts: Facts) -> Blame:
        """Of all that one command of a manager builds, the package whose build this is.

        The first process below the manager's own that it started in a build folder counts: the folder carries the
        package's name, and the manager itself chose it. The manager's own doing is the whole tree's.
        """
        builds = facts.builds
        assert builds is not None
        find = partial(self._build_of, facts, builds)
        name = self._descent.inherit(process, self._building, find)
        pid, cmdline = process.pid, process.cmdline
        if name is None:
            laid = self._changes.starter_laid_before(process)
            if laid is not None and laid.writer.command.blame_purl != run.command.blame_purl:
                return self._rewritten(laid, process, run)
            basis = f"It descends from {builds.program} while it installed the tree."
            return Blame(run.phase, None, (), builds.script, pid, cmdline, basis, "tree")
        if name == _OWN:
            basis = f"It descends from the process that {builds.program} started to build what was given."
            return self._answer(run, process, basis, "certain")
        bare = f"pkg:{facts.purl_type}/{name}"
        purl = self._by_bare.get(bare, bare)
        basis = f"It descends from the process that {builds.program} started to build {name}."
        return Blame(run.phase, purl, self._chain(purl), "build", pid, cmdline, basis, "likely")

    def _with_version(self, run: CommandRun) -> CommandRun:
        """With the version that the install showed: a command is made before that is known, and a package must be
        known as itself, whichever of its commands it was."""
        purl = run.command.blame_purl
        known = self._by_bare.get(purl) if purl is not None and purl not in self._packages else None
        return run if known is None else replace(run, command=replace(run.command, blame_purl=known))

    def _build_of(self, facts: Facts, builds: Builds, item: Process, above: str | None) -> str | None:
        if above is not None or item.key in self._descent.anchors:
            return above
        for text in (item.cwd, item.cmdline):
            hit = re.search(builds.folder, text)
            if hit is not None and hit[1] == builds.given:
                return _OWN
            if hit is not None and hit[2] is not None:
                return facts.normal(hit[2])
        return _OWN if re.search(builds.hook, item.cmdline) else None

    def _shells(self, processes: Iterable[Process]) -> dict[int, list[str]]:
        """Anchor key -> command lines of the shells that are its own children."""
        found: dict[int, list[str]] = defaultdict(list)
        for process in processes:
            if process.parent in self._descent.anchors:
                lines = (*process.execs, process.cmdline)
                found[process.parent] += [line for line in lines if " -c " in line]
        return found


@derived
def _builds(known: tuple[Facts, ...]) -> Mapping[str, Facts]:
    """Which ecosystem's builds a command starts by itself, by its script."""
    return {one.builds.script: one for one in known if one.builds is not None}
