"""yarn and pnpm, which leave no list of what they installed: the folders tell, the lock file gives integrity."""

from __future__ import annotations

import base64
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from package_hunter.ecosystems.base import NO_LOCK
from package_hunter.ecosystems.npm import installed, lock, outside, yaml_lock, yarn_lock
from package_hunter.ecosystems.npm.lock import Entry
from package_hunter.ecosystems.npm.managers import Manager, Proven
from package_hunter.ecosystems.npm.outside import Outside
from package_hunter.ecosystems.npm.yarn_lock import LockEntry
from package_hunter.ecosystems.tree import BoxTree, as_text
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.text import shortened

_YARN_FLAGS = (
    "--ignore-scripts",
    "--non-interactive",
    "--no-progress",
    "--production=false",
    "--ignore-engines",
)


def _sri(digest: str) -> str:
    """The SHA-1 that yarn writes behind an address, as SRI; ``""`` where it is none."""
    if not re.fullmatch(r"[0-9a-f]{40}", digest):
        return ""
    return "sha1-" + base64.b64encode(bytes.fromhex(digest)).decode()


class ListedManager(Manager):
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
        proven = Proven(urls)
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


class YarnClassic(ListedManager):
    """yarn 1: ``yarn install``, which keeps to a lock file that fits."""

    kind = "yarn"
    lock_names = ("yarn.lock",)
    agent = "yarn/1.22.22"

    def __init__(self, project_manifest: Mapping[str, Any], lock_text: str | None) -> None:
        super().__init__(project_manifest, lock_text)
        self.fetch = ("yarn", "install", *_YARN_FLAGS)

    def _read(self, text: str) -> list[LockEntry]:
        return yarn_lock.parse(text)


class YarnBerry(ListedManager):
    """yarn 2 and later, as its own release 4 out of the registry. Its folders are made as npm's
    (``node-modules``), so that scripts and imports find them; the project's plugins and its own copy of yarn
    (``.yarn/releases``) stay unused, since they are the project's code."""

    kind = "yarn"
    lock_names = ("yarn.lock",)
    agent = "yarn/4.9.2"
    tool = ("@yarnpkg/cli-dist",)
    on_path = "yarn"

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


class Pnpm(ListedManager):
    """pnpm, in the major version that wrote the lock file, or the version that the project asks for. It keeps to a lock
    file that fits, and resolves anew what does not."""

    kind = "pnpm"
    lock_names = ("pnpm-lock.yaml",)
    tool = ("pnpm",)
    on_path = "pnpm"

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
