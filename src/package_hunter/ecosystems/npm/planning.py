"""npm as an ecosystem: recognises projects, npm-pack archives and purls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from package_hunter.ecosystems import jsontext
from package_hunter.ecosystems.base import Plan, PlanOptions, SourceTree
from package_hunter.ecosystems.interface import Planning
from package_hunter.ecosystems.npm import choice, interpreter, loaders, lock, locked, members, named
from package_hunter.ecosystems.npm import plan as npm_plan
from package_hunter.ecosystems.npm.managers import Manager, Npm
from package_hunter.ecosystems.npm.plan import NpmPlan
from package_hunter.ecosystems.pinned import LockFile, Pin
from package_hunter.ecosystems.tree import BoxTree, as_text
from package_hunter.errors import NothingToScanError
from package_hunter.model.scan import BoxFile, Target
from package_hunter.package_url import scannable

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
        manager = _manager(source_tree, found, options)
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
        asked = scannable(source_tree.purl)
        target = Target(asked.name, "npm", purl=source_tree.purl)
        return self._synthetic(source_tree, options, target, {asked.name: asked.version or "latest"}, ())

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
        manager.runs_alone = not options.fetch_hosts
        text = json.dumps(manifest, indent=2).encode() + b"\n"
        files = (BoxFile(f"{source_tree.project}/package.json", text), *files)
        return NpmPlan(source_tree, options, manager, target, files)


# A version, a tag or a simple range. npm takes paths, addresses and other packages' names in its place: what ran would
# be another package than the one that was asked for.


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


def _manager(source_tree: SourceTree, manifest: Mapping[str, Any], options: PlanOptions) -> Manager:
    """The manager that the project uses, and whether anything foreign can run while it fetches."""
    tree, base = source_tree.tree, source_tree.project
    manager = choice.manager(tree, base, manifest)
    found = members.manifests(tree, base, manifest)
    manager.also_asks = tuple(found.values())
    manager.folders = tuple(folder.removeprefix(f"{base}/") for folder in found)
    settings = (tree.read(f"{base}/.npmrc", 1 << 20) or b"").decode("utf-8", "replace")
    manager.strange_registries = named.strange(settings, options.registry_hosts)
    foreign = loaders.found(tree, base, manifest, found, manager.kind)
    # A repository that is fetched truly brings settings of its own, which npm obeys when it prepares it.
    fetched = bool(options.fetch_hosts) and (
        not manager.complete or any(item.is_git for item in manager.outside(options.registry_hosts))
    )
    manager.runs_alone = not foreign and not fetched
    return manager
