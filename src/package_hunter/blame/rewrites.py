"""Packages that rewrite other packages' files: who had written what a process ran."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from package_hunter.blame.descent import Descent
from package_hunter.model import owners
from package_hunter.model.ecosystem import Facts, derived, runs_at_start
from package_hunter.model.observation import FileChange, Process
from package_hunter.model.scan import CommandRun, Package

_CODE = (".js", ".cjs", ".mjs", ".node", ".json", ".so", ".py", ".pth", ".rb", ".wasm", ".sh")
_SCRIPTS = (".js", ".cjs", ".mjs", ".py", ".sh", ".rb")
_SITE = re.compile(r".*?/(?:site|dist)-packages/")
_IMPORT = re.compile(r"import ((?:\w{1,100}\.){0,32}\w{1,100})")  # as a plan's step is called
_MAX_WORDS = 64  # of a command line, looked at
_MAX_CHANGES = 100  # of one package's files by others, kept
_MAX_OWNERS = 16  # of one file, asked about a change of it


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What ran had been written by ``writer``'s package."""

    writer: CommandRun
    basis: str
    confidence: str


@dataclass(frozen=True, slots=True)
class _Foreign:
    """A file of ``owner`` (and of all of ``having``) that the command of somebody else changed."""

    path: str
    owner: Package
    having: tuple[Package, ...]
    change: FileChange
    writer: CommandRun

    @property
    def shared(self) -> str:
        """Who has it, where that is not one alone."""
        return f" (of {owners.names(self.having)} together)" if len(self.having) > 1 else ""


class Changes:
    """The file changes of a scan, by path and by the package whose file it is."""

    def __init__(
        self,
        descent: Descent,
        packages: Iterable[Package],
        files: Sequence[FileChange],
        shells: Mapping[int, list[str]],
    ) -> None:
        self._descent, self._shells = descent, shells
        every = tuple(packages)
        self._packages = {package.purl: package for package in every}
        self._owners = owners.Owners(every)
        self._anchor_of = {id(run): key for key, run in descent.anchors.items()}
        self._by_path: dict[str, list[tuple[FileChange, CommandRun]]] = defaultdict(list)
        self._foreign: dict[str, list[_Foreign]] = defaultdict(list)
        for change in sorted(files, key=lambda item: item.time_ns):
            self._add(change)
        self._laid = [
            (change.time_ns, path, run)
            for path, known in self._by_path.items()
            if _SITE.match(path) and runs_at_start(path)
            for change, run in known
            if all(owner.purl != run.command.blame_purl for owner in self._owners.of(path))
        ]
        self._ran: dict[int, Rewrite | None] = {}

    def rewriter(self, process: Process, run: CommandRun) -> Rewrite | None:
        """The command whose package wrote what this process (or one above it) ran, if it was another's."""
        ran = self._descent.inherit(process, self._ran, lambda item, above: self._ran_by(item, run) or above)
        return ran or self._shared(process, run) or self._changed_package(process, run)

    def starter_laid_before(self, process: Process) -> Rewrite | None:
        """Who had laid a start-up file among installed packages that is none of its own, where it was one only: each
        interpreter runs it."""
        found = {
            run.command.blame_purl: (path, run) for at, path, run in self._laid if at < process.started_ns
        }
        if len(found) != 1:
            return None
        ((path, writer),) = found.values()
        basis = (
            f"It descends from an interpreter, each of which runs {path}, which {self.who(writer)} had laid."
        )
        return Rewrite(writer, basis, "likely")

    def owners_of(self, path: str) -> tuple[Package, ...]:
        """See model.owners."""
        return self._owners.of(path)

    def _add(self, change: FileChange) -> None:
        process = self._descent.processes.get(change.process)
        run = self._descent.run_of(process) if process is not None else None
        if change.action == "deleted" or process is None or run is None or run.phase == "fetch":
            return
        if self._installs(process, run):
            return
        path = change.other_path if change.action == "renamed" and change.other_path else change.path
        self._by_path[path].append((change, run))
        having = self._owners.of(path)
        if any(owner.purl == run.command.blame_purl for owner in having):
            return
        for owner in having[:_MAX_OWNERS]:
            known = self._foreign[owner.purl]
            if len(known) < _MAX_CHANGES:
                known.append(_Foreign(path, owner, having, change, run))

    def _installs(self, process: Process, run: CommandRun) -> bool:
        """Whether a manager that installs for all puts files where they belong: it rewrites nobody's. What it starts,
        a build, is somebody's code and may."""
        command = run.command
        return (
            command.blame_purl is None
            and command.script in _installers()
            and process.key in self._descent.anchors
        )

    def _ran_by(self, process: Process, run: CommandRun) -> Rewrite | None:
        for path in _files_run(process):
            writer = self.writer_of(path, process.started_ns)
            if writer is not None and writer.command.blame_purl != run.command.blame_purl:
                return Rewrite(writer, f"It ran {path}, which {self.who(writer)} had written.", "certain")
        return None

    def _shared(self, process: Process, run: CommandRun) -> Rewrite | None:
        """Where loading a package's module runs a file that others bring, too: who wrote it last is who it is of."""
        package = self._packages.get(run.command.blame_purl or "")
        files = _module_files(package, run) if package is not None else []
        for number, path in enumerate(files):
            having = self._owners.brought_by(path)
            if package not in having or len(having) < 2:
                continue
            writer = self.writer_of(path, process.started_ns)
            purl = writer.command.blame_purl if writer is not None else None
            if purl == run.command.blame_purl:
                continue
            basis = f"It ran {path}, which {owners.names(having)} all bring"
            if writer is None or all(purl != owner.purl for owner in having):
                return Rewrite(run, f"{basis}; whose it is is not known.", "likely")
            basis = f"{basis}; {self._packages[purl or ''].name}'s was written last."
            only = number == len(files) - 1  # else files of its own ran with it
            return Rewrite(writer if only else run, basis, "likely")
        return None

    def writers_of(self, path: str, time_ns: int) -> list[CommandRun]:
        """Every command that had written the file at that time, in order."""
        known = self._by_path.get(path, [])
        return [run for change, run in known if change.time_ns <= time_ns]

    def writer_of(self, path: str, time_ns: int) -> CommandRun | None:
        """The command that had written the file last at that time (ns since the epoch), as far as it is on record."""
        known = self._by_path.get(path, [])  # in the order of time
        at = bisect_right(known, time_ns, key=lambda item: item[0].time_ns)
        return known[at - 1][1] if at else None

    def _changed_package(self, process: Process, run: CommandRun) -> Rewrite | None:
        purl = run.command.blame_purl
        package = self._packages.get(purl) if purl is not None else None
        if package is None or run.phase == "fetch":
            return None
        step = run.command.script
        for found in self._foreign.get(package.purl, ()):
            path, writer = found.path, found.writer
            if found.change.time_ns > process.started_ns:
                break  # they are in the order of time
            told = path.removeprefix(f"{found.owner.path}/") in _script_manifests()
            if told and self._runs_changed_script(run, package):
                basis = f"{self.who(writer)} had rewritten the {step} script in {path}."
                return Rewrite(writer, basis, "certain")
            if path.endswith(_CODE):
                basis = (
                    f"{self.who(writer)} had changed {path}{found.shared} before {package.name}'s {step} ran."
                )
                return Rewrite(writer, basis, "likely")
        return None

    def _runs_changed_script(self, run: CommandRun, package: Package) -> bool:
        """Whether the shell that npm starts runs another line than the script had after the fetch."""
        if run.phase != "install":
            return False
        known = package.scripts.get(run.command.script or "")
        anchor = self._anchor_of.get(id(run))
        lines = self._shells.get(anchor, []) if anchor is not None else []
        return bool(lines) and not any(known is not None and known in line for line in lines)

    def who(self, run: CommandRun) -> str:
        """``NAME's SCRIPT`` of a command, for sentences."""
        purl = run.command.blame_purl
        package = self._packages.get(purl) if purl is not None else None
        name = package.name if package is not None else purl or "the project"
        return f"{name}'s {run.command.script}"


