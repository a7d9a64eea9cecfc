"""What lies in node_modules after the fetch: from npm's hidden lock file, or by walking the folders."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from package_hunter.ecosystems.npm import lock
from package_hunter.ecosystems.npm.lock import Entry
from package_hunter.ecosystems.npm.manifest import dependencies
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text, as_text_map

HIDDEN_LOCK = "node_modules/.package-lock.json"


def root_entry(manifest: Mapping[str, Any], name: str) -> Entry:
    """The project itself as an entry of its tree."""
    optional = frozenset(as_text_map(manifest.get("optionalDependencies")))
    return Entry(
        "",
        name,
        as_text(manifest.get("version")),
        requires=tuple(sorted(dependencies(manifest))),
        optional_requires=optional,
    )


def from_hidden_lock(tree: BoxTree, project: str) -> dict[str, Entry]:
    """The entries that npm says it installed; ``{}`` where it left no hidden lock file."""
    return lock.entries(tree.read_json(f"{project}/{HIDDEN_LOCK}", lock.MAX_LOCK_BYTES))


def from_folders(tree: BoxTree, project: str, members: Iterable[str] = ()) -> dict[str, Entry]:
    """The entries that the folders show, for managers that leave no list; links are followed only within the
    project. pnpm keeps the real folders in ``node_modules/.pnpm/NAME@VERSION/node_modules``, and links members of
    a workspace only where they are needed: ``members`` are their folders."""
    found: dict[str, Entry] = {}
    for location in members:
        manifest = tree.read_json(f"{project}/{location}/package.json")
        if manifest:
            found[location] = _entry(location, manifest)
    store = f"{project}/node_modules/.pnpm"
    queue = deque(["", *found, *(f"node_modules/.pnpm/{name}" for name in tree.names(store))])
    while queue and len(found) < lock.MAX_PACKAGES:
        base = queue.popleft()
        for location in _children(tree, project, base):
            if location in found:
                continue
            target = _link(tree, project, location)
            if target is not None:
                found[location] = Entry(location, lock.name_at(location, {}), "", link=target)
                location = target
            manifest = tree.read_json(f"{project}/{location}/package.json")
            if manifest and location not in found:
                found[location] = _entry(location, manifest)
                queue.append(location)
    return found


def _children(tree: BoxTree, project: str, base: str) -> list[str]:
    folder = f"{base}/node_modules" if base else "node_modules"
    names: list[str] = []
    for name in tree.names(f"{project}/{folder}"):
        if name.startswith("@"):
            names += [f"{name}/{inner}" for inner in tree.names(f"{project}/{folder}/{name}")]
        elif not name.startswith("."):
            names.append(name)
    return [f"{folder}/{name}" for name in names]


def _link(tree: BoxTree, project: str, location: str) -> str | None:
    """The location that a link in node_modules stands for; None for a real folder or a link elsewhere."""
    if tree.kind(f"{project}/{location}") != "link":
        return None
    target = tree.link_target(f"{project}/{location}") or ""
    parts = [] if target.startswith("/") else f"{project}/{location}".split("/")[1:-1]
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    whole = "/" + "/".join(parts)
    return whole.removeprefix(f"{project}/") if whole.startswith(f"{project}/") else None


def _entry(location: str, manifest: Mapping[str, Any]) -> Entry:
    optional = as_text_map(manifest.get("optionalDependencies"))
    needs = {**as_text_map(manifest.get("dependencies")), **optional}
    if "node_modules/" not in location:
        needs.update(dependencies(manifest))
    peers = as_map(manifest.get("peerDependencies"))
    return Entry(
        location,
        lock.name_at(location, {"name": manifest.get("name")}),
        as_text(manifest.get("version"), 256),
        requires=tuple(sorted({*needs, *(str(name) for name in peers)})),
        optional_requires=frozenset(optional),
    )


def with_integrity(entry: Entry, integrity: str | None) -> Entry:
    """The same entry, with what the lock file says of its content."""
    return replace(entry, integrity=integrity) if integrity else entry
