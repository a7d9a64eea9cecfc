"""npm as an ecosystem: recognises projects, npm-pack archives and purls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from package_hunter.ecosystems import jsontext
from package_hunter.ecosystems.base import Plan, PlanOptions, Staged
from package_hunter.ecosystems.interface import Planning
from package_hunter.ecosystems.npm import lock, locked, members, yarn_lock
from package_hunter.ecosystems.npm import plan as npm_plan
from package_hunter.ecosystems.npm.managers import Manager, Npm, Pnpm, YarnBerry, YarnClassic
from package_hunter.ecosystems.npm.plan import NpmPlan
from package_hunter.ecosystems.pinned import LockFile, Pinned
from package_hunter.ecosystems.tree import BoxTree, as_text, parse_object
from package_hunter.errors import NothingToScanError
from package_hunter.model.scan import BoxFile, Target

_PROGRAMS = re.compile(
    rb"^[^\S\n]*+(git|node-options|node_options|shell|script-shell|node-gyp|editor|pnpmfile)[^\S\n]*+=", re.M
)
_FORM = '{"name": "app", "version": "1.0.0", "private": true, "dependencies": {}}'


class NpmPlanning(Planning):
    """See ``ecosystems.interface``."""

    def recognise(self, staged: Staged) -> bool:
        """By the purl's type, or a package.json at the top."""
        if staged.purl is not None:
            return staged.purl.startswith("pkg:npm/")
        return staged.tree.kind(f"{staged.project}/package.json") == "file"

    def plan(self, staged: Staged, options: PlanOptions) -> Plan:
        """A project as it is; a package inside a project of our own that depends on it."""
        if staged.purl is not None:
            return self._plan_purl(staged, options)
        found = _read_manifest(staged)
        if staged.top == "package" and as_text(found.get("name")) and as_text(found.get("version")):
            return self._plan_archive(staged, found, options)
        name = as_text(found.get("name"), 214) or staged.name
        target = Target(name, "npm", sha256=staged.sha256)
        manager = _manager(staged, found)
        manager.also_asks = tuple(members.manifests(staged.tree, staged.project, found).values())
        return NpmPlan(staged, options, manager, target)

    def lock_files(self, tree: BoxTree, project: str) -> Iterator[LockFile]:
        """npm's own, yarn's, pnpm's."""
        return locked.lock_files(tree, project)

    def project_of(self, folder: Path, here: Sequence[Pinned], everything: Sequence[Pinned]) -> None:
        """What they need in turn is held at the versions of ``everything``, by npm's overrides."""
        locked.project_of(folder, here, everything)

    def members(self, tree: BoxTree, project: str) -> Iterable[str]:
        """The members of workspaces."""
        return members.manifests(tree, project, tree.read_json(f"{project}/package.json"))

    def preload(self) -> None:
        """The scripts of ours that are planted in the box."""
        npm_plan.preload()

    def _plan_purl(self, staged: Staged, options: PlanOptions) -> Plan:
        assert staged.purl is not None
        purl = PackageURL.from_string(staged.purl)
        name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
        target = Target(name, "npm", purl=staged.purl)
        return self._synthetic(staged, options, target, {name: purl.version or "latest"}, ())

    def _plan_archive(self, staged: Staged, found: Mapping[str, Any], options: PlanOptions) -> Plan:
        assert staged.folder is not None
        name, version = as_text(found.get("name"), 214), as_text(found.get("version"), 256)
        target = Target(name, "npm", purl=lock.purl(name, version), sha256=staged.sha256)
        base = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "-" for c in f"{name}-{version}")
        archive = f"{base.strip('-.')[:120] or 'package'}.tgz"
        files = (BoxFile(f"{staged.project}/{archive}", b"", pack="tgz"),)
        extra = {
            key: value for key, value in found.items() if key in ("dependencies", "optionalDependencies")
        }
        return self._synthetic(staged, options, target, {name: f"file:{archive}"}, files, extra)

    def _synthetic(
        self,
        staged: Staged,
        options: PlanOptions,
        target: Target,
        dependencies: Mapping[str, str],
        files: tuple[BoxFile, ...],
        asked: Mapping[str, Any] | None = None,
    ) -> Plan:
        manifest = {**json.loads(_FORM), "dependencies": dict(dependencies)}
        manager = Npm(manifest, {}, ())
        manager.also_asks = (asked,) if asked else ()
        text = json.dumps(manifest, indent=2).encode() + b"\n"
        files = (BoxFile(f"{staged.project}/package.json", text), *files)
        return NpmPlan(staged, options, manager, target, files)


def _read_manifest(staged: Staged) -> dict[str, Any]:
    raw = staged.tree.read(f"{staged.project}/package.json", 16 << 20)
    try:
        found = jsontext.loads(raw or b"")
    except ValueError as error:
        raise NothingToScanError(
            f"The package.json of {staged.name} is no sound JSON: {error}.",
            "Mend it (`npm pkg get name` must work).",
        ) from None
    if not isinstance(found, dict):
        raise NothingToScanError(
            f"The package.json of {staged.name} holds no object.", "It must be a JSON object."
        )
    return found


def _manager(staged: Staged, manifest: Mapping[str, Any]) -> Manager:
    """The manager that the project uses. Its .npmrc may name programs that the manager starts."""
    manager = _by_lock_file(staged, manifest)
    settings = staged.tree.read(f"{staged.project}/.npmrc", 1 << 20) or b""
    if _PROGRAMS.search(settings):
        manager.runs_alone = False
    return manager


def _by_lock_file(staged: Staged, manifest: Mapping[str, Any]) -> Manager:
    """The manager whose lock file lies there: npm's own, then yarn's, then pnpm's; npm without any."""
    tree, base = staged.tree, staged.project
    for name in ("npm-shrinkwrap.json", "package-lock.json"):
        raw = tree.read(f"{base}/{name}", lock.MAX_LOCK_BYTES)
        if raw is not None:
            return Npm(manifest, parse_object(raw), ())
    yarn = tree.read(f"{base}/yarn.lock", lock.MAX_LOCK_BYTES)
    if yarn is not None:
        text = yarn.decode("utf-8", "replace")
        return YarnBerry(manifest, text) if yarn_lock.is_berry(text) else YarnClassic(manifest, text)
    pnpm = tree.read(f"{base}/pnpm-lock.yaml", lock.MAX_LOCK_BYTES)
    if pnpm is not None:
        return Pnpm(manifest, pnpm.decode("utf-8", "replace"), not _has_hooks(tree, base, manifest))
    return Npm(manifest, {}, ())


def _has_hooks(tree: BoxTree, base: str, manifest: Mapping[str, Any]) -> bool:
    """Whether pnpm may run code of the project's while it fetches: its hooks, or plugins that bring some."""
    settings = [tree.read(f"{base}/{name}", 1 << 20) or b"" for name in (".npmrc", "pnpm-workspace.yaml")]
    settings.append(_words(manifest.get("pnpm")))
    names = set(tree.names(base))
    told = any(
        word in text for word in (b"pnpmfile", b"onfigDependencies", b"node-options") for text in settings
    )
    return told or bool(names & {".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"})


def _words(value: object) -> bytes:
    """Every text in a value of JSON, however it is nested."""
    found, stack = [], [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack += [*item, *item.values()]
        elif isinstance(item, list):
            stack += item
        elif isinstance(item, str):
            found.append(item)
    return "\n".join(found).encode("utf-8", "replace")
