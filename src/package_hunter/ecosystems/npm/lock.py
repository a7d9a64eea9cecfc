"""npm's lock files as a graph: package-lock.json and npm-shrinkwrap.json (versions 2 and 3), and the hidden
lock file node_modules/.package-lock.json. Version 1 gives names and integrity only.

Format facts: npm's own documentation, package-lock.json(5).
"""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from package_hunter.ecosystems import purls
from package_hunter.ecosystems.base import longer_way
from package_hunter.ecosystems.tree import as_map, as_text, as_text_map
from package_hunter.model.scan import Package

MAX_LOCK_BYTES = 24 << 20
MAX_PACKAGES = 50_000
_MAX_DEPTH = 256  # folders in a location: what is looked up from it is looked up in each


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the tree. ``location`` is the folder relative to the project, ``""`` the project itself;
    ``link`` the location that a link stands for."""

    location: str
    name: str
    version: str
    integrity: str | None = None
    resolved: str | None = None
    link: str | None = None
    dev: bool = False
    optional: bool = False
    peer: bool = False
    in_bundle: bool = False
    requires: tuple[str, ...] = ()
    optional_requires: frozenset[str] = frozenset()
    platform: Mapping[str, tuple[str, ...]] | None = None


def name_at(location: str, value: Mapping[str, Any]) -> str:
    """The name of what lies at a location: its own (an alias, a workspace), or that of its folder."""
    named = as_text(value.get("name"), 214)
    if named:
        return named
    parts = location.rsplit("node_modules/", 1)[-1].split("/")
    return "/".join(parts[:2]) if parts[0].startswith("@") else parts[-1]


def entries(lock: Mapping[str, Any]) -> dict[str, Entry]:
    """Location -> entry, for lock files of version 2 and 3; ``{}`` for others."""
    found: dict[str, Entry] = {}
    for location, value in as_map(lock.get("packages")).items():
        if len(found) >= MAX_PACKAGES:
            break
        if isinstance(value, dict) and _sound(location):
            found[location] = _entry(location, value)
    return found


def _sound(location: str) -> bool:
    return (
        len(location) < 4096
        and location.count("/") <= _MAX_DEPTH
        and not location.startswith("/")
        and ".." not in location.split("/")
    )


def _entry(location: str, value: Mapping[str, Any]) -> Entry:
    optional = as_text_map(value.get("optionalDependencies"))
    needs = {
        **as_text_map(value.get("dependencies")),
        **optional,
        **as_text_map(value.get("peerDependencies")),
    }
    if not location or "node_modules/" not in location:
        needs.update(as_text_map(value.get("devDependencies")))
    is_link = value.get("link") is True
    resolved = as_text(value.get("resolved"), 2048) or None
    platform = {
        key: tuple(str(item) for item in value[key][:50])
        for key in ("os", "cpu", "libc")
        if isinstance(value.get(key), list)
    }
    return Entry(
        location=location,
        name=name_at(location, value),
        version=as_text(value.get("version"), 256),
        integrity=as_text(value.get("integrity")) or None,
        resolved=resolved,
        link=resolved if is_link and resolved and _sound(resolved) else None,
        dev=bool(value.get("dev") or value.get("devOptional")),
        optional=bool(value.get("optional") or value.get("devOptional")),
        peer=bool(value.get("peer")),
        in_bundle=bool(value.get("inBundle")),
        requires=tuple(sorted(needs)),
        optional_requires=frozenset(optional),
        platform=platform or None,
    )


def resolve(places: Mapping[str, Entry], location: str, name: str) -> str | None:
    """Where node finds ``name`` from a package at ``location``: its own node_modules, then its parents'."""
    here = location
    while True:
        candidate = f"{here}/node_modules/{name}" if here else f"node_modules/{name}"
        entry = places.get(candidate)
        if entry is not None:
            return entry.link if entry.link is not None and entry.link in places else candidate
        if not here:
            return None
        here = here.rsplit("/", 1)[0] if "/" in here else ""
        while here.endswith("node_modules"):
            here = here.rsplit("/", 1)[0] if "/" in here else ""


def chains(places: Mapping[str, Entry], root_name: str) -> dict[str, tuple[str, ...]]:
    """Location -> names on the shortest way from the root to it, root first, itself last."""
    ways: dict[str, tuple[str, ...]] = {"": (root_name,)}
    queue = deque([""])
    while queue:
        location = queue.popleft()
        entry = places.get(location)
        for name in entry.requires if entry else ():
            found = resolve(places, location, name)
            if found is not None and found not in ways:
                ways[found] = longer_way(ways[location], places[found].name)
                queue.append(found)
    return ways


def dependency_order(places: Mapping[str, Entry]) -> list[str]:
    """Every location but the root, each after what it requires (loops are cut); otherwise by location."""
    order: list[str] = []
    done: set[str] = set()
    for start in sorted(places):
        stack = [(start, iter(places[start].requires))]
        if start in done:
            continue
        done.add(start)
        while stack:
            location, names = stack[-1]
            for name in names:
                found = resolve(places, location, name)
                if found is not None and found not in done:
                    done.add(found)
                    stack.append((found, iter(places[found].requires)))
                    break
            else:
                order.append(location)
                stack.pop()
    return [location for location in order if location]


def purl(name: str, version: str) -> str:
    """``pkg:npm/…``"""
    namespace, _, plain = name.rpartition("/")
    return purls.purl("npm", plain or "unnamed", version, namespace)


def package(entry: Entry, project: str, chain: tuple[str, ...], scripts: Mapping[str, str]) -> Package:
    """The model's form of an entry."""
    return Package(
        purl=purl(entry.name, entry.version),
        name=entry.name,
        version=entry.version,
        path=posixpath.normpath(f"{project}/{entry.location}"),
        integrity=entry.integrity,
        chain=chain,
        direct=len(chain) == 2,
        dev=entry.dev,
        optional=entry.optional,
        scripts=dict(scripts),
        requires=entry.requires,
    )
