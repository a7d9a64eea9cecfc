"""bun's lock file (bun.lock, JSON with comments and trailing commas) as npm's of version 3: both say where in
node_modules each package lies, so that npm installs the same tree.

Format facts: bun's documentation of its lock file; ``packages`` maps a path of names (``debug/ms``) to
``[NAME@VERSION, REGISTRY, {dependencies, …}, INTEGRITY]``, ``workspaces`` a folder to its manifest.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from package_hunter.ecosystems.npm import lock
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text, as_text_map, parse_object

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|//[^\n]*+|/\*.*?\*/|,(?=\s*+[}\]])', re.S)
_MAX_MEMBERS = 2_000
_KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def as_npm_lock(text: str) -> dict[str, Any]:
    """The lock file in npm's form; ``{}`` where it is none."""
    found = parse_object(_plain_json(text).encode("utf-8", "replace"))
    workspaces, listed = as_map(found.get("workspaces")), as_map(found.get("packages"))
    if not workspaces:
        return {}
    plain = Plain.of(found)
    workspaces = {folder: plain.manifest(as_map(value)) for folder, value in workspaces.items()}
    root = _manifest(as_map(workspaces.get("")))
    places: dict[str, Any] = {"": root}
    folders: dict[str, str] = {}  # name of a workspace's member -> its folder
    for folder, value in workspaces.items():
        if folder and (name := as_text(as_map(value).get("name"), 214)):
            folders[name] = folder
            places[folder] = {**_manifest(as_map(value)), "name": name}
    for key, value in list(listed.items())[: lock.MAX_PACKAGES]:
        if isinstance(value, list) and value and isinstance(value[0], str):
            places[_location(key, folders)] = _entry(key, value)
    found = {"lockfileVersion": 3, "requires": True, "packages": places}
    _mark_optional(found)
    return found


@dataclass(frozen=True, slots=True)
class Plain:
    """Versions in words that npm knows, for ``workspace:`` and ``catalog:``, which it does not. ``catalogs``: by name,
    ``""`` for the one without. ``overrides``: by name; with bun they hold for what is asked for directly, too, where
    npm calls that a contradiction."""

    catalogs: Mapping[str, Mapping[str, str]]
    overrides: Mapping[str, str]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Plain:
        """Of a lock file, whose catalogs these are."""
        named = {str(name): as_text_map(value) for name, value in as_map(found.get("catalogs")).items()}
        plain = cls({**named, "": as_text_map(found.get("catalog"))}, {})
        over = {name: plain.spec(name, text) for name, text in as_text_map(found.get("overrides")).items()}
        return cls(plain.catalogs, over)

    def spec(self, name: str, text: str) -> str:
        """A dependency's version."""
        if name in self.overrides:
            return self.overrides[name]
        kind, _, rest = text.partition(":")
        if kind == "workspace":
            return rest if re.match(r"[~^]?\d", rest) else "*"
        if kind == "catalog":
            return self.catalogs.get(rest.strip(), {}).get(name, "*")
        return text

    def manifest(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """A manifest with such versions."""
        changed = {
            kind: {name: self.spec(name, text) for name, text in as_text_map(value.get(kind)).items()}
            for kind in (*_KINDS, "overrides")
            if value.get(kind) and isinstance(value[kind], dict)
        }
        return {**value, **changed}


def plain_manifest(manifest: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A manifest as npm can read it, with the catalogs of the lock file."""
    return Plain.of(parse_object(_plain_json(text).encode("utf-8", "replace"))).manifest(manifest)


def plain_manifests(tree: BoxTree, project: str, text: str) -> dict[str, bytes]:
    """The manifests of the project and its members, by path below the project, that npm could not read as they are."""
    found = parse_object(_plain_json(text).encode("utf-8", "replace"))
    plain, changed = Plain.of(found), {}
    for folder in list(as_map(found.get("workspaces")))[:_MAX_MEMBERS]:
        path = posixpath.normpath(posixpath.join(folder, "package.json"))
        if path.startswith(("/", "../")):
            continue
        was = tree.read_json(f"{project}/{path}")
        if was and (now := plain.manifest(was)) != was:
            changed[path] = json.dumps(now, indent=2).encode()
    return changed


def _mark_optional(found: Mapping[str, Any]) -> None:
    """Mark, as npm does, what is there for optional dependencies alone: other systems' programs are left out."""
    places = lock.entries(found)
    queue = [location for location in places if "node_modules/" not in location]
    needed = set(queue)
    while queue:
        entry = places[queue.pop()]
        for name in entry.requires:
            where = lock.resolve(places, entry.location, name)
            if name not in entry.optional_requires and where is not None and where not in needed:
                needed.add(where)
                queue.append(where)
    for location, value in found["packages"].items():
        if location in places and location not in needed and not value.get("link"):
            value["optional"] = True


def _plain_json(text: str) -> str:
    """Without comments and trailing commas."""
    text = _TOKEN.sub(lambda hit: hit[0] if hit[0].startswith('"') else " ", text)
    return _TOKEN.sub(lambda hit: "" if hit[0] == "," else hit[0], text)


def _location(key: str, folders: Mapping[str, str]) -> str:
    parts = _names(key)
    if len(parts) > 1 and parts[0] in folders:
        return "/".join([folders[parts[0]], *(f"node_modules/{name}" for name in parts[1:])])
    return "/".join(f"node_modules/{name}" for name in parts)


def _names(key: str) -> list[str]:
    """``@a/b/c`` -> ``@a/b``, ``c``."""
    found: list[str] = []
    for part in key.split("/"):
        if found and found[-1].startswith("@") and "/" not in found[-1]:
            found[-1] += f"/{part}"
        else:
            found.append(part)
    return found


def _entry(key: str, value: list[Any]) -> dict[str, Any]:
    at = value[0].find("@", 1)
    name, version = (value[0][:at], value[0][at + 1 :]) if at > 0 else (value[0], "")
    facts = as_map(next((item for item in value[1:] if isinstance(item, dict)), None))
    if version.startswith("workspace:"):
        return {"resolved": version.removeprefix("workspace:"), "link": True}
    entry = _manifest(facts)
    entry.update({kind: facts[kind] for kind in ("bin", "os", "cpu", "libc") if kind in facts})
    for kind in ("os", "cpu", "libc"):
        if isinstance(entry.get(kind), str):
            entry[kind] = [entry[kind]]
    if name != _names(key)[-1]:
        entry["name"] = name
    if re.match(r"[0-9]", version):
        entry["version"] = version
    else:
        entry["resolved"] = version  # a repository, an address, a file
    if isinstance(value[-1], str) and re.match(r"sha(1|256|384|512)-", value[-1]):
        entry["integrity"] = value[-1]
    return entry


def _manifest(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {kind: as_text_map(value.get(kind)) for kind in _KINDS if value.get(kind)}
    optional = value.get("optionalPeers")
    if isinstance(optional, list):
        found["peerDependenciesMeta"] = {str(name): {"optional": True} for name in optional}
    return found
