"""What differs between npm, yarn and pnpm: the fetch command, the lock file, where the inventory comes
from."""

from __future__ import annotations

import base64
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from package_hunter.ecosystems.npm import bun_lock, installed, lock, outside, yaml_lock, yarn_lock
from package_hunter.ecosystems.npm.lock import Entry
from package_hunter.ecosystems.npm.manifest import KINDS_OF_DEPENDENCY, dependencies
from package_hunter.ecosystems.npm.outside import Outside
from package_hunter.ecosystems.npm.yarn_lock import LockEntry
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text, as_text_map
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.text import shortened

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

    kind = "npm"  # whose settings it reads: npm, yarn, pnpm
    lock_names: tuple[str, ...] = ()  # where it leaves its lock file, below the project
    files: Mapping[str, bytes] = {}  # to plant, by their names below the project
    agent = "npm"  # as the manager calls itself in npm_config_user_agent, the others with their version
    fetch: tuple[str, ...]
    env: Mapping[str, str] = {}
    locked: Mapping[str, Entry] = {}  # what the lock file lists, by location; empty without one
    notes: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()  # packages of the manager itself, where it comes out of the registry
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


ANEW = "So versions were resolved at the time of this scan: they may be others than yours."
NO_LOCK = "There is no lock file, so versions were resolved at the time of this scan: they may be others than yours."


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

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str) -> None:
        found = bun_lock.as_npm_lock(lock_text)
        super().__init__(project_manifest, found, ())
        if found:
            self.files = {"package-lock.json": json.dumps(found, indent=2).encode()}
            self.notes += ("npm installed the versions that bun.lock lists.",)
        else:
            self.notes += (f"bun.lock could not be read. {ANEW}",)


class _ListedManager(Manager):
    """A manager that leaves no list of what it installed: the folders tell, the lock file gives integrity."""

    def __init__(
        self, project_manifest: Mapping[str, Any], lock_text: str | None, notes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(project_manifest)
        self._text = lock_text
        self._after: list[LockEntry] | None = None
        entries = self._read(lock_text or "")
        notes = (*notes, NO_LOCK) if lock_text is None else notes
        self.members: list[str] = []
        self._entries = entries
        self.notes = notes

    @abstractmethod
    def _read(self, text: str) -> list[LockEntry]:
        """The packages of a lock file of this manager."""

    @property
    def complete(self) -> bool:
        return bool(self._entries)

    def _locked_outside(self, hosts: frozenset[str] | None) -> Sequence[Outside]:
        return outside.of_entries(self._entries, hosts)

    def anew(self, tree: BoxTree, project: str) -> tuple[str, ...]:
        """As the lock file that the fetch left tells it, against what it held before."""
        if self._text is None:
            return ()
        before = {(item.name, item.version) for item in self._entries}
        new = [
            f"{item.name}@{item.version}"
            for item in self._left(tree, project)
            if (item.name, item.version) not in before
        ]
        if not new:
            return ()
        name = self.lock_names[0]
        some = ", ".join(shortened(text) for text in new[:5]) + (" …" if len(new) > 5 else "")
        why = "does not fit package.json" if before else "lists no package that could be read"
        return (
            f"{name} {why}, so {self.kind} resolved {len(new)} of its packages anew ({some}): versions may be others"
            " than yours.",
        )

    def _left(self, tree: BoxTree, project: str) -> list[LockEntry]:
        """The packages of the lock file that the fetch left; it is read once, and only where it was changed."""
        if self._after is None:
            raw = tree.read(f"{project}/{self.lock_names[0]}", lock.MAX_LOCK_BYTES)
            text = (raw or b"").decode("utf-8-sig", "replace")
            self._after = self._entries if text in ("", self._text) else self._read_whole(text)
        return self._after

    def _read_whole(self, text: str) -> list[LockEntry]:
        return self._read(text)

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
            closed=self.complete,
            integrity=integrity,
            urls=frozenset(urls),
            proven=proven.found,
        )

    def inventory(self, tree: BoxTree, project: str) -> dict[str, Entry]:
        left = self._left(tree, project)  # first: it may tell the members
        found = installed.from_folders(tree, project, self.members)
        entries = (*left, *self._entries)
        sri = {(item.name, item.version): item.integrity for item in entries if item.integrity}
        return {
            key: installed.with_integrity(entry, sri.get((entry.name, entry.version)))
            for key, entry in found.items()
        }


