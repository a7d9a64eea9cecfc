"""What differs between npm, yarn and pnpm: the fetch command, the lock file, where the inventory comes
from."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from package_hunter.ecosystems.npm import bun_lock, installed, lock, outside, yarn_lock
from package_hunter.ecosystems.npm.lock import Entry
from package_hunter.ecosystems.npm.manifest import KINDS_OF_DEPENDENCY, dependencies
from package_hunter.ecosystems.npm.outside import Outside
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text_map
from package_hunter.model.registry import RegistryAllow

# Said on the command line, where nothing that lies in the project can overrule it.
_NPM_FLAGS = (
    "--ignore-scripts",
    "--include=dev",
    "--include=optional",
    "--include=peer",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--no-progress",
    "--dry-run=false",
    "--package-lock-only=false",
    "--global=false",
    "--offline=false",
)


class Manager(ABC):
    """One package manager at work on one project."""

    kind = "npm"  # whose settings it reads: npm, yarn, pnpm
    lock_names: tuple[str, ...] = ()  # where it leaves its lock file, below the project
    files: Mapping[str, bytes] = {}  # to plant, by their names below the project
    agent = "npm"  # as the manager calls itself in npm_config_user_agent, the others with their version
    fetch: tuple[str, ...]
    env: Mapping[str, str] = {}
    locked: Mapping[str, Entry] = {}  # what the lock file lists, by location; empty without one
    notes: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()  # packages of the manager itself, where it comes out of the registry
    on_path = ""  # the program's name for scripts, where the image has none and the fetch brought it
    strange_registries: Mapping[str, str] = {}  # see named.strange
    folders: tuple[str, ...] = ()  # of those manifests, relative to the project
    also_asks: tuple[Mapping[str, Any], ...] = ()  # manifests whose dependencies are asked for too
    # While it fetches, no code runs but the manager's own: nothing of the project, nothing of a package.
    runs_alone = True

    def __init__(self, project_manifest: Mapping[str, Any]) -> None:
        self.manifest = project_manifest

    @abstractmethod
    def registry(self) -> RegistryAllow:
        """What the gateway may pass on for this project."""

    def outside(self, hosts: frozenset[str] | None) -> tuple[Outside, ...]:
        """What of the tree lies outside of the registries at ``hosts``."""
        return outside.joined(
            (*self._locked_outside(hosts), *outside.of_manifests((self.manifest, *self.also_asks), hosts))
        )

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether a lock file lists all that is installed."""

    @abstractmethod
    def _locked_outside(self, hosts: frozenset[str] | None) -> Sequence[Outside]:
        """What of it the lock file says."""

    def anew(self, tree: BoxTree, project: str) -> tuple[str, ...]:
        """A note where the manager did not take the versions of the lock file as it stood. Ask after the fetch."""
        return ()

    @abstractmethod
    def inventory(self, tree: BoxTree, project: str) -> dict[str, Entry]:
        """What the fetch left, by location."""

    def _asked(self) -> tuple[set[str], set[str]]:
        """Names that the project asks for itself, and full addresses."""
        names: set[str] = set()
        urls: set[str] = set()
        wanted = [
            *dependencies(self.manifest).items(),
            *(item for other in self.also_asks for item in dependencies(other).items()),
            *_overrides(self.manifest),
            *_extensions(self.manifest),
        ]
        for name, spec in wanted:
            if spec.startswith(("http://", "https://")):
                urls.add(spec)
            elif not spec.startswith(("file:", "link:", "workspace:", "git", "portal:")):
                names.add(yarn_lock.split_spec(f"{name}@{spec}")[0])
        return names, urls


