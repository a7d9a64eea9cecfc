"""What differs between npm, yarn and pnpm: the fetch command, the lock file, where the inventory comes
from."""

from __future__ import annotations

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from package_hunter.ecosystems.npm import installed, lock, yaml_lock, yarn_lock
from package_hunter.ecosystems.npm.lock import Entry
from package_hunter.ecosystems.npm.manifest import KINDS_OF_DEPENDENCY, dependencies
from package_hunter.ecosystems.npm.yarn_lock import LockEntry
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
_YARN_FLAGS = (
    "--ignore-scripts",
    "--non-interactive",
    "--no-progress",
    "--production=false",
    "--ignore-engines",
)


class Manager(ABC):
    """One package manager at work on one project."""

    agent = "npm"  # as the manager calls itself in npm_config_user_agent, the others with their version
    fetch: tuple[str, ...]
    env: Mapping[str, str] = {}
    locked: Mapping[str, Entry] = {}  # what the lock file lists, by location; empty without one
    notes: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()  # packages of the manager itself, where it comes out of the registry
    also_asks: tuple[Mapping[str, Any], ...] = ()  # manifests whose dependencies are asked for too
    # While it fetches, no code runs but the manager's own: nothing of the project, nothing of a package.
    runs_alone = True

    def __init__(self, project_manifest: Mapping[str, Any]) -> None:
        self.manifest = project_manifest

    @abstractmethod
    def registry(self) -> RegistryAllow:
        """What the gateway may pass on for this project."""

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


class _Proven:
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


def _sri(digest: str) -> str:
    """The SHA-1 that yarn writes behind an address, as SRI; ``""`` where it is none."""
    if not re.fullmatch(r"[0-9a-f]{40}", digest):
        return ""
    return "sha1-" + base64.b64encode(bytes.fromhex(digest)).decode()


class Npm(Manager):
    """npm: ``npm ci`` where the lock file fits package.json, ``npm install`` otherwise."""

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
            self.notes += ("The lock file does not fit package.json, so `npm install` resolved it anew.",)
            self.locked = {}

    def registry(self) -> RegistryAllow:
        names, urls = self._asked()
        integrity: dict[str, str] = {}
        proven = _Proven(urls)
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
            closed=self._fits and bool(self.locked),
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


class _ListedManager(Manager):
    """A manager that leaves no list of what it installed: the folders tell, the lock file gives integrity."""

    def __init__(
        self, project_manifest: Mapping[str, Any], entries: list[LockEntry], notes: tuple[str, ...]
    ) -> None:
        super().__init__(project_manifest)
        self.members: list[str] = []
        self._entries = entries
        self.notes = notes

    def registry(self) -> RegistryAllow:
        names, urls = self._asked()
        integrity: dict[str, str] = {}
        proven = _Proven(urls)
        for locked in self._entries:
            names.add(locked.name)
            if locked.integrity:
                integrity[f"{locked.name}@{locked.version}"] = locked.integrity
            if locked.resolved.startswith(("http://", "https://")):
                url, _, digest = locked.resolved.partition("#")
                urls.add(url)
                proven.add(url, locked.integrity or _sri(digest))
        return RegistryAllow(
            "npm",
            frozenset({*names, *self.tool}),
            closed=bool(self._entries),
            integrity=integrity,
            urls=frozenset(urls),
            proven=proven.found,
        )

    def inventory(self, tree: BoxTree, project: str) -> dict[str, Entry]:
        found = installed.from_folders(tree, project, self.members)
        sri = {(item.name, item.version): item.integrity for item in self._entries if item.integrity}
        return {
            key: installed.with_integrity(entry, sri.get((entry.name, entry.version)))
            for key, entry in found.items()
        }


class YarnClassic(_ListedManager):
    """yarn 1: ``yarn install --frozen-lockfile``."""

    agent = "yarn/1.22.22"

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str) -> None:
        super().__init__(project_manifest, yarn_lock.parse(lock_text), ())
        frozen = ("--frozen-lockfile",) if self._entries else ()
        self.fetch = ("yarn", "install", *_YARN_FLAGS, *frozen)


class YarnBerry(_ListedManager):
    """yarn 2 and later, as its own release 4 out of the registry. Its folders are made as npm's
    (``node-modules``), so that scripts and imports find them; the project's plugins and its own copy of yarn
    (``.yarn/releases``) stay unused, since they are the project's code."""

    agent = "yarn/4.9.2"
    tool = ("@yarnpkg/cli-dist",)

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str) -> None:
        note = "yarn 4 installed into node_modules; plugins and .yarnrc.yml of the project were not used."
        super().__init__(project_manifest, yaml_lock.berry(lock_text), (note,))
        self.fetch = (*_npm_exec("@yarnpkg/cli-dist@4", "yarn"), "install", "--mode=skip-build")
        self.env = {
            "YARN_NODE_LINKER": "node-modules",
            "YARN_ENABLE_SCRIPTS": "0",
            "YARN_ENABLE_TELEMETRY": "0",
            "YARN_IGNORE_PATH": "1",
            "YARN_ENABLE_IMMUTABLE_INSTALLS": "0",
            "YARN_ENABLE_GLOBAL_CACHE": "1",
        }


class Pnpm(_ListedManager):
    """pnpm, in the major version that wrote the lock file."""

    tool = ("pnpm",)

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str, runs_alone: bool) -> None:
        super().__init__(project_manifest, yaml_lock.pnpm(lock_text), ())
        self.runs_alone = runs_alone
        self.members = yaml_lock.pnpm_members(lock_text)
        major = yaml_lock.pnpm_major(lock_text)
        self.agent = f"pnpm/{major}.0.0"
        self.fetch = (
            *_npm_exec(f"pnpm@{major}", "pnpm"),
            "install",
            "--ignore-scripts",
            "--frozen-lockfile" if self._entries else "--no-frozen-lockfile",
            "--prod=false",
            "--config.manage-package-manager-versions=false",
            "--config.verify-store-integrity=true",
        )
        # Without an answer to everything it might ask, pnpm stops where there is no terminal.
        self.env = {"CI": "true"}


def _npm_exec(package: str, binary: str) -> tuple[str, ...]:
    return (
        "npm",
        "exec",
        "--yes",
        "--ignore-scripts",
        "--no-audit",
        "--no-update-notifier",
        f"--package={package}",
        "--",
        binary,
    )
