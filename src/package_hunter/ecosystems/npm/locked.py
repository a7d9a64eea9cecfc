"""What the lock files of npm, yarn and pnpm pin, and a project made of some of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from package_hunter.ecosystems.npm import bun_lock, lock, yaml_lock, yarn_lock
from package_hunter.ecosystems.pinned import LockFile, Pin
from package_hunter.ecosystems.tree import BoxTree, parse_object


def lock_files(tree: BoxTree, project: str) -> Iterator[LockFile]:
    """Every one of them that lies there, in the order in which a scan looks for them."""
    for name, read in _KINDS:
        data = tree.read(f"{project}/{name}", lock.MAX_LOCK_BYTES)
        packages = None if data is None else read(data.decode("utf-8-sig", "replace"))
        if packages is not None:
            yield LockFile(name, "npm", tuple(packages))


def _npm(text: str) -> list[Pin] | None:
    places = lock.entries(parse_object(text.encode()))
    if not places:
        return None
    return [
        Pin(
            lock.purl(e.name, e.version),
            e.name,
            e.version,
            e.integrity,
            not e.resolved or "/-/" in e.resolved,
            e.optional or e.platform is not None,
        )
        for e in places.values()
        if "node_modules/" in e.location and e.link is None and not e.in_bundle and e.version
    ]


def _yarn(text: str) -> list[Pin] | None:
    if yarn_lock.is_berry(text):
        return _listed(yaml_lock.berry(text))
    return _listed(yarn_lock.parse(text))


def _pnpm(text: str) -> list[Pin] | None:
    return _listed(yaml_lock.pnpm(text))


def _listed(entries: Iterable[yarn_lock.LockEntry]) -> list[Pin]:
    return [
        Pin(
            lock.purl(e.name, e.version),
            e.name,
            e.version,
            e.integrity or None,
            not e.resolved or "/-/" in e.resolved,
            True,  # these files do not say which are for other systems
        )
        for e in entries
        if e.version
    ]


def _bun(text: str) -> list[Pin] | None:
    return _npm(json.dumps(bun_lock.as_npm_lock(text)))


_KINDS: tuple[tuple[str, Callable[[str], list[Pin] | None]], ...] = (
    ("npm-shrinkwrap.json", _npm),
    ("package-lock.json", _npm),
    ("yarn.lock", _yarn),
    ("pnpm-lock.yaml", _pnpm),
    ("bun.lock", _bun),
)


def project_of(folder: Path, here: Sequence[Pin], everything: Sequence[Pin]) -> None:
    """package.json, with the rest of the tree held at its versions where a name has only one."""
    seen: Counter[str] = Counter()
    kinds: dict[str, dict[str, str]] = {"dependencies": {}, "optionalDependencies": {}}
    for p in here:
        seen[p.name] += 1
        alias, wanted = p.name, p.version
        if seen[p.name] > 1:
            alias, wanted = f"{p.name}-{seen[p.name]}", f"npm:{p.name}@{p.version}"
        kinds["optionalDependencies" if p.optional else "dependencies"][alias] = wanted
    versions: dict[str, set[str]] = {}
    for p in everything:
        versions.setdefault(p.name, set()).add(p.version)
    held = {
        p.name: p.version
        for p in everything
        if p.registry and len(versions[p.name]) == 1 and p.name not in seen
    }
    manifest = {"name": "app", "version": "1.0.0", "private": True, **kinds, "overrides": held}
    (folder / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