def _overrides(project_manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    queue = [as_map(project_manifest.get("overrides")), as_map(project_manifest.get("resolutions"))]
    while queue and len(found) < 10_000:
        level = queue.pop()
        for key, value in level.items():
            if isinstance(value, dict):
                queue.append(value)
            elif isinstance(value, str):
                found.append((key.rsplit("/", 1)[-1] if "/**" in key else key.split("@", 1)[0] or key, value))
    return found


def _extensions(project_manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What pnpm is told that packages need beside what they say."""
    told = as_map(as_map(project_manifest.get("pnpm")).get("packageExtensions"))
    found = [item for value in list(told.values())[:1_000] for item in dependencies(as_map(value)).items()]
    return found[:10_000]


class Proven:
    """Addresses whose digest a lock file gives. One that a manifest names by itself (``without``), or that stands
    without it or with another anywhere, is none: the manager would take other bytes, too."""

    def __init__(self, without: Iterable[str]) -> None:
        self.found: dict[str, str] = {}
        self._without = set(without)

    def add(self, url: str, sri: str) -> None:
        """An entry of the lock file."""
        if not sri or self.found.get(url, sri) != sri:
            self._without.add(url)
        if url in self._without:
            self.found.pop(url, None)
        else:
            self.found[url] = sri


ANEW = "So versions were resolved at the time of this scan: they may be others than yours."


class Npm(Manager):
    """npm: ``npm ci`` where the lock file fits package.json, ``npm install`` otherwise."""

    lock_names = ("package-lock.json", "npm-shrinkwrap.json")

    def __init__(
        self, project_manifest: Mapping[str, Any], lock_file: Mapping[str, Any], notes: tuple[str, ...]
    ) -> None:
        super().__init__(project_manifest)
        self._lock = lock_file
        self.locked = lock.entries(lock_file)
        self._fits = _fits(project_manifest, lock_file)
        self.fetch = ("npm", "ci" if self._fits else "install", *_NPM_FLAGS)
        self.notes = notes
        if lock_file and not self._fits:
            self.notes += (
                "The lock file does not fit package.json, so `npm install` resolved it anew: versions may be others"
                " than yours.",
            )
            self.locked = {}

    @property
    def complete(self) -> bool:
        return self._fits and bool(self.locked)

    def _locked_outside(self, hosts: frozenset[str] | None) -> Sequence[Outside]:
        return outside.of_npm_lock(self._lock, hosts)

    def registry(self) -> RegistryAllow:
        names, urls = self._asked()
        integrity: dict[str, str] = {}
        proven = Proven(urls)
        for entry in self.locked.values():
            if not entry.location or entry.link or "node_modules/" not in entry.location:
                continue
            names.add(entry.name)
            if entry.integrity:
                integrity[f"{entry.name}@{entry.version}"] = entry.integrity
            if entry.resolved and entry.resolved.startswith(("http://", "https://")):
                urls.add(entry.resolved)
                proven.add(entry.resolved, entry.integrity or "")
        return RegistryAllow(
            "npm",
            frozenset(names),
            closed=self.complete,
            integrity=integrity,
            urls=frozenset(urls),
            proven=proven.found,
        )

    def inventory(self, tree: BoxTree, project: str) -> dict[str, Entry]:
        return installed.from_hidden_lock(tree, project) or installed.from_folders(tree, project)


def _fits(project_manifest: Mapping[str, Any], lock_file: Mapping[str, Any]) -> bool:
    """Whether the lock file's root says the same as package.json: what `npm ci` looks at first."""
    if not lock_file:
        return False
    if not isinstance(lock_file.get("packages"), dict):
        return isinstance(lock_file.get("dependencies"), dict)  # version 1 does not say; npm ci will
    root = as_map(as_map(lock_file["packages"]).get(""))
    return all(
        as_text_map(root.get(kind)) == as_text_map(project_manifest.get(kind))
        for kind in KINDS_OF_DEPENDENCY
        if kind != "optionalDependencies"
    )


class Bun(Npm):
    """bun, whose lock file says where in node_modules each package lies: npm installs that very tree."""

    def __init__(
        self,
        project_manifest: Mapping[str, Any],
        lock_text: str,
        manifests: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """``manifests``: to be planted in place of the project's, see ``bun_lock.plain_manifests``."""
        found = bun_lock.as_npm_lock(lock_text)
        super().__init__(bun_lock.plain_manifest(project_manifest, lock_text), found, ())
        if found:
            self.files = {**manifests, "package-lock.json": json.dumps(found, indent=2).encode()}
            self.notes += ("npm installed the versions that bun.lock lists.",)
        else:
            self.notes += (f"bun.lock could not be read. {ANEW}",)
