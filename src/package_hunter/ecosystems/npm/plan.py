"""The plan of an npm or yarn classic project, or of a single npm package."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from package_hunter.ecosystems.base import Inventory, Plan, PlanOptions, SourceTree
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.interpreters import Chosen
from package_hunter.ecosystems.npm import installed, lock, manifest
from package_hunter.ecosystems.npm.facts import LIFECYCLE
from package_hunter.ecosystems.npm.lock import Entry
from package_hunter.ecosystems.npm.managers import Manager
from package_hunter.ecosystems.tree import BoxTree, as_text, as_text_map
from package_hunter.model.scan import BoxFile, Command, CommandRun, Coverage, Package, Phase, Target

_MAX_NAMED = 100  # that were not scanned
_MAX_EXTRA = 10  # sub-modules, and commands, of a single package
EXERCISE = "/usr/share/npm/exercise.js"
NODE = "/usr/local/bin/node"  # by its path: a package may plant another one on PATH


class NpmPlan(Plan):
    """See Plan. ``files`` stand in place of a planted project (a synthetic one around a single package)."""

    def __init__(
        self,
        source_tree: SourceTree,
        options: PlanOptions,
        manager: Manager,
        target: Target,
        files: tuple[BoxFile, ...] = (),
    ) -> None:
        self.target, self.project = target, source_tree.project
        self.plant = None if files else source_tree.folder
        self.registry = (manager.registry(),)
        self.notes = manager.notes
        self.fetches_alone = manager.runs_alone
        self.files = (*files, BoxFile(LIFECYCLE, _script_file("lifecycle.js"), owner="root"))
        if options.asks("exercise"):
            self.files += (BoxFile(EXERCISE, _script_file("exercise.js"), owner="root"),)
        self.options, self._manager = options, manager
        own_name = as_text(manager.manifest.get("name"), 214)
        self._root = installed.root_entry(manager.manifest, own_name or target.name)
        self._locked = manager.locked
        self._places: dict[str, Entry] = {}  # every place after the fetch, links too; "" is the project
        self._installed = Inventory(packages=self._packages(self._locked, {}), expected=len(self._locked))
        self._planned: dict[str, Phase] = {}
        self._skipped_imports: list[str] = []
        self._loaders: dict[str, str] = {}
        self._where: dict[str, list[str]] = {}  # places by purl
        self._node = NODE

    def runs_on(self, chosen: Chosen) -> None:
        """Have everything run on this Node.js of the image, with the npm beside it."""
        self.env = chosen.env
        self.notes = (*self.notes, *chosen.notes)
        self._node = f"{chosen.home}/bin/node" if chosen.home else NODE

    @property
    def fetch(self) -> Phase:
        """One command of the package manager, its scripts switched off."""
        command = Command(
            self._manager.fetch, self.project, env=self._manager.env, timeout=self.options.phase_timeout
        )
        return self._remember(Phase("fetch", (command,)))

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        """Inventory, then every lifecycle script: all preinstalls, installs and postinstalls in the order of
        dependencies, as npm orders them, then the project's own."""
        places = self._manager.inventory(tree, self.project)
        self._places = {"": self._root, **{key: entry for key, entry in places.items() if key}}
        self._where = {}
        manifests = {key: tree.read_json(f"{self.project}/{key}/package.json") for key in places if key}
        scripts = {key: self._scripts(tree, key, found) for key, found in manifests.items() if found}
        self._installed = self._take_inventory(manifests, scripts)
        commands: list[Command] = []
        order = lock.dependency_order(self._places)
        for event in manifest.LINK_EVENTS:
            commands += [self._script(key, event) for key in order if event in scripts.get(key, {})]
        own = manifest.scripts(
            tree.read_json(f"{self.project}/package.json"), self._has_gyp(tree, ""), manifest.ROOT_EVENTS
        )
        commands += [self._script("", event) for event in own]
        return self._remember(Phase("install", tuple(commands)))

    def imports(self, tree: BoxTree) -> Phase:
        """Each direct dependency of the project and of its workspaces, in a process of its own."""
        commands: list[Command] = []
        self._skipped_imports = []
        self._loaders = self._find_loaders(tree)
        for base, key in self._direct():
            folder = f"{self.project}/{key}"
            found = tree.read_json(f"{folder}/package.json")
            how = manifest.loader(tree, folder, found) if found else "require"
            if how is None:
                self._skipped_imports.append(self._places[key].name)
                continue
            commands.append(self._load(base, key, how))
            if self.target.purl is not None:
                commands += self._more_of(key, how, found)
        return self._remember(Phase("import", tuple(commands)))

    def _find_loaders(self, tree: BoxTree) -> dict[str, str]:
        """How each package is loaded, asked while the box still shows it."""
        found = {}
        for key, entry in self._places.items():
            folder = f"{self.project}/{key}"
            if key and entry.link is None and (text := tree.read_json(f"{folder}/package.json")):
                how = manifest.loader(tree, folder, text)
                if how is not None:
                    found[key] = how
        return found

    def _more_of(self, key: str, how: str, found: Mapping[str, Any]) -> list[Command]:
        """Of a single package also its sub-modules, and its commands as a first look at them would be."""
        more = [self._load("", key, how, f"/{path}") for path in manifest.sub_modules(found)[:_MAX_EXTRA]]
        if how == "require" and manifest.has_twin(found):
            more.append(self._load("", key, "import"))
        for name in manifest.commands(found)[:_MAX_EXTRA]:
            argv = (f"{self.project}/node_modules/.bin/{name}", "--help")
            more.append(self._step(argv, self.project, key, f"bin {name}"))
        return more

    def exercise(self, tree: BoxTree) -> Phase:
        """Each direct dependency's exports are called for a moment."""
        commands = []
        loads = self._planned["import"] if "import" in self._planned else self.imports(tree)
        for command in loads.commands:
            if command.script in ("require", "import") and command.blame_purl is not None:
                name = command.argv[-1].split('"')[1]
                budget = str(int(self.options.exercise_timeout * 1000) - 500)
                argv = (self._node, EXERCISE, name, budget)
                commands.append(
                    replace(command, argv=argv, timeout=self.options.exercise_timeout, script="exercise")
                )
        return self._remember(Phase("exercise", tuple(commands)))

    def narrow(self, purl: str) -> Phase | None:
        """See Plan."""
        found: dict[str, Command] = {}
        for key in self._by_purl().get(purl, ()):
            for name in self._places[key].requires:
                needed = lock.resolve(self._places, key, name)
                if needed and needed != key and needed in self._loaders:
                    found.setdefault(needed, self._load(key, needed, self._loaders[needed]))
        return Phase("import", tuple(found.values())) if found else None

    def _by_purl(self) -> Mapping[str, list[str]]:
        """Where each package lies; asked for as often as there are packages."""
        if not self._where:
            for key in self._places:
                if key:
                    self._where.setdefault(self._purl(key), []).append(key)
        return self._where

    def inventory(self) -> tuple[Package, ...]:
        """The packages after the fetch; before it, those of the lock file."""
        return self._installed.packages

    def without_scripts(self, tree: BoxTree) -> frozenset[str]:
        """See Plan."""
        return frozenset(
            p.purl for p in self.inventory() if p.path and manifest.lost(p.scripts, tree, p.path)
        )

    def coverage(self, runs: Sequence[CommandRun]) -> Coverage:
        """See ecosystems.coverage."""
        return coverage(self._planned, self.options, self._installed, runs, self._skipped_imports)

    def _remember(self, phase: Phase) -> Phase:
        self._planned[phase.name] = phase
        return phase

    def _scripts(self, tree: BoxTree, key: str, found: Mapping[str, Any]) -> dict[str, str]:
        is_link = "node_modules/" not in key
        events = manifest.LINK_EVENTS if is_link else manifest.DEPENDENCY_EVENTS
        return manifest.scripts(found, self._has_gyp(tree, key), events)

    def _has_gyp(self, tree: BoxTree, key: str) -> bool:
        return (
            tree.kind(f"{self.project}/{key}/binding.gyp" if key else f"{self.project}/binding.gyp") == "file"
        )

    def _script(self, key: str, event: str) -> Command:
        name = self._manager.agent
        return Command(
            (self._node, LIFECYCLE, name, "install", event, key or "."),
            self.project,
            timeout=self.options.script_timeout,
            blame_purl=self._purl(key) if key else None,
            script=event,
            essential=False,
        )

    def _load(self, base: str, key: str, how: str, path: str = "") -> Command:
        # The name under which the project asks for it, which for an alias is not the package's own.
        name = key.rsplit("node_modules/", 1)[-1] if "node_modules/" in key else self._places[key].name
        asked = json.dumps(name + path)
        argv: tuple[str, ...] = (self._node, "-e", f"require({asked})")
        if how == "import":
            argv = (self._node, "--input-type=module", "-e", f"await import({asked})")
        return self._step(argv, f"{self.project}/{base}" if base else self.project, key, how + path)

    def _step(self, argv: tuple[str, ...], cwd: str, key: str, script: str) -> Command:
        return Command(
            argv,
            cwd,
            timeout=self.options.import_timeout,
            blame_purl=self._purl(key),
            script=script,
            essential=False,
        )

    def _direct(self) -> list[tuple[str, str]]:
        """(location that asks, location asked for), each package once."""
        bases = ["", *sorted(key for key in self._places if key and "node_modules/" not in key)]
        own = frozenset(bases)
        found: dict[str, str] = {}
        for base in bases:
            for name in self._places[base].requires:
                key = lock.resolve(self._places, base, name)
                if key is not None and key not in own:
                    found.setdefault(key, base)
        required = {lock.resolve(self._places, "", name) for name in self._root.requires}
        linked = {key: "" for key in bases if key and key in required}
        return [(base, key) for key, base in {**linked, **found}.items()]

    def _purl(self, key: str) -> str:
        entry = self._places[key]
        return lock.purl(entry.name, entry.version)

    def _packages(
        self, places: Mapping[str, Entry], scripts: Mapping[str, Mapping[str, str]]
    ) -> tuple[Package, ...]:
        ways = lock.chains({**places, **self._places, "": self._root}, self._root.name)
        return tuple(
            lock.package(entry, self.project, ways.get(key, (entry.name,)), scripts.get(key, {}))
            for key, entry in sorted(places.items())
            if key and entry.link is None
        )

    def _take_inventory(
        self, manifests: Mapping[str, Mapping[str, Any]], scripts: Mapping[str, Mapping[str, str]]
    ) -> Inventory:
        real = {key: entry for key, entry in self._places.items() if key and entry.link is None}
        here = {key: entry for key, entry in real.items() if manifests.get(key)}
        wanted = {**{k: e for k, e in self._locked.items() if k and e.link is None}, **real}
        missing = [
            entry.name for key, entry in wanted.items() if key not in here and not _may_be_absent(entry)
        ]
        missing += [
            name
            for name in self._root.requires
            if name not in self._root.optional_requires and lock.resolve(self._places, "", name) is None
        ]
        confused = [
            f"{entry.name}@{entry.version} says in package.json that it is {as_text(found['version'], 64)}."
            for key, entry in here.items()
            if entry.version and (found := manifests[key]).get("version") not in (entry.version, None)
        ]
        return Inventory(
            packages=self._packages(here, scripts),
            missing=tuple(dict.fromkeys(missing)),
            expected=len(here) + len(set(missing)),
            reasons=self._unscanned({"": self._manager.manifest, **manifests}),
            notes=tuple(confused[:20]),
        )

    def _unscanned(self, manifests: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """A sentence for each optional dependency from a repository, an address or a folder that is not there:
        managers go on without it here, and may have it elsewhere."""
        found: dict[str, None] = {}
        for key, text in manifests.items():
            for name, spec in as_text_map(text.get("optionalDependencies")).items():
                place = lock.resolve(self._places, key, name) if manifest.from_elsewhere(spec) else ""
                if place is None or (place and not manifests.get(place)):
                    found[f"{name[:214]} ({spec[:300]}) was not scanned: it was not installed."] = None
        return tuple(found)[:_MAX_NAMED]


def preload() -> None:
    """Read the files that plans need: a child that plans may not."""
    for name in ("lifecycle.js", "exercise.js"):
        _script_file(name)


def _may_be_absent(entry: Entry) -> bool:
    """Optional packages are left out on other platforms; bundled ones may lie inside their bundler's
    files."""
    return entry.optional or entry.in_bundle or entry.peer


@cache
def _script_file(name: str) -> bytes:
    return resources.files("package_hunter.ecosystems.npm").joinpath(name).read_bytes()
