"""The plan of an npm or yarn classic project, or of a single npm package."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from package_hunter.ecosystems.base import Inventory, Plan, PlanOptions, SourceTree, in_turn
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.interpreters import Chosen
from package_hunter.ecosystems.npm import (
    asked,
    installed,
    itself,
    lock,
    manifest,
    named,
    outside,
    own,
    patches,
    settings,
    submodules,
)
from package_hunter.ecosystems.npm.facts import LIFECYCLE
from package_hunter.ecosystems.npm.itself import OwnLoad, is_package, own_load
from package_hunter.ecosystems.npm.lock import Entry
from package_hunter.ecosystems.npm.managers import Manager
from package_hunter.ecosystems.tree import BoxTree, as_text, as_text_map
from package_hunter.model.box import PATH
from package_hunter.model.scan import BoxFile, Command, CommandRun, Coverage, Package, Phase, Target
from package_hunter.model.text import shortened

_MAX_NAMED = 100  # that were not scanned
_MAX_EXTRA = (
    10  # sub-modules, and commands, of a single package at depth quick; of a direct dependency at others
)
_MAX_OWN = 200  # sub-modules of the target at other depths
# several modules in one process, none of which is kept from being loaded by another's error, or end
_TOGETHER = (
    "const all = process.argv.splice(1); process.exit = () => { throw Error('exit'); }; "
    "process.on('uncaughtException', () => {}); process.on('unhandledRejection', () => {}); "
    "(async () => { for (const one of all) { const [, how, name] = /^(\\w+) (.*)$/s.exec(one); "
    "try { how === 'import' ? await import(name) : require(name); } catch {} } })()"
)
EXERCISE = "/usr/share/npm/exercise.js"
SHIMS = "/usr/share/npm/bin"  # first on the PATH of scripts, where the manager came out of the registry
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
        # a single package lies in a project of ours, whose scripts are none
        self._by_scripts = () if files else asked.by_scripts((manager.manifest, *manager.also_asks))
        allow = replace(manager.registry(), scripts_ask=frozenset(self._by_scripts))
        self.registry = (replace(allow, manager_decides=manager.runs_alone),)
        self.notes = manager.notes
        self.fetches_alone = manager.runs_alone
        self.lock_paths = tuple(f"{self.project}/{name}" for name in manager.lock_names)
        self.files = (*files, BoxFile(LIFECYCLE, _script_file("lifecycle.js"), owner="root"))
        self.files += tuple(BoxFile(f"{self.project}/{name}", text) for name, text in manager.files.items())
        self._shims = f"{SHIMS}/{manager.on_path}" if manager.on_path else ""
        if self._shims:
            self.files += (BoxFile(self._shims, _script_file("manager.js"), mode=0o755, owner="root"),)
        self._outside = manager.outside(options.registry_hosts)
        if self._outside:
            listed = outside.listed(self._outside, manager.kind, manager.folders, options.fetch_hosts)
            self.files += (
                BoxFile(outside.DRIVER, _script_file("elsewhere.js"), owner="root"),
                BoxFile(outside.LIST, listed, owner="root"),
            )
        if options.asks("exercise"):
            self.files += (BoxFile(EXERCISE, _script_file("exercise.js"), owner="root"),)
        self.own_scripts = manifest.own_scripts(manager.manifest) if not files and options.own_project else ()
        places = () if files else (self.project, *(f"{self.project}/{name}" for name in manager.folders))
        self.patched = patches.named(source_tree.tree, places)
        self.options, self._manager = options, manager
        own_name = as_text(manager.manifest.get("name"), 214)
        self._is_package = self.plant is not None and is_package(
            source_tree.tree, self.project, manager.manifest
        )
        self.package = self._is_package or target.purl is not None
        self._root = installed.root_entry(manager.manifest, own_name or target.name)
        self._locked = manager.locked
        self._places: dict[str, Entry] = {}  # every place after the fetch, links too; "" is the project
        self._installed = Inventory(packages=self._packages(self._locked, {}), expected=len(self._locked))
        self._planned: dict[str, Phase] = {}
        self._skipped_imports: list[str] = []
        self._unloaded: dict[str, list[str]] = {}  # why -> names of what of the project itself was not loaded
        self._fetched: frozenset[str] = frozenset()  # purls of what was there after the fetch
        self._unbuilt: dict[str, None] = {}  # the project's own folders that hold nothing to load yet
        self._loaders: dict[str, str] = {}
        self._where: dict[str, list[str]] = {}  # places by purl
        self._node = NODE
        self._settings: dict[
            str, str
        ] = {}  # environment of the driver: what settings there were after the fetch

    def runs_on(self, chosen: Chosen) -> None:
        """Have everything run on this Node.js of the image, with the npm beside it."""
        self.env = chosen.env
        self.notes = (*self.notes, *chosen.notes)
        self._node = f"{chosen.home}/bin/node" if chosen.home else NODE

    @property
    def fetch(self) -> Phase:
        """One command of the package manager, its scripts switched off."""
        argv, script = self._manager.fetch, None
        if self._outside:
            script = " ".join(argv[:2])
            argv = (self._node, outside.DRIVER, outside.LIST, *argv)
        command = Command(
            argv, self.project, env=self._manager.env, timeout=self.options.phase_timeout, script=script
        )
        return self._remember(Phase("fetch", (command,)))

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        """Inventory, then every lifecycle script: all preinstalls, installs and postinstalls in the order of
        dependencies, as npm orders them, then the project's own."""
        self._settings = settings.kept(tree, self.project)
        places = self._manager.inventory(tree, self.project)
        self._places = {"": self._root, **{key: entry for key, entry in places.items() if key}}
        self._where = {}
        manifests = {key: tree.read_json(f"{self._folder(key)}/package.json") for key in places if key}
        scripts = {key: self._scripts(tree, key, found) for key, found in manifests.items() if found}
        own_manifest = tree.read_json(f"{self.project}/package.json")
        mine = manifest.scripts(own_manifest, self._has_gyp(tree, ""), manifest.ROOT_EVENTS)
        scripts[""] = {event: text for event, text in mine.items() if event in manifest.DEPENDENCY_EVENTS}
        there = self._take_inventory(manifests, scripts)
        anew = self._manager.anew(tree, self.project)
        fetched = self._fetched_by_scripts(tree, there)
        self._installed = replace(there, notes=(*there.notes, *anew, *fetched))
        self._fetched = frozenset(package.purl for package in there.packages)
        commands: list[Command] = []
        order = lock.dependency_order(self._places)
        for event in manifest.LINK_EVENTS:
            commands += [self._script(key, event) for key in order if key and event in scripts.get(key, {})]
        commands += [self._script("", event) for event in mine]
        return self._remember(Phase("install", tuple(commands)))

    def _fetched_by_scripts(self, tree: BoxTree, there: Inventory) -> tuple[str, ...]:
        """A note about what the project's own scripts have fetched and run beside the tree."""
        here = {package.name for package in there.packages}
        bins = set(tree.names(f"{self.project}/node_modules/.bin"))
        beside = [shortened(name) for name in self._by_scripts if name not in here and name not in bins]
        if not beside:
            return ()
        return (
            f"The project's own scripts fetch and run {', '.join(beside[:10])}{' …' if len(beside) > 10 else ''}: no"
            " lock file pins that, so the registry was asked for it as for a dependency.",
        )

    def imports(self, tree: BoxTree) -> Phase:
        """Each direct dependency of the project and of its workspaces, in a process of its own; then what of the
        project is a package itself."""
        commands: list[Command] = []
        more: list[list[Command]] = []
        self._skipped_imports, self._unloaded = [], {}
        self._loaders = self._find_loaders(tree)
        for base, key in self._direct():
            folder = self._folder(key)
            found = tree.read_json(f"{folder}/package.json")
            how = manifest.loader(tree, folder, found) if found else "require"
            if not found and self._places[key].name in self._away():
                continue  # the inventory says that it is not here
            part = self._own_folder(key)
            if part and (not found or how is None):
                self._unbuilt[part] = None
                continue
            if not part and self._purl(key) not in self._fetched:
                continue  # coverage says that it is not there
            if how is None:
                self._skipped_imports.append(self._places[key].name)
                continue
            commands.append(self._load(base, key, how))
            if self.target.purl is not None and not self.options.depth.submodules:
                commands += self._more_of(key, how, found)
            elif self.options.depth.submodules:
                more.append(self._all_of(tree, (base, key), how, found))
        loaded = {command.blame_purl for command in commands}
        for key in self._own_places():
            if self._purl(key) not in loaded:
                found = tree.read_json(f"{self.project}/{key}/package.json")
                first, rest = self._own(tree, key, found)
                commands += first
                more.insert(0, rest)
        return self._remember(Phase("import", (*commands, *in_turn(more))))

    def _own_places(self) -> list[str]:
        """The project and its members, as far as it is the user's own."""
        if self.plant is None:
            return []
        return [key for key, entry in self._places.items() if "node_modules/" not in key and not entry.link]

    def _own(self, tree: BoxTree, key: str, found: Mapping[str, Any]) -> tuple[list[Command], list[Command]]:
        """The load of what is a package itself, and those of its sub-modules and commands; why there is none is
        noted."""
        folder = f"{self.project}/{key}" if key else self.project
        load = own_load(tree, folder, found)
        if not isinstance(load, OwnLoad):
            name = as_text(found.get("name"), 214)
            if name:
                self._unloaded.setdefault(load.why, []).append(name)
            return [], []
        first = [self._own_step(load.how, load.asked, key, load.how)] if load.how else []
        if not self.options.depth.submodules:
            return first, []
        rest = []
        for path in submodules.offered(tree, folder, found, _MAX_OWN) if load.how else ():
            asked = f"{load.asked}/{path}" if load.by_name else f"./{path}"
            way = submodules.how(path, found, load.how)
            rest.append(self._own_step(way, asked, key, f"{way}/{path}"))
        for name, path in manifest.command_files(found).items():
            rest.append(self._step((self._node, f"{folder}/{path}", "--help"), folder, key, f"bin {name}"))
        return first, self._limited(rest)

    def _own_step(self, how: str, asked: str, key: str, script: str) -> Command:
        folder = f"{self.project}/{key}" if key else self.project
        return self._loaded(how, asked, folder, key, script)

    def _loaded(self, how: str, asked: str, cwd: str, key: str, script: str) -> Command:
        """The command that loads it, alone or with others."""
        step = self._step(self._loading(how, asked), cwd, key, script)
        return replace(step, together=(self._node, "-e", _TOGETHER, "--"), item=f"{how} {asked}")

    def _loading(self, how: str, asked: str) -> tuple[str, ...]:
        """The command line that loads what is asked for, by name or by a path from its working folder."""
        text = json.dumps(asked)
        if how == "import":
            return (self._node, "--input-type=module", "-e", f"await import({text})")
        return (self._node, "-e", f"require({text})")

    def _limited(self, commands: list[Command]) -> list[Command]:
        seconds = self.options.depth.submodule_seconds
        return [replace(command, within=seconds) for command in commands]

    def _all_of(
        self, tree: BoxTree, where: tuple[str, str], how: str, found: Mapping[str, Any]
    ) -> list[Command]:
        """Of a direct dependency (and the base that asks for it) all sub-modules and commands, up to a number."""
        base, key = where
        folder = f"{self.project}/{key}"
        most = _MAX_OWN if self.target.purl is not None else _MAX_EXTRA
        more = [
            self._load(base, key, submodules.how(path, found, how), f"/{path}")
            for path in submodules.offered(tree, folder, found, most)
        ]
        if how == "require" and manifest.has_twin(found):
            more.insert(0, self._load(base, key, "import"))
        for name, path in list(manifest.command_files(found).items())[:_MAX_EXTRA]:
            link = f"{self.project}/node_modules/.bin/{name}"
            argv = (link, "--help") if tree.kind(link) else (self._node, f"{folder}/{path}", "--help")
            more.append(self._step(argv, folder, key, f"bin {name}"))
        return self._limited(more)

    def _own_folder(self, key: str) -> str:
        """The folder of the project itself that is loaded there; "" of a package that was fetched."""
        entry = self._places[key]
        place = entry.link or key
        return "" if "node_modules/" in place else place

    def _find_loaders(self, tree: BoxTree) -> dict[str, str]:
        """How each package is loaded, asked while the box still shows it."""
        found = {}
        for key, entry in self._places.items():
            folder = self._folder(key)
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
                if key or self._is_package:
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
        found = self._installed
        if not self._manager.complete:
            strangers = named.reasons(self._manager.strange_registries, found.packages)
            found = replace(found, reasons=(*found.reasons, *strangers))
        said = list(itself.sentences(self._unloaded))
        if self._unbuilt:
            some = ", ".join(shortened(name) for name in list(self._unbuilt)[:10])
            said.append(
                f"Not loaded, since the project is not built: its own {some}. What they depend on was."
            )
        found = replace(found, notes=(*found.notes, *said), asked=frozenset(self._by_scripts))
        parts = own.parts(self._manager.manifest, self._manager.also_asks, self.project, self.root)
        return coverage(self._planned, self.options, found, runs, self._skipped_imports, parts)

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
        path = f"{SHIMS}:{self.env.get('PATH', PATH)}"
        return Command(
            (self._node, LIFECYCLE, name, "install", event, key or "."),
            self.project,
            env={**self._settings, **({"PATH": path} if self._shims else {})},
            timeout=self.options.script_timeout,
            blame_purl=self._purl(key) if key or self._as_a_package(event) else None,
            script=event,
            essential=False,
        )

    def _as_a_package(self, event: str) -> bool:
        """Whether the project's own script is one that it runs with whoever depends on it."""
        return self._is_package and event in manifest.DEPENDENCY_EVENTS

    def _load(self, base: str, key: str, how: str, path: str = "") -> Command:
        # The name under which the project asks for it, which for an alias is not the package's own.
        name = key.rsplit("node_modules/", 1)[-1] if "node_modules/" in key else self._places[key].name
        folder = f"{self.project}/{base}" if base else self.project
        return self._loaded(how, name + path, folder, key, how + path)

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
        mine = frozenset(bases)
        found: dict[str, str] = {}
        for base in bases:
            for name in self._places[base].requires:
                key = lock.resolve(self._places, base, name)
                if key is not None and key not in mine:
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
            entry.name
            for key, entry in wanted.items()
            if key not in here and not _may_be_absent(entry) and "node_modules/" in key
        ]
        missing += [
            name
            for name in self._root.requires
            if name not in self._root.optional_requires and lock.resolve(self._places, "", name) is None
        ]
        away = self._away()
        far = [name for name in dict.fromkeys(missing) if name in away]
        near = own.beside(self._manager.manifest, self.project, self.root)
        missing = [name for name in missing if name not in away and name not in near]
        names = {entry.name for entry in here.values()} | {manifest.folder_name(key) for key in here}
        optional = self._unscanned({"": self._manager.manifest, **manifests})
        told = {name for name, _ in optional}
        absent = [item for item in self._outside if item.name not in names and item.name not in told]
        missing += [item.name for item in absent]
        confused = [
            f"{entry.name}@{entry.version} says in package.json that it is {as_text(found['version'], 64)}."
            for key, entry in here.items()
            if entry.version and (found := manifests[key]).get("version") not in (entry.version, None)
        ]
        mine = (self._own_package(scripts),) if self._is_package else ()
        return Inventory(
            packages=(*mine, *self._packages(here, scripts)),
            missing=tuple(dict.fromkeys(missing)),
            expected=len(mine) + len(here) + len(set(missing)) + len(far),
            reasons=tuple(
                dict.fromkeys(
                    (
                        *outside.sentences(absent)[:_MAX_NAMED],
                        *optional.values(),
                        *(_far(name, away[name]) for name in far[:_MAX_NAMED]),
                    )
                )
            ),
            notes=tuple(confused[:20]),
        )

    def _folder(self, key: str) -> str:
        """Where a location is; one beside the project (``../shared``) lies in the folder that was given."""
        return posixpath.normpath(f"{self.project}/{key}")

    def _away(self) -> Mapping[str, str]:
        """Name -> path of what the project asks for by a path that leads out of what was given."""
        return own.outside(self._manager.manifest, self.project, self.root)

    def _own_package(self, scripts: Mapping[str, Mapping[str, str]]) -> Package:
        """The project as one of the packages. Its manifest is its own; what else lies around in the project is no
        package's, as in any project: builds and tools write there."""
        root = self._root
        return Package(
            self._purl(""),
            root.name,
            root.version,
            self.project,
            chain=(root.name,),
            direct=True,
            scripts=scripts.get("", {}),
            requires=root.requires,
            places=(f"{self.project}/package.json",),
        )

    def _unscanned(self, manifests: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], str]:
        """(name, what is asked for) -> a sentence, for each optional dependency from a repository, an address or a
        folder that is not there: managers go on without it here, and may have it elsewhere."""
        found: dict[tuple[str, str], str] = {}
        away = self._away()
        for key, text in manifests.items():
            for name, spec in as_text_map(text.get("optionalDependencies")).items():
                place = lock.resolve(self._places, key, name) if manifest.from_elsewhere(spec) else ""
                if (place is None or (place and not manifests.get(place))) and len(found) < _MAX_NAMED:
                    gone = f"{name[:214]} ({spec[:300]}) was not scanned: it was not installed."
                    found[name, spec] = _far(name, spec) if not key and name in away else gone
        return found


def _far(name: str, spec: str) -> str:
    """Why what lies beside the project is not there, and the way out."""
    return (
        f"{name[:214]} ({spec[:300]}) lies outside of the project, so it was not scanned. Scan the folder that holds "
        "both, with --recursive."
    )


def preload() -> None:
    """Read the files that plans need: a child that plans may not."""
    for name in ("lifecycle.js", "exercise.js", "elsewhere.js", "manager.js"):
        _script_file(name)


def _may_be_absent(entry: Entry) -> bool:
    """Optional packages are left out on other platforms; bundled ones may lie inside their bundler's
    files."""
    return entry.optional or entry.in_bundle or entry.peer


@cache
def _script_file(name: str) -> bytes:
    return resources.files("package_hunter.ecosystems.npm").joinpath(name).read_bytes()
