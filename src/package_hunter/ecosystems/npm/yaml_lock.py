"""Lock files that are YAML, yarn berry's and pnpm's, as far as names, versions and integrity.

Format facts: the files' own shape; pnpm's lock file specification (pnpm/spec on GitHub, lockfile/).
"""

from __future__ import annotations

import re
from typing import Any

from package_hunter.ecosystems.npm.yarn_lock import LockEntry
from package_hunter.ecosystems.tree import as_map, as_text, as_text_map
from package_hunter.ecosystems.yamltext import load_text

_KEY = re.compile(r"/?(@?[^@(]+)[@/]([^@(/_]+)")

_BERRY_OUTSIDE = re.compile(r"(?:https?|git|ssh|git\+\w+):|git@|[\w.-]+/[\w.-]+(?:#|$)")


def _read(text: str) -> dict[str, Any]:
    return as_map(load_text(text))


def berry(text: str) -> list[LockEntry]:
    """The packages of a yarn.lock with ``__metadata``. Its checksums are of yarn's own zip files, so they are
    no integrity for what the registry sends."""
    found = []
    for key, value in _read(text).items():
        resolution = as_text(as_map(value).get("resolution"), 2048)
        if key == "__metadata":
            continue
        if "@npm:" not in resolution:
            if (at := resolution.find("@", 1)) > 0 and _BERRY_OUTSIDE.match(resolution[at + 1 :]):
                version = as_text(as_map(value).get("version"), 256)
                needs = as_text_map(as_map(value).get("dependencies"))
                specs = (f"{resolution[:at]}@{version}",)
                found.append(LockEntry(specs, version, resolution[at + 1 :], "", needs))
            continue
        name, _, rest = resolution.rpartition("@npm:")
        version = rest.split("::", 1)[0]
        needs = as_text_map(as_map(value).get("dependencies"))
        found.append(LockEntry((f"{name}@{version}",), version, requires=needs))
    return [locked for locked in found if locked.name]


def pnpm(text: str) -> list[LockEntry]:
    """The packages of a pnpm-lock.yaml: keys ``name@1.0.0(peers)``, ``/name@1.0.0`` or ``/name/1.0.0``."""
    found = []
    whole = _read(text)
    snapshots = as_map(whole.get("snapshots"))
    for key, value in as_map(whole.get("packages")).items():
        hit = _KEY.match(str(key))
        if hit is None:
            continue
        resolution = as_map(as_map(value).get("resolution"))
        integrity = as_text(resolution.get("integrity"))
        resolved = as_text(resolution.get("tarball"), 2048)
        if resolution.get("type") == "git" or "repo" in resolution:
            resolved = f"{as_text(resolution.get('repo'), 2048)}#{as_text(resolution.get('commit'), 64)}"
        version = as_text(as_map(value).get("version"), 256) or hit[2]
        facts = as_map(snapshots.get(key)) or as_map(value)
        needs = as_text_map(facts.get("dependencies"))
        found.append(LockEntry((f"{hit[1]}@{version}",), version, resolved, integrity, needs))
    return found


def pnpm_members(text: str) -> list[str]:
    """The folders of a pnpm workspace's members, as its lock file lists them; plain paths below the root."""
    names = [str(name) for name in as_map(_read(text).get("importers"))]
    return [name for name in names if re.fullmatch(r"(?!\.)[^/\0]+(/(?!\.)[^/\0]+)*", name)][:2_000]


def pnpm_major(text: str) -> int:
    """The major version of pnpm that takes this lock file."""
    hit = re.search(r"^lockfileVersion:\s*['\"]?(\d{1,3})\b", text, re.M)
    return {5: 7, 6: 8}.get(int(hit[1]) if hit else 9, 9)
