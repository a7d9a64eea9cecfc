"""Who did it: from a process back to the command that we started, and so to package and script.

The anchor is our own spawn: each command of a phase runs for one package (model.scan.Command), the sandbox
tells which process it started, and the sensor which process gave birth to which. What a process calls itself,
its environment, its parent after reparenting: none of it counts. So daemons, double forks, shells and
sessions of their own stay with the package that started them.

One thing descent cannot show: a package that changes files of another, whose script then runs them. The file
changes that the sensor saw do show it, and the writer is blamed.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from package_hunter.model.observation import Blame, FileChange, Process, SocketUse
from package_hunter.model.scan import CommandRun, Package

_PIP_BUILD = re.compile(
    r"/pip-(install|req-build|wheel|download)-\w{8}(?:/([A-Za-z0-9._-]+?)_[0-9a-f]{32})?(?=[/'\"\s]|$)"
)
_SLACK_NS = 2_000_000_000  # the sandbox's clock readings lie around the fork, not on it
_MAX_DEPTH = 4_096  # of a chain of parents


class Blamer:
    """Answers who is to blame for what a process did, of one scan."""

    def __init__(
        self,
        runs: Sequence[CommandRun],
        processes: Sequence[Process],
        packages: Sequence[Package],
        files: Sequence[FileChange] = (),
    ) -> None:
        self._runs = sorted(runs, key=lambda run: run.started_ns)
        self._processes = {process.key: process for process in processes}
        self._by_pid: dict[int, list[Process]] = defaultdict(list)
        for process in sorted(processes, key=lambda item: item.started_ns):
            self._by_pid[process.pid].append(process)
        self._by_purl = {package.purl: package for package in packages}
        self._folders = sorted(
            ((package.path.rstrip("/"), package.purl) for package in packages if package.path), reverse=True
        )
        self._anchors = self._find_anchors()
        self._owner_cache: dict[int, CommandRun | None] = {}
        self._changes = self._changes_by_path(files)
        self._foreign = self._foreign_changes()
        self._answers: dict[tuple[int, bool], Blame] = {}

    def blame(self, key: int | None, time_ns: int, pid: int | None = None) -> Blame | None:
        """Blame for what a process did at a time (ns since the epoch).

        ``key`` is the process's key; where only the host's ``pid`` is known, it is looked up by time. None
        where nothing was running that could be blamed.
        """
        process = self._processes.get(key) if key is not None else None
        if process is None and pid is not None:
            process = self.process_at(pid, time_ns)
        if process is None:
            return self._by_time(time_ns, pid or 0)
        run = self._run_of(process)
        memo = (process.key, run is not None and time_ns > run.ended_ns)
        if memo not in self._answers:
            self._answers[memo] = self._blame(process, time_ns)
        return self._answers[memo]

    def process_at(self, pid: int, time_ns: int) -> Process | None:
        """The process that had this pid of the host at that time."""
        known = self._by_pid.get(pid, [])
        at = bisect_right(known, time_ns + _SLACK_NS // 100, key=lambda item: item.started_ns)
        return known[at - 1] if at else (known[0] if known else None)

    def _blame(self, process: Process, time_ns: int) -> Blame:
        run = self._run_of(process)
        if run is None:
            found = self._by_time(time_ns, process.pid)
            return found or self._answer(None, process, "It descends from no command of ours.", "tree")
        rewritten = self._rewriter(process, run)
        if rewritten is not None:
            writer, basis, confidence = rewritten
            return self._answer(writer, process, basis, confidence, phase=run.phase)
        built = self._built(process, run)
        if built is not None:
            return built
        return self._answer(run, process, *self._basis(run, process, time_ns))

    def _built(self, process: Process, run: CommandRun) -> Blame | None:
        """The package whose build this is, where one command (pip) builds many.

        The first process below pip's own that pip started in a build folder counts: the folder carries the
        package's name, and pip itself chose it. pip's own doing is the whole tree's.
        """
        if run.command.script != "pip install":
            return None
        for item in list(self._line(process))[-2::-1]:
            hit = _PIP_BUILD.search(item.cwd) or _PIP_BUILD.search(item.cmdline)
            if hit is not None and hit[1] == "req-build":
                basis = "It descends from the process that pip started to build what was given."
                return self._answer(run, process, basis, "certain")
            if hit is not None and hit[2] is not None:
                return self._pip_build(re.sub(r"[-_.]+", "-", hit[2]).lower(), process, run)
        basis = "It descends from pip while it installed the tree."
        return Blame(run.phase, None, (), "pip install", process.pid, process.cmdline, basis, "tree")

    def _pip_build(self, name: str, process: Process, run: CommandRun) -> Blame:
        package = next((item for purl, item in self._by_purl.items() if _pypi_name(purl) == name), None)
        return Blame(
            run.phase,
            package.purl if package is not None else f"pkg:pypi/{name}",
            package.chain if package is not None else (),
            "build",
            process.pid,
            process.cmdline,
            f"It descends from the process that pip started to build {name}.",
            "likely",
        )

    def _basis(self, run: CommandRun, process: Process, time_ns: int) -> tuple[str, str]:
        command = run.command
        if run.phase == "fetch":
            return "It descends from the package manager while it fetched the tree.", "tree"
        late = " It outlived the script." if time_ns > run.ended_ns else ""
        if command.blame_purl is None:
            return f"It descends from the project's own {command.script}.{late}", "certain"
        name = self._name(command.blame_purl)
        if run.phase not in ("install", "startup") and self._has_dependencies(command.blame_purl):
            return f"It descends from the process that loaded {name} with its dependencies.{late}", "likely"
        return f"It descends from the process that we started for {name}'s {command.script}.{late}", "certain"

    def _answer(
        self, run: CommandRun | None, process: Process, basis: str, confidence: str, phase: str | None = None
    ) -> Blame:
        purl = run.command.blame_purl if run is not None else None
        package = self._by_purl.get(purl) if purl is not None else None
        return Blame(
            phase=phase or (run.phase if run is not None else "unknown"),
            package=purl,
            path=package.chain if package is not None else (),
            script=run.command.script if run is not None else None,
            pid=process.pid,
            cmdline=process.cmdline,
            basis=basis,
            confidence=confidence,
        )

    def _by_time(self, time_ns: int, pid: int) -> Blame | None:
        """For what cannot be traced: the commands that were running then."""
        then = [run for run in self._runs if run.started_ns <= time_ns <= run.ended_ns]
        if not then:
            return None
        run = then[-1]
        purl = run.command.blame_purl if len(then) == 1 else None
        package = self._by_purl.get(purl) if purl is not None else None
        return Blame(
            run.phase,
            purl,
            package.chain if package is not None else (),
            run.command.script if len(then) == 1 else None,
            pid,
            "",
            "Its process is not on record; this command was running at that time.",
            "likely" if purl is not None else "tree",
        )

    def _find_anchors(self) -> dict[int, CommandRun]:
        """Process key -> the command that it is the first process of."""
        anchors: dict[int, CommandRun] = {}
        for run in self._runs:
            alive = [
                process
                for process in self._by_pid.get(run.pid, [])
                if process.started_ns <= run.ended_ns + _SLACK_NS
                and (process.ended_ns is None or process.ended_ns >= run.started_ns - _SLACK_NS)
                and process.key not in anchors
            ]
            if alive:
                first = min(alive, key=lambda process: abs(process.started_ns - run.started_ns))
                anchors[first.key] = run
        return anchors

    def _line(self, process: Process) -> Iterator[Process]:
        """The process and its parents at birth, up to and with the anchor (or as far as is known)."""
        here: Process | None = process
        for _ in range(_MAX_DEPTH):
            if here is None:
                return
            yield here
            if here.key in self._anchors or here.parent is None:
                return
            here = self._processes.get(here.parent)

    def _run_of(self, process: Process) -> CommandRun | None:
        if process.key not in self._owner_cache:
            found = [self._anchors.get(item.key) for item in self._line(process)]
            self._owner_cache[process.key] = found[-1] if found else None
        return self._owner_cache[process.key]

    # A package that rewrites another's files

    def _changes_by_path(self, files: Iterable[FileChange]) -> dict[str, list[FileChange]]:
        found: dict[str, list[FileChange]] = defaultdict(list)
        for change in sorted(files, key=lambda item: item.time_ns):
            if change.action == "deleted":
                continue
            path = change.other_path if change.action == "renamed" and change.other_path else change.path
            found[path].append(change)
        return found

    def _foreign_changes(self) -> dict[str, list[tuple[str, FileChange, CommandRun]]]:
        """purl -> changes of that package's files by a script that is not its own."""
        found: dict[str, list[tuple[str, FileChange, CommandRun]]] = defaultdict(list)
        for path, changes in self._changes.items():
            owner = self.package_of(path)
            for change in changes if owner is not None else ():
                run = self._writer(change)
                if owner is not None and run is not None and run.command.blame_purl != owner:
                    found[owner].append((path, change, run))
        return found

    def _writer(self, change: FileChange) -> CommandRun | None:
        process = self._processes.get(change.process)
        run = self._run_of(process) if process is not None else None
        return run if run is not None and run.phase != "fetch" else None

    def package_of(self, path: str) -> str | None:
        """The purl of the package in whose folder a path lies (the innermost)."""
        for folder, purl in self._folders:
            if path.startswith(f"{folder}/"):
                return purl
        return None

    def _rewriter(self, process: Process, run: CommandRun) -> tuple[CommandRun, str, str] | None:
        """The command whose package wrote what this one ran."""
        line = list(self._line(process))
        for item in line[:-1] if len(line) > 1 else line:
            for path in _files_run(item):
                writer = self._last_writer(path, item.started_ns, run)
                if writer is not None:
                    who = self._who(writer)
                    return writer, f"It ran {path}, which {who} had written.", "certain"
        return self._rewritten_package(process, run)

    def _last_writer(self, path: str, before_ns: int, run: CommandRun) -> CommandRun | None:
        earlier = [change for change in self._changes.get(path, ()) if change.time_ns <= before_ns]
        writer = self._writer(earlier[-1]) if earlier else None
        if writer is None or writer.command.blame_purl == run.command.blame_purl:
            return None
        return writer

    def _rewritten_package(self, process: Process, run: CommandRun) -> tuple[CommandRun, str, str] | None:
        purl = run.command.blame_purl
        package = self._by_purl.get(purl) if purl is not None else None
        if purl is None or package is None or run.phase == "fetch":
            return None
        for path, change, writer in self._foreign.get(purl, ()):
            if change.time_ns > process.started_ns:
                continue
            if path == f"{package.path}/package.json" and self._runs_changed_script(process, run, package):
                basis = f"{self._who(writer)} had rewritten the {run.command.script} script in {path}."
                return writer, basis, "certain"
            if path.endswith((".js", ".cjs", ".mjs", ".node", ".json", ".so", ".py", ".wasm", ".sh")):
                step = f"{package.name}'s {run.command.script}"
                basis = f"{self._who(writer)} had changed {path} before {step} ran."
                return writer, basis, "likely"
        return None

    def _runs_changed_script(self, process: Process, run: CommandRun, package: Package) -> bool:
        """Whether the shell below the anchor runs another line than the script had after the fetch."""
        known = package.scripts.get(run.command.script or "")
        line = list(self._line(process))
        shells = [text for item in line for text in (item.cmdline, *item.execs) if " -c " in text]
        return not any(known is not None and known in text for text in shells)

    def _who(self, run: CommandRun) -> str:
        purl = run.command.blame_purl
        return f"{self._name(purl) if purl is not None else 'the project'}'s {run.command.script}"

    def _name(self, purl: str) -> str:
        package = self._by_purl.get(purl)
        return package.name if package is not None else purl

    def _has_dependencies(self, purl: str) -> bool:
        package = self._by_purl.get(purl)
        return package is None or bool(package.requires)


