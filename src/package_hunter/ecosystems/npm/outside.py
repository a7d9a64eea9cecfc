"""What of a tree lies outside of this host's registries: repositories, addresses, strangers' hosts. Whether it can be
had is asked in the box (elsewhere.js); what cannot is named, with who asks for it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from package_hunter.ecosystems.npm.manifest import dependencies, folder_name, from_elsewhere
from package_hunter.ecosystems.npm.yarn_lock import LockEntry
from package_hunter.ecosystems.tree import as_map, as_text, as_text_map

LIST = "/usr/share/npm/elsewhere.json"
DRIVER = "/usr/share/npm/elsewhere.js"
_LOCAL = ("file:", "link:", "workspace:", "portal:", "npm:", "patch:", "catalog:", ".", "/", "~")
MAX_LISTED = 5_000
_SHOWN = 8
_MAX_DEPTH = 64
_PROCESSOR = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "x64")  # as node calls it


@dataclass(frozen=True, slots=True)
class Outside:
    """A dependency that no registry of this host has under the address that the project gives. ``name`` is what it is
    asked for by, ``came_from`` where it lies, ``requires`` what it needs in turn, as far as a lock file says."""

    name: str
    version: str
    came_from: str
    requires: Mapping[str, str] = field(default_factory=dict)
    wanted_by: str = ""

    @property
    def host(self) -> str:
        """Its host; "" where the address is a short form."""
        return _host(self.came_from)

    @property
    def is_git(self) -> bool:
        """Whether a repository is asked for: npm prepares those by a whole install, with their own settings."""
        return not self.came_from.startswith(("http:", "https:")) or ".git" in self.came_from

    @property
    def place(self) -> str:
        """Where it comes from, in a word."""
        return self.host or self.came_from[:300]


def sentences(absent: Sequence[Outside]) -> list[str]:
    """Why they were not scanned: one sentence for each place that they come from."""
    places: dict[str, list[Outside]] = {}
    for item in absent:
        places.setdefault(item.place, []).append(item)
    return [_sentence(place, found) for place, found in places.items()]


def _sentence(place: str, found: Sequence[Outside]) -> str:
    names = [f"{item.name[:214]}@{item.version[:64]}" if item.version else item.name[:214] for item in found]
    who = list(dict.fromkeys(item.wanted_by[:214] or "the project" for item in found))
    host = found[0].host
    advice = (
        f"Name {host} in PACKAGE_HUNTER_FETCH_HOSTS to have its files fetched, read-only, or set this host's package"
        " manager up for that registry."
        if host
        else "PACKAGE_HUNTER_FETCH_HOSTS names the hosts that may be fetched from, read-only."
    )
    return (
        f"{_some(names)}, asked for by {_some(who)}, {'was' if len(found) == 1 else 'were'} not scanned: {place} is no"
        f" registry of this host, and it could not be fetched from there. {advice}"
    )


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")


def _host(url: str) -> str:
    try:
        return urlsplit(url.removeprefix("git+")).hostname or ""
    except ValueError:
        return ""


def lies_outside(came_from: str, hosts: frozenset[str] | None) -> bool:
    """Whether it comes from elsewhere than registries at ``hosts`` (None: not known, and no web address judged)."""
    if came_from.startswith(("http:", "https:")) and not came_from.partition("#")[0].endswith(".git"):
        return hosts is not None and _host(came_from) not in hosts
    return bool(came_from) and not came_from.startswith(_LOCAL) and from_elsewhere(came_from)


def of_manifests(manifests: Iterable[Mapping[str, Any]], hosts: frozenset[str] | None) -> list[Outside]:
    """What manifests ask for by themselves."""
    return [
        Outside(name, "", spec, wanted_by=as_text(manifest.get("name"), 214))
        for manifest in manifests
        for name, spec in dependencies(manifest).items()
        if lies_outside(spec, hosts)
    ]


def of_npm_lock(lock: Mapping[str, Any], hosts: frozenset[str] | None) -> list[Outside]:
    """What npm's lock file has from elsewhere, in any of its versions."""
    packages = {key: value for key, value in as_map(lock.get("packages")).items() if isinstance(value, dict)}
    if not packages:
        return _of_first_version(lock, hosts, 0)
    wanted: dict[str, str] = {}
    for location, value in packages.items():
        for name in (
            *as_text_map(value.get("dependencies")),
            *as_text_map(value.get("optionalDependencies")),
        ):
            wanted.setdefault(name, folder_name(location) or as_text(value.get("name"), 214))
    found = []
    for location, value in packages.items():
        came_from = as_text(value.get("resolved"), 2048)
        if (
            "node_modules/" in location
            and value.get("link") is not True
            and _for_us(value)
            and lies_outside(came_from, hosts)
        ):
            name = folder_name(location)
            needs = as_text_map(value.get("dependencies"))
            found.append(
                Outside(name, as_text(value.get("version"), 256), came_from, needs, wanted.get(name, ""))
            )
    return found


def _for_us(value: Mapping[str, Any]) -> bool:
    """Whether it is for this system: managers leave others out, and ask for none of them."""
    systems, processors = value.get("os"), value.get("cpu")
    return not (isinstance(systems, list) and systems and "linux" not in systems) and not (
        isinstance(processors, list) and processors and _PROCESSOR not in processors
    )


def _of_first_version(level: Mapping[str, Any], hosts: frozenset[str] | None, depth: int) -> list[Outside]:
    found: list[Outside] = []
    for name, value in as_map(level.get("dependencies")).items() if depth < _MAX_DEPTH else ():
        facts = as_map(value)
        version, resolved = as_text(facts.get("version"), 2048), as_text(facts.get("resolved"), 2048)
        came_from = next((text for text in (version, resolved) if lies_outside(text, hosts)), None)
        if came_from is not None:
            plain = "" if came_from == version else version
            found.append(Outside(name, plain, came_from, as_text_map(facts.get("requires"))))
        found += _of_first_version(facts, hosts, depth + 1)
    return found


def of_entries(entries: Sequence[LockEntry], hosts: frozenset[str] | None) -> list[Outside]:
    """What yarn's and pnpm's have."""
    wanted: dict[str, str] = {}
    for item in entries:
        for name in item.requires:
            wanted.setdefault(name, item.name)
    return [
        Outside(item.name, item.version, item.resolved, item.requires, wanted.get(item.name, ""))
        for item in entries
        if lies_outside(item.resolved, hosts)
    ]


def joined(found: Iterable[Outside]) -> tuple[Outside, ...]:
    """Each name once: what a lock file says of it before what a manifest does, which knows who asks for it."""
    names: dict[str, Outside] = {}
    for item in found:
        if item.name and item.name.isprintable():
            known = names.setdefault(item.name, item)
            if not known.wanted_by and item.wanted_by:
                names[item.name] = replace(known, wanted_by=item.wanted_by)
    return tuple(names.values())[:MAX_LISTED]


def listed(
    found: Sequence[Outside], manager: str, folders: Sequence[str], allowed: Iterable[str] = ()
) -> bytes:
    """The file that elsewhere.js reads; ``folders`` of further manifests, relative to the project; ``allowed`` hosts
    that may be fetched from."""
    candidates = [
        {"name": item.name, "version": item.version, "from": item.came_from, "requires": dict(item.requires)}
        for item in found
    ]
    hosts = sorted(host.lower() for host in allowed)
    found_there = {"manager": manager, "candidates": candidates, "folders": list(folders), "allowed": hosts}
    return json.dumps(found_there).encode()
