"""The plan of a bundler project or a gem: bundler fetches, each gem is installed by a command of its own.

An install of a gem runs its extension's build (extconf.rb, Rakefile); loading it runs the rest.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import islice

from package_hunter.ecosystems.base import Inventory, Plan, PlanOptions, in_turn, longer_way
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.ruby import lock
from package_hunter.ecosystems.ruby.facts import ONE_PLUGIN
from package_hunter.ecosystems.ruby.lock import Gem, GemLock
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.box import HOME
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import BoxFile, Command, CommandRun, Coverage, Package, Phase, Target

_INSTALL = ("install", "--local", "--ignore-dependencies", "--no-document", "--user-install")
# read now: a planner may open no file later
_SCRIPT = resources.files("package_hunter.ecosystems.ruby").joinpath("one_plugin.rb").read_bytes()
_MAX_LOCK = 16 << 20
_MAX_EXTRA = 10  # inner files, and commands, of a single gem at depth quick; of a direct dependency at others
_MAX_OWN, _MAX_FOLDERS = (
    200,
    60,
)  # files of the target at other depths, and folders that are looked into for them
# several files in one process, none of which is kept from being loaded by another's error, or end
_TOGETHER = "ARGV.shift(ARGV.size).each { |path| begin; require path; rescue Exception; end }"
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FETCHED = f"{HOME}/.cache/bundler/fetched"  # where bundler keeps what it downloads; its own place is root's
# Bundler's own way of guessing the file to load: the name, then its dashes as folders.
_LOAD = (
    'begin; require "{name}"; rescue LoadError => e; raise unless e.path == "{name}"; require "{folder}"; end'
)


@dataclass(frozen=True, slots=True)
class GemSource:
    """``names`` that are asked for by themselves; ``own`` is a gem file to install last (path in the box, and
    what it is); ``files`` to plant; ``fetch``: whether bundler has something to fetch."""

    names: tuple[str, ...]
    lock: GemLock
    files: tuple[BoxFile, ...] = ()
    own: tuple[str, Gem] | None = None
    fetch: bool = True


class RubyPlan(Plan):
    """See Plan."""

    def __init__(self, target: Target, project: str, options: PlanOptions, source: GemSource) -> None:
        self.target, self.project, self.options = target, project, options
        self._source = source
        self.package = target.purl is not None
        self.files = (*source.files, BoxFile(ONE_PLUGIN, _SCRIPT, owner="root"))
        gems = source.lock.gems
        names = {*source.names, *(gem.name for gem in gems.values())}
        # a project's Gemfile is a program; one of ours asks for what it asks for, and bundler decides
        self.fetches_alone = bool(source.files)
        self.registry = (
            RegistryAllow("gem", frozenset(names), closed=bool(gems), manager_decides=self.fetches_alone),
        )
        self.lock_paths = (f"{project}/Gemfile.lock",)
        self._lock = source.lock
        self._planned: dict[str, Phase] = {}
        self._installed = Inventory(expected=len(gems))
        self._missing: list[str] = []
        self._inside: dict[str, str] = {}  # name of a gem in the project's own folders -> its folder
        self._unscanned: list[str] = []  # sentences
        self._files: dict[str, str] = {}  # full name of a gem -> the .gem file that it was installed from

    @property
    def fetch(self) -> Phase:
        """bundler resolves and downloads into vendor/cache (it evaluates the Gemfile, which is a program)."""
        commands: tuple[Command, ...] = ()
        if self._source.fetch:
            argv = ("bundle", "cache", "--no-install")
            place = {"BUNDLE_PATH": _FETCHED}
            commands = (Command(argv, self.project, place, timeout=self.options.phase_timeout),)
        return self._remember(Phase("fetch", commands))

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        """One `gem install` a gem, what is required first."""
        raw = tree.read(f"{self.project}/Gemfile.lock", _MAX_LOCK)
        if raw is not None:
            self._lock = lock.parse(raw.decode("utf-8", "replace"))
        cached = set(tree.names(f"{self.project}/vendor/cache"))
        commands = []
        for gem in self._lock.order():
            if f"{gem.full}.gem" in cached:
                commands.append(self._install(f"{self.project}/vendor/cache/{gem.full}.gem", gem))
            elif gem.source == "GEM" and gem.name != "bundler":
                self._missing.append(gem.name)
            elif gem.source != "GEM":
                commands += self._elsewhere(tree, gem)
        if self._source.own is not None:
            commands.append(self._install(*self._source.own))
        return self._remember(Phase("install", tuple(commands)))

    def _elsewhere(self, tree: BoxTree, gem: Gem) -> list[Command]:
        """A gem that no registry has. One in the project's folders is read where it lies, as bundler does it; of
        any other it is said that it was not scanned."""
        folder = posixpath.normpath(posixpath.join(self.project, gem.remote or "."))
        if gem.source == "PATH" and folder == self.project:
            if any(name.endswith(".gemspec") for name in tree.names(folder)):
                self._inside[gem.name] = folder  # the project itself: bundler has read it
            return []
        spec = f"{folder}/{gem.name}.gemspec"
        inside = folder.startswith(f"{self.project}/") and tree.kind(spec) == "file"
        if gem.source == "PATH" and inside:
            self._inside[gem.name] = folder
            argv = ("/usr/bin/ruby", "-e", "Gem::Specification.load(ARGV[0]) or exit 1", spec)
            return [self._command(argv, gem, "gemspec", self.options.script_timeout)]
        why = "it is not in the project" if gem.source == "PATH" else "it comes from no gem server"
        self._unscanned.append(f"{gem.name} ({gem.source} {gem.remote[:300]}) was not scanned: {why}.")
        return []

    def later(self, tree: BoxTree) -> tuple[Phase, ...]:
        """See Plan. First each gem that brought a plugin for `gem` itself is installed once more, with that plugin
        alone: what it does there it would do whenever `gem` runs."""
        startup = self._remember(Phase("startup", tuple(self._plugins(tree))))
        asked = self.options.asks("startup") and startup.commands
        return (*((startup,) if asked else ()), *super().later(tree))

    def _plugins(self, tree: BoxTree) -> list[Command]:
        found = []
        for home in _homes(tree):
            for gem in self._everything().order():
                # put aside by the driver; where it was killed, they are still where RubyGems lays them
                places = (f"{home}/{folder}/{gem.name}_plugin.rb" for folder in ("plugins.aside", "plugins"))
                plugin = next((path for path in places if tree.kind(path) == "file"), None)
                if gem.full in self._files and plugin is not None:
                    argv = ("/usr/bin/ruby", ONE_PLUGIN, plugin, *_INSTALL, "--force", self._files[gem.full])
                    found.append(self._command(argv, gem, "RubyGems plugin", self.options.script_timeout))
        return found

    def imports(self, tree: BoxTree) -> Phase:
        """Each direct dependency, in a process of its own."""
        self._take_inventory(tree)
        direct = [package for package in self._installed.packages if package.direct]
        commands = [self._load(package) for package in direct]
        more: list[list[Command]] = []
        for package in direct:
            is_target = self.target.purl is not None and package.name == self.target.name
            if self.options.depth.submodules:
                own = is_target or package.path == self.project
                more.append(self._all_of(tree, package, _MAX_OWN if own else _MAX_EXTRA))
            elif is_target:
                commands += self._more_of(tree, package)
        return self._remember(Phase("import", (*commands, *in_turn(more))))

    def _more_of(self, tree: BoxTree, package: Package) -> list[Command]:
        """Of a single gem also its inner files, and its commands as a first look at them would be."""
        assert package.path is not None
        base = package.name.replace("-", "/")
        inner = [name.removesuffix(".rb") for name in tree.names(f"{package.path}/lib/{base}")]
        inner = [name for name in inner if re.fullmatch(r"[A-Za-z0-9_]{1,100}", name)][:_MAX_EXTRA]
        more = [self._file(package, f"{base}/{name}") for name in inner]
        return more + self._commands_of(tree, package)

    def _all_of(self, tree: BoxTree, package: Package, most: int) -> list[Command]:
        """All files below lib, up to a number, and the commands."""
        seconds = self.options.depth.submodule_seconds
        paths = list(islice(_files(tree, f"{package.path}/lib"), most))
        every = [self._file(package, path) for path in paths] + self._commands_of(tree, package)
        return [replace(command, within=seconds) for command in every]

    def _file(self, package: Package, path: str) -> Command:
        start = ("/usr/bin/ruby", *self._own_folders(), "-e")
        step = self._step((*start, f'require "{path}"'), package, f"require {path}")
        return replace(step, together=(*start, _TOGETHER, "--"), item=path)

    def _commands_of(self, tree: BoxTree, package: Package) -> list[Command]:
        assert package.path is not None
        if package.path in self._inside.values():
            return self._own_commands(tree, package)
        home = package.path.rpartition("/gems/")[0]
        own = {name for folder in ("exe", "bin") for name in tree.names(f"{package.path}/{folder}")}
        names = sorted(own & set(tree.names(f"{home}/bin")))[:_MAX_EXTRA]
        return [
            self._step(("/usr/bin/ruby", f"{home}/bin/{name}", "--help"), package, f"bin {name}")
            for name in names
        ]

    def _own_commands(self, tree: BoxTree, package: Package) -> list[Command]:
        """Of a gem that lies in the project: what its exe folder holds (bin has the developers' own tools)."""
        folder = f"{package.path}/exe"
        names = [name for name in tree.names(folder) if _PLAIN.fullmatch(name)][:_MAX_EXTRA]
        return [
            self._step(
                ("/usr/bin/ruby", *self._own_folders(), f"{folder}/{name}", "--help"), package, f"bin {name}"
            )
            for name in names
        ]

    def _own_folders(self) -> tuple[str, ...]:
        return tuple(f"-I{folder}/lib" for folder in self._inside.values())

    def narrow(self, purl: str) -> Phase | None:
        """See Plan."""
        by_name = {package.name: package for package in self._installed.packages}
        item = next((package for package in by_name.values() if package.purl == purl), None)
        needed = [by_name[name] for name in item.requires if name in by_name] if item is not None else []
        return Phase("import", tuple(self._load(package) for package in needed)) if needed else None

    def inventory(self) -> tuple[Package, ...]:
        """The gems after the install."""
        return self._installed.packages

    def coverage(self, runs: Sequence[CommandRun]) -> Coverage:
        """See ecosystems.coverage."""
        found = replace(self._installed, reasons=tuple(self._unscanned))
        return coverage(self._planned, self.options, found, runs, ())

    def _remember(self, phase: Phase) -> Phase:
        self._planned[phase.name] = phase
        return phase

    def _install(self, path: str, gem: Gem) -> Command:
        self._files[gem.full] = path
        argv = ("/usr/bin/ruby", ONE_PLUGIN, "-", *_INSTALL, path)
        return self._command(argv, gem, "gem install", self.options.script_timeout)

    def _command(self, argv: tuple[str, ...], gem: Gem, script: str, timeout: float) -> Command:
        purl = lock.purl(gem.name, gem.version)
        return Command(argv, self.project, timeout=timeout, blame_purl=purl, script=script, essential=False)

    def _load(self, package: Package) -> Command:
        code = _LOAD.format(name=package.name, folder=package.name.replace("-", "/"))
        return self._step(("/usr/bin/ruby", *self._own_folders(), "-e", code), package, "require")

    def _step(self, argv: tuple[str, ...], package: Package, script: str) -> Command:
        return Command(
            argv,
            self.project,
            timeout=self.options.import_timeout,
            blame_purl=package.purl,
            script=script,
            essential=False,
        )

    def _everything(self) -> GemLock:
        """The lock file's gems, and the gem that was given as a file."""
        if self._source.own is None:
            return self._lock
        gem = self._source.own[1]
        return GemLock({**self._lock.gems, gem.name: gem}, [gem.name])

    def _take_inventory(self, tree: BoxTree) -> None:
        every = self._everything()
        here = {
            name.removesuffix(".gemspec"): home
            for home in _homes(tree)
            for name in tree.names(f"{home}/specifications")
        }
        ways = _ways(every, self.target.name if self.target.purl is None else "app")
        missing = dict.fromkeys(self._missing)
        packages, direct = [], set(every.direct)
        for gem in every.order():
            if gem.full in here or gem.name in self._inside:
                path = self._inside.get(gem.name) or f"{here[gem.full]}/gems/{gem.full}"
                package = _package(gem, path, ways.get(gem.name, (gem.name,)), gem.name in direct)
                if path == self.project:  # builds and tools write there: only its gemspec is its own
                    package = replace(package, places=(f"{path}/{gem.name}.gemspec",))
                packages.append(package)
            elif gem.source == "GEM" and gem.name != "bundler":
                missing[gem.name] = None
        expected = len(packages) + len(missing) + len(self._unscanned)
        self._installed = Inventory(tuple(packages), tuple(missing), expected)


def _homes(tree: BoxTree) -> list[str]:
    """Where gems are installed: by RubyGems' own rule ~/.gem where that exists (it holds credentials, too), else the
    newer place."""
    bases = (f"{HOME}/.gem/ruby", f"{HOME}/.local/share/gem/ruby")
    versions = [(base, name) for base in bases for name in tree.names(base)]
    return [f"{base}/{name}" for base, name in versions if re.fullmatch(r"\d+\.\d+\.\d+", name)]


def _files(tree: BoxTree, folder: str) -> Iterator[str]:
    """What `require` can be given of a folder of lib, the outermost first."""
    queue = deque([""])
    looked = 0
    while queue and looked < _MAX_FOLDERS:
        base = queue.popleft()
        looked += 1
        for name in tree.names(f"{folder}/{base}" if base else folder):
            plain = name.removesuffix(".rb")
            if not _PLAIN.fullmatch(plain):
                continue
            if name != plain:
                yield base + plain
            elif tree.kind(f"{folder}/{base}{name}") == "folder":
                queue.append(f"{base}{name}/")


def _ways(every: GemLock, root: str) -> dict[str, tuple[str, ...]]:
    ways: dict[str, tuple[str, ...]] = {}
    queue: deque[tuple[str, tuple[str, ...]]] = deque((name, (root,)) for name in every.direct)
    while queue:
        name, way = queue.popleft()
        if name in every.gems and name not in ways:
            ways[name] = longer_way(way, name)
            queue.extend((needed, ways[name]) for needed in every.gems[name].requires)
    return ways


def _package(gem: Gem, path: str, chain: tuple[str, ...], direct: bool) -> Package:
    return Package(
        purl=lock.purl(gem.name, gem.version),
        name=gem.name,
        version=gem.version,
        path=path,
        chain=chain,
        direct=direct,
        requires=tuple(gem.requires),
    )