class Ports:
    """Ties what the gateway recorded to a process, by the box's own port of the connection."""

    def __init__(self, sockets: Iterable[SocketUse]) -> None:
        self._uses: dict[tuple[str, int], list[SocketUse]] = defaultdict(list)
        for use in sorted(sockets, key=lambda item: item.time_ns):
            self._uses[use.protocol, use.local_port].append(use)

    def use(self, peer_port: int, protocol: str, time_ns: int) -> SocketUse | None:
        """The socket use that best fits a record of the gateway: the last one from that port until then
        (with a little slack), else the first one after it."""
        known = self._uses.get((protocol, peer_port), [])
        at = bisect_right(known, time_ns + _SLACK_NS // 20, key=lambda item: item.time_ns)
        return known[at - 1] if at else (known[0] if known else None)


def blame_port(blamer: Blamer, ports: Ports, peer_port: int, protocol: str, time_ns: int) -> Blame | None:
    """Blame for a record of the gateway; None where no socket use was seen from that port."""
    use = ports.use(peer_port, protocol, time_ns)
    return blamer.blame(use.process, time_ns) if use is not None else None


def _pypi_name(purl: str) -> str:
    return purl.removeprefix("pkg:pypi/").split("@", 1)[0] if purl.startswith("pkg:pypi/") else ""


def _files_run(process: Process) -> Iterator[str]:
    """Absolute paths of the programs and script files that a process ran."""
    if process.exepath.startswith("/"):
        yield process.exepath
    for text in (process.cmdline, *process.execs):
        for word in text.split()[:64]:
            if word.startswith("/"):
                yield posixpath.normpath(word)
            elif "/" in word or word.endswith((".js", ".cjs", ".mjs", ".py", ".sh", ".rb")):
                yield posixpath.normpath(f"{process.cwd.rstrip('/')}/{word}")
