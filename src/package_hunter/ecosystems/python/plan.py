"""The plan of a Python project or package: a virtual environment, pip, a start of Python, imports.

pip cannot resolve a source distribution without running its build, so what it downloads and what it builds is
one phase, ``install``; ``fetch`` makes the environment only. Which package a build belongs to is told by the
folder in which pip itself started it (blame/blamer.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from urllib.parse import unquote

from package_hunter.ecosystems.base import Inventory, Plan, PlanOptions, in_turn
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.interpreters import Chosen
from package_hunter.ecosystems.python import installed, interpreter
from package_hunter.ecosystems.python.installed import Distribution
from package_hunter.ecosystems.python.local_builds import LocalBuilds
from package_hunter.ecosystems.python.requirements import RequirementSet, dumps, normal, requirement_name
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import BoxFile, Command, CommandRun, Coverage, Package, Phase, Target

# What builds ask for by themselves: the gateway cannot learn it from the index, which does not list it.
_BUILD_TOOLS = """
setuptools wheel pip setuptools-scm hatchling hatch-vcs hatch-fancy-pypi-readme flit-core poetry-core
poetry-dynamic-versioning pdm-backend pdm-pep517 meson-python meson ninja cmake scikit-build
scikit-build-core maturin setuptools-rust semantic-version cython cffi pycparser pybind11 numpy
oldest-supported-numpy packaging pathspec pluggy trove-classifiers pyproject-metadata versioneer
pbr cppy expandvars typing-extensions tomli editables calver jupyter-packaging
"""
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--no-warn-script-location")
EXERCISE = "/usr/share/python3/exercise.py"
_MAX_EXTRA = (
    10  # inner modules, and commands, of a single package at depth quick; of a direct dependency at others
)
_MAX_OWN = 200  # inner modules of the target at other depths
_ASIDE = re.compile(
    r"(?:^|[.])(?:tests?|testing|conftest|examples?|docs?|benchmarks?)(?:[.]|$)"
)  # loaded last
_SEEDED = {"pip", "setuptools", "wheel"}  # what the environment came with


@dataclass(frozen=True, slots=True)
class Source:
    """What pip is asked for: lines of a requirements file (``wanted``), further arguments (``extra``, such as
    ``.``) whose builds belong to ``extra_purl`` (None: the project's own)."""

    wanted: RequirementSet
    extra: tuple[str, ...] = ()
    extra_purl: str | None = None
    root: str = "app"
    also_allowed: tuple[str, ...] = ()
    files: tuple[BoxFile, ...] = field(default=())
    package: bool = False
    """What ``extra`` installs is the project itself, which is a package."""
    unloaded: str = ""
    """Why the project itself is not loaded, as a sentence; empty where it is, or where it is none to be."""


class PythonPlan(Plan):
    """See Plan."""

    def __init__(self, target: Target, project: str, options: PlanOptions, source: Source) -> None:
        self.target, self.project, self.options = target, project, options
        self._source = source
        self.package = source.package or target.purl is not None
        self._venv = f"{project}/.venv"
        wanted = source.wanted
        if options.indexes is not None:
            wanted.settle(options.indexes)
        asked = {*wanted.names, *wanted.also, *source.also_allowed, *_BUILD_TOOLS.split()}
        self.registry = (RegistryAllow("pypi", frozenset(asked), urls=frozenset(wanted.urls)),)
        self.looks_into = tuple(wanted.local)
        self.files = source.files
        if options.asks("exercise"):
            self.files += (BoxFile(EXERCISE, _exercise(), owner="root"),)
        if source.wanted.lines:
            self.files += (BoxFile(self._list, dumps(source.wanted.lines)),)
        if source.wanted.dropped:
            some = ", ".join(line.split("=")[0].split(" ")[0] for line in source.wanted.dropped[:5])
            self.notes = (f"Left out of {source.wanted.source} (indexes and other options): {some}.",)
        for number, lines in enumerate(wanted.proven.values()):
            self.files += (BoxFile(self._proven_list(number), dumps(lines)),)
        for host in wanted.proven:
            self.notes += (
                f"Packages of {host} were asked of this host's index: pip holds them to the lock file's digests.",
            )
        if source.unloaded:
            self.notes += (source.unloaded,)
        self._apart = LocalBuilds(wanted, project, options.fetch_hosts, options.indexes)
        self._planned: dict[str, Phase] = {}
        self._found: list[Distribution] = []
        self._starters: list[Distribution] = []
        self._by_name: dict[str, Distribution] = {}
        self._by_purl: dict[str, Distribution] = {}
        self._installed = Inventory(expected=len(source.wanted.names))
        self._nothing: list[str] = []
        self._site = ""
        self._beside: frozenset[str] = frozenset()  # what lies in the project that an import could find
        self._chosen = Chosen()
        self._before = 0  # runs of the install's first try, where there was a second

    @property
    def _list(self) -> str:
        return f"{self.project}/requirements.lock"

    def _proven_list(self, number: int) -> str:
        return f"{self.project}/requirements-{number}.lock"

    @property
    def _python(self) -> str:
        return f"{self._venv}/bin/python"

    def runs_on(self, chosen: Chosen) -> None:
        """Have everything run on this Python of the image."""
        self._chosen, self.env = chosen, chosen.env
        self.notes = (*self.notes, *chosen.notes)

    @property
    def fetch(self) -> Phase:
        """The virtual environment, offline."""
        return self._remember(Phase("fetch", (self._environment("python3"),)))

    def _environment(self, python: str, *options: str) -> Command:
        # Debian's own pip and setuptools show through: making the environment takes 60 ms in place of 3 s.
        argv = (python, "-m", "venv", *options, "--without-pip", "--system-site-packages", ".venv")
        return Command(argv, self.project, timeout=60.0)

    def second_try(self, runs: Sequence[CommandRun]) -> Phase | None:
        """Where a package wants a newer Python, and the image has it: all once more in an environment of that."""
        bad = next((run for run in runs if run.phase == "install" and run.exit_code not in (0, None)), None)
        wanted = interpreter.refused(bad.output_tail) if bad is not None else []
        if not wanted:
            return None
        other = interpreter.for_ranges(wanted, self.options.interpreters)
        if other is None or other == self._chosen.interpreter:
            self.notes = (*self.notes, interpreter.nowhere(wanted[-1], self.options.interpreters))
            return None
        self._before = len(runs)
        self.notes = (
            *self.notes,
            f"{other.program} was used: with the first one tried, a package wanted {wanted[0]}.",
        )
        again = self._environment(f"{other.home}/bin/python3", "--clear")
        return self._remember(Phase("install", (again, *self._planned["install"].commands)))

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        """pip: what lies elsewhere and may be had, one by one; all requirements at once; each package of the
        project's own folders; the project itself."""
        commands = [self._pip(what, purl, self.options.phase_timeout) for what, purl in self._apart.fetched()]
        for number in range(len(self._source.wanted.proven)):
            what = ("--require-hashes", "--no-deps", "-r", self._proven_list(number))
            commands.append(self._pip(what, None, self.options.phase_timeout))
        if self._source.wanted.lines:
            commands.append(self._pip(("-r", self._list), None, self.options.phase_timeout))
        commands += [self._pip(what, purl, self.options.phase_timeout) for what, purl in self._apart.local()]
        if self._source.extra:
            commands.append(
                self._pip(self._source.extra, self._source.extra_purl, self.options.phase_timeout)
            )
        return self._remember(Phase("install", tuple(commands)))

    def later(self, tree: BoxTree) -> tuple[Phase, ...]:
        """Inventory; then one start of Python where a package acts at start-up, then the imports."""
        self._take_inventory(tree)
        phases: list[Phase] = []
        if self.options.asks("startup"):
            phases.append(self._remember(Phase("startup", tuple(self._startup()))))
        if self.options.asks("import"):
            phases.append(self.imports(tree))
        if self.options.asks("exercise"):
            phases.append(self.exercise(tree))
        return tuple(phase for phase in phases if phase.commands)

    def exercise(self, tree: BoxTree) -> Phase:
        """Each direct dependency's modules are used for a moment."""
        budget = str(int(self.options.exercise_timeout * 1000) - 1000)
        commands = [
            replace(
                command,
                argv=(self._python, "-S", EXERCISE, self._site, (command.script or "").split()[-1], budget),
                timeout=self.options.exercise_timeout,
                script="exercise",
            )
            for command in (self._planned.get("import") or self.imports(tree)).commands
            if (command.script or "").startswith("import ") and "." not in (command.script or "")
        ]
        return self._remember(Phase("exercise", tuple(commands)))

    def narrow(self, purl: str) -> Phase | None:
        """See Plan."""
        item, by_name = self._by_purl.get(purl), self._by_name
        needed = [by_name[name] for name in item.requires if name in by_name] if item is not None else []
        commands = tuple(self._import(other, name) for other in needed for name in other.modules[:1])
        return Phase("import", commands) if commands else None

    def imports(self, tree: BoxTree) -> Phase:
        """Each direct dependency's top-level modules, and the project's own where it is a package, in a process of
        their own."""
        if not self._found:
            self._take_inventory(tree)
        direct = set(self._direct())
        self._beside = frozenset(name.partition(".")[0] for name in tree.names(self.project))
        commands: list[Command] = []
        more: list[list[Command]] = []
        self._nothing = []
        for item in self._found:
            if normal(item.name) not in direct:
                continue
            modules = [name for name in item.modules if not name.startswith("_")] or list(item.modules)
            if not modules:
                self._nothing.append(item.name)
            commands += [self._import(item, name) for name in modules[:5]]
            is_target = normal(item.name) == normal(self._own_name())
            if self.options.depth.submodules:
                more.append(self._all_of(item, _MAX_OWN if is_target else _MAX_EXTRA))
            elif self.target.purl is not None and is_target:
                commands += self._more_of(item)
        return self._remember(Phase("import", (*commands, *in_turn(more))))

    def _more_of(self, item: Distribution) -> list[Command]:
        """Of a single package also its inner modules, and its commands as a first look at them would be."""
        inner = [name for name in item.inner if name.count(".") == 1 and "._" not in name]
        return [self._import(item, name) for name in inner[:_MAX_EXTRA]] + self._commands_of(item)

    def _all_of(self, item: Distribution, most: int) -> list[Command]:
        """All modules below those that are loaded in any case, up to a number, and the commands."""
        seconds = self.options.depth.submodule_seconds
        inner = sorted(item.inner, key=lambda name: (_ASIDE.search(name) is not None, name.count(".")))
        every = [self._import(item, name) for name in inner[:most]] + self._commands_of(item)
        return [replace(command, within=seconds) for command in every]

    def _commands_of(self, item: Distribution) -> list[Command]:
        names = item.commands[:_MAX_EXTRA]
        return [self._step((f"{self._venv}/bin/{n}", "--help"), item, f"bin {n}") for n in names]

    def _own_name(self) -> str:
        """The name of the project where it is a package, or of the package that is the target; else empty."""
        if self.target.purl is not None:
            return self.target.name
        if not self._source.package:
            return ""
        # by where pip had it from: what a setup.py calls it is not known before
        given = (item.name for item in self._found if unquote(item.source) == f"file://{self.project}")
        return next(given, "")

    def inventory(self) -> tuple[Package, ...]:
        """The packages after the install (empty before it: pip decides while it installs)."""
        return self._installed.packages

    def coverage(self, runs: Sequence[CommandRun]) -> Coverage:
        """See ecosystems.coverage."""
        ran = "install" in self._planned and self.options.asks("install")
        missed = self._apart.missed(self._found, self._counting(runs)) if ran else self._apart.unread()
        installed = replace(
            self._installed,
            reasons=(*self._installed.reasons, *missed.reasons),
            expected=self._installed.expected + missed.count,
        )
        return coverage(self._planned, self.options, installed, self._counting(runs), self._nothing)

    def _counting(self, runs: Sequence[CommandRun]) -> list[CommandRun]:
        """Without the install's first try, where there was a second."""
        return [run for number, run in enumerate(runs) if run.phase != "install" or number >= self._before]

    def _remember(self, phase: Phase) -> Phase:
        self._planned[phase.name] = phase
        return phase

    def _pip(self, what: tuple[str, ...], purl: str | None, timeout: float) -> Command:
        return Command(
            (self._python, *_PIP, *what), self.project, timeout=timeout, blame_purl=purl, script="pip install"
        )

    def _import(self, item: Distribution, name: str) -> Command:
        # The working folder comes first on sys.path: where the project's own files lie there under that name, they
        # would be loaded in place of what was installed (its source without what the build makes).
        shadowed = self._source.package or self._source.extra_purl or name.partition(".")[0] in self._beside
        safe = ("-P",) if shadowed else ()
        argv: tuple[str, ...] = (self._python, *safe, "-c", f"import {name}")
        if any(other is not item for other in self._acting()):
            # Another package acts at every start of Python: kept out of this one, so that blame is right.
            code = f"import sys; sys.path.append({self._site!r}); import {name}"
            argv = (self._python, *safe, "-S", "-c", code)
        return self._step(argv, item, f"import {name}")

    def _step(self, argv: tuple[str, ...], item: Distribution, script: str) -> Command:
        return Command(
            argv,
            self.project,
            timeout=self.options.import_timeout,
            blame_purl=installed.purl(item.name, item.version),
            script=script,
            essential=False,
        )

    def _startup(self) -> list[Command]:
        """Python starts once for each package that has a start-up file; alone where several have one."""
        acting = self._acting()
        if len(acting) == 1:
            return [self._step((self._python, "-c", "pass"), acting[0], acting[0].startup[0])]
        code = (
            "import site, sys; sys.path.append(sys.argv[1]); site.addpackage(sys.argv[1], sys.argv[2], set())"
        )
        site = self._site
        return [
            self._step((self._python, "-S", "-c", code, site, name), item, name)
            for item in acting
            for name in item.startup
            if name.endswith(".pth")
        ]

    def _acting(self) -> list[Distribution]:
        """What runs code at every start of Python."""
        return self._starters

    def _direct(self) -> list[str]:
        """What the project asks for itself; for a package that is scanned alone, that package."""
        own = [normal(name)] if (name := self._own_name()) else []
        own += self._apart.names(self._found)
        if not self._source.wanted.locked:
            return [*own, *self._names()]
        root = normal(self._source.root)
        needed = {name for item in self._found if normal(item.name) != root for name in item.requires}
        return [*own, *(name for name in self._names() if name not in needed)]

    def _take_inventory(self, tree: BoxTree) -> None:
        self._found = installed.distributions(tree, self._venv)
        self._site = installed.site_packages(tree, self._venv) or ""
        here = {normal(item.name) for item in self._found}
        asked = dict.fromkeys(self._names())
        conditional = {normal(n) for n, line in zip(self._names(), self._lines(), strict=True) if ";" in line}
        excused = {*here, *conditional, *_SEEDED}
        missing = [name for name in asked if name not in excused]
        kept = [
            item for item in self._found if normal(item.name) not in _SEEDED or normal(item.name) in asked
        ]
        packages = installed.packages(kept, self._site, self._source.root, self._direct(), {})
        self._found = kept
        self._by_name = {normal(item.name): item for item in kept}
        self._by_purl = {installed.purl(item.name, item.version): item for item in kept}
        self._starters = [item for item in kept if item.startup and normal(item.name) not in _SEEDED]
        self._installed = Inventory(packages, tuple(missing), len(kept) + len(missing))

    def _lines(self) -> list[str]:
        proven = (line for lines in self._source.wanted.proven.values() for line in lines)
        return [*(line for line in self._source.wanted.lines if not line.startswith("-")), *proven]

    def _names(self) -> list[str]:
        return [name for line in self._lines() if (name := requirement_name(line)) is not None]


@cache
def _exercise() -> bytes:
    return resources.files("package_hunter.ecosystems.python").joinpath("exercise.py").read_bytes()


def preload() -> None:
    """Read the file that plans need: a child that plans may not."""
    _exercise()