@derived
def _installers(known: tuple[Facts, ...]) -> frozenset[str | None]:
    """What commands are called in which a manager installs and builds by itself."""
    return frozenset(one.builds.script for one in known if one.builds is not None)


@derived
def _script_manifests(known: tuple[Facts, ...]) -> frozenset[str]:
    return frozenset(one.script_manifest for one in known if one.script_manifest)


def _module_files(package: Package, run: CommandRun) -> list[str]:
    """Absolute paths of the files that importing a module of a Python package runs first: those of the packages
    around it, outermost first, and its own."""
    hit = _IMPORT.fullmatch(run.command.script or "")
    site = next((found[0] for place in package.places if (found := _SITE.match(place))), None)
    if hit is None or site is None:
        return []
    bases = [f"{site}{'/'.join(parts)}" for parts in accumulate([part] for part in hit[1].split("."))]
    around, own = [f"{base}/__init__.py" for base in bases[:-1]], bases[-1]
    file = f"{own}.py" if f"{own}.py" in package.places else f"{own}/__init__.py"
    return [*around, file]


def _files_run(process: Process) -> Iterator[str]:
    """Absolute paths of the programs and script files that a process ran."""
    if process.exepath.startswith("/"):
        yield process.exepath
    for text in (process.cmdline, *process.execs):
        for word in text.split(maxsplit=_MAX_WORDS)[:_MAX_WORDS]:
            if word.startswith("/"):
                yield posixpath.normpath(word)
            elif "/" in word or word.endswith(_SCRIPTS):
                yield posixpath.normpath(f"{process.cwd.rstrip('/')}/{word}")