class YarnClassic(_ListedManager):
    """yarn 1: ``yarn install``, which keeps to a lock file that fits."""

    kind = "yarn"
    lock_names = ("yarn.lock",)
    agent = "yarn/1.22.22"

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str | None) -> None:
        super().__init__(project_manifest, lock_text)
        self.fetch = ("yarn", "install", *_YARN_FLAGS)

    def _read(self, text: str) -> list[LockEntry]:
        return yarn_lock.parse(text)


class YarnBerry(_ListedManager):
    """yarn 2 and later, as its own release 4 out of the registry. Its folders are made as npm's
    (``node-modules``), so that scripts and imports find them; the project's plugins and its own copy of yarn
    (``.yarn/releases``) stay unused, since they are the project's code."""

    kind = "yarn"
    lock_names = ("yarn.lock",)
    agent = "yarn/4.9.2"
    tool = ("@yarnpkg/cli-dist",)

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str | None) -> None:
        note = "yarn 4 installed into node_modules; plugins and .yarnrc.yml of the project were not used."
        super().__init__(project_manifest, lock_text, (note,))
        self.fetch = (*_npm_exec("@yarnpkg/cli-dist@4", "yarn"), "install", "--mode=skip-build")
        self.env = {
            "YARN_NODE_LINKER": "node-modules",
            "YARN_ENABLE_SCRIPTS": "0",
            "YARN_ENABLE_TELEMETRY": "0",
            "YARN_IGNORE_PATH": "1",
            "YARN_ENABLE_IMMUTABLE_INSTALLS": "0",
            "YARN_ENABLE_GLOBAL_CACHE": "1",
        }

    def _read(self, text: str) -> list[LockEntry]:
        return yaml_lock.berry(text)


class Pnpm(_ListedManager):
    """pnpm, in the major version that wrote the lock file, or the version that the project asks for. It keeps to a lock
    file that fits, and resolves anew what does not."""

    kind = "pnpm"
    lock_names = ("pnpm-lock.yaml",)
    tool = ("pnpm",)

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str | None) -> None:
        super().__init__(project_manifest, lock_text)
        self.members = yaml_lock.pnpm_members(lock_text or "")
        version = _pnpm_version(project_manifest, lock_text)
        self.agent = f"pnpm/{version}" if "." in version else f"pnpm/{version}.0.0"
        self.fetch = (
            *_npm_exec(f"pnpm@{version}", "pnpm"),
            "install",
            "--ignore-scripts",
            "--no-frozen-lockfile",
            "--prefer-frozen-lockfile",
            "--prod=false",
            "--config.manage-package-manager-versions=false",
            "--config.verify-store-integrity=true",
        )
        # Without an answer to everything it might ask, pnpm stops where there is no terminal.
        self.env = {"CI": "true"}

    def _read(self, text: str) -> list[LockEntry]:
        return yaml_lock.pnpm(text)

    def _read_whole(self, text: str) -> list[LockEntry]:
        self.members = yaml_lock.pnpm_members(text) or self.members
        return super()._read_whole(text)


def _pnpm_version(project_manifest: Mapping[str, Any], lock_text: str | None) -> str:
    """What npm is asked for: the version of ``packageManager`` where that wrote the lock file, else the latest of
    its major version."""
    major = None if lock_text is None else yaml_lock.pnpm_major(lock_text)
    hit = _PNPM.match(as_text(project_manifest.get("packageManager"), 300))
    if hit and (major in (None, int(hit[2])) or major == _LATEST_FORM <= int(hit[2])):
        return hit[1]
    return str(major or _LATEST_FORM)


_LATEST_FORM = 9  # since this major version the lock file's form is the same
_PNPM = re.compile(r"pnpm@((\d{1,3})\.\d{1,4}\.\d{1,4})(?:\+|$)")


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
