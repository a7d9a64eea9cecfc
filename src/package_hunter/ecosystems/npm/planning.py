"""npm as an ecosystem: recognises projects, npm-pack archives and purls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from package_hunter.ecosystems import jsontext
from package_hunter.ecosystems.base import Plan, PlanOptions, SourceTree
from package_hunter.ecosystems.interface import Planning
from package_hunter.ecosystems.npm import interpreter, lock, locked, members, yarn_lock
from package_hunter.ecosystems.npm import plan as npm_plan
from package_hunter.ecosystems.npm.managers import Manager, Npm, Pnpm, YarnBerry, YarnClassic
from package_hunter.ecosystems.npm.plan import NpmPlan
from package_hunter.ecosystems.pinned import LockFile, Pin
from package_hunter.ecosystems.tree import BoxTree, as_text, parse_object
from package_hunter.errors import NothingToScanError
from package_hunter.model.scan import BoxFile, Target

_PROGRAMS = re.compile(
    rb"^[^\S\n]*+(git|node-options|node_options|shell|script-shell|node-gyp|editor|pnpmfile)[^\S\n]*+=", re.M
)
_FORM = '{"name": "app", "version": "1.0.0", "private": true, "dependencies": {}}'


class NpmPlanning(Planning):
    """See ``ecosystems.interface``."""

    def recognise(self, source_tree: SourceTree) -> bool:
        """By the purl's type, or a package.json at the top."""
        if source_tree.purl is not None:
            return source_tree.purl.startswith("pkg:npm/")
        return source_tree.tree.kind(f"{source_tree.project}/package.json") == "file"

    def plan(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        """A project as it is; a package inside a project of our own that depends on it."""
        if source_tree.purl is not None:
            return self._plan_purl(source_tree, options)
        found = _read_manifest(source_tree)
        if source_tree.top == "package" and as_text(found.get("name")) and as_text(found.get("version")):
            return self._plan_archive(source_tree, found, options)
        name = as_text(found.get("name"), 214) or source_tree.name
        target = Target(name, "npm", sha256=source_tree.sha256)
        manager = _manager(source_tree, found)
        manager.also_asks = tuple(members.manifests(source_tree.tree, source_tree.project, found).values())
        plan = NpmPlan(source_tree, options, manager, target)
        plan.runs_on(interpreter.chosen(source_tree.tree, source_tree.project, found, options.interpreters))
        return plan

    def lock_files(self, tree: BoxTree, project: str) -> Iterator[LockFile]:
        """npm's own, yarn's, pnpm's."""
        return locked.lock_files(tree, project)

    def project_of(self, folder: Path, here: Sequence[Pin], everything: Sequence[Pin]) -> None:
        """What they need in turn is held at the versions of ``everything``, by npm's overrides."""
        locked.project_of(folder, here, everything)

    def members(self, tree: BoxTree, project: str) -> Iterable[str]:
        """The members of workspaces."""
        return members.manifests(tree, project, tree.read_json(f"{project}/package.json"))

    def preload(self) -> None:
        """The scripts of ours that are planted in the box."""
        npm_plan.preload()

    def _plan_purl(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        assert source_tree.purl is not None
        purl = PackageURL.from_string(source_tree.purl)
        name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
        target = Target(name, "npm", purl=source_tree.purl)
        return self._synthetic(source_tree, options, target, {name: purl.version or "latest"}, ())

    def _plan_archive(self, source_tree: SourceTree, found: Mapping[str, Any], options: PlanOptions) -> Plan:
        assert source_tree.folder is not None
        name, version = as_text(found.get("name"), 214), as_text(found.get("version"), 256)
        target = Target(name, "npm", purl=lock.purl(name, version), sha256=source_tree.sha256)
        base = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "-" for c in f"{name}-{version}")
        archive = f"{base.strip('-.')[:120] or 'package'}.tgz"
        files = (BoxFile(f"{source_tree.project}/{archive}", b"", pack="tgz"),)
        extra = {
            key: value for key, value in found.items() if key in ("dependencies", "optionalDependencies")
        }
        return self._synthetic(source_tree, options, target, {name: f"file:{archive}"}, files, extra)

    def _synthetic(
        self,
        source_tree: SourceTree,
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
        files = (BoxFile(f"{source_tree.project}/package.json", text), *files)
        return NpmPlan(source_tree, options, manager, target, files)


def _read_manifest(source_tree: SourceTree) -> dict[str, Any]:
    raw = source_tree.tree.read(f"{source_tree.project}/package.json", 16 << 20)
    try:
        found = jsontext.loads(raw or b"")
    except ValueError as error:
        raise NothingToScanError(
            f"The package.json of {source_tree.name} is no sound JSON: {error}.",
            "Mend it (`npm pkg get name` must work).",
        ) from None
    if not isinstance(found, dict):
        raise NothingToScanError(
            f"The package.json of {source_tree.name} holds no object.", "It must be a JSON object."
        )
    return found


def _manager(source_tree: SourceTree, manifest: Mapping[str, Any]) -> Manager:
    """The manager that the project uses. Its .npmrc may name programs that the manager starts."""
    manager = _by_lock_file(source_tree, manifest)
    settings = source_tree.tree.read(f"{source_tree.project}/.npmrc", 1 << 20) or b""
    if _PROGRAMS.search(settings):
        manager.runs_alone = False
    return manager


def _by_lock_file(source_tree: SourceTree, manifest: Mapping[str, Any]) -> Manager:
    """The manager whose lock file lies there: npm's own, then yarn's, then pnpm's; npm without any."""
    tree, base = source_tree.tree, source_tree.project
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
