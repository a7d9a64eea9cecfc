"""What a project's lock file pins, whichever manager wrote it: to compare two of them, or to know one again.

The files are untrusted text; what is not understood is left out, and said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from package_hunter.ecosystems import purls
from package_hunter.ecosystems.npm import lock as npm_lock
from package_hunter.ecosystems.npm import yaml_lock, yarn_lock
from package_hunter.ecosystems.python import requirements
from package_hunter.ecosystems.ruby import lock as ruby_lock
from package_hunter.ecosystems.tree import BoxTree, parse_object

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)")

_HASH = re.compile(r"--hash[= ](\w+:[0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One package of a lock file. ``registry``: a registry has it under this name and version; else it comes
    from a repository, an address or a folder. ``optional``: the install goes on without it."""

    purl: str
    name: str
    version: str
    integrity: str | None = None
    registry: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file: its name, the ecosystem, and all that it pins, in its order. ``whole`` is false where it
    is only a list of wishes (a requirements.txt that leaves versions open)."""

    name: str
    ecosystem: str
    packages: tuple[Pinned, ...]
    whole: bool = True


def lock_file(tree: BoxTree, project: str) -> LockFile | None:
    """The first lock file of the project, in the order in which a scan looks for them; None without any."""
    return next(lock_files(tree, project), None)


def lock_files(tree: BoxTree, project: str) -> Iterator[LockFile]:
    """Every lock file of the project, of each ecosystem, in that order."""
    for name, ecosystem, read in _KINDS:
        data = tree.read(f"{project}/{name}", npm_lock.MAX_LOCK_BYTES)
        packages = None if data is None else read(data.decode("utf-8-sig", "replace"))
        if packages is not None:
            yield LockFile(name, ecosystem, tuple(packages))
    python = _python(tree, project)
    if python is not None:
        yield python


def _npm(text: str) -> list[Pinned] | None:
    places = npm_lock.entries(parse_object(text.encode()))
    if not places:
        return None
    return [
        Pinned(
            npm_lock.purl(e.name, e.version),
            e.name,
            e.version,
            e.integrity,
            not e.resolved or "/-/" in e.resolved,
            e.optional or e.platform is not None,
        )
        for e in places.values()
        if "node_modules/" in e.location and e.link is None and not e.in_bundle and e.version
    ]


def _yarn(text: str) -> list[Pinned] | None:
    if yarn_lock.is_berry(text):
        return _listed(yaml_lock.berry(text))
    return _listed(yarn_lock.parse(text))


def _pnpm(text: str) -> list[Pinned] | None:
    return _listed(yaml_lock.pnpm(text))


def _listed(entries: Iterable[yarn_lock.Locked]) -> list[Pinned]:
    return [
        Pinned(
            npm_lock.purl(e.name, e.version),
            e.name,
            e.version,
            e.integrity or None,
            not e.resolved or "/-/" in e.resolved,
            True,  # these files do not say which are for other systems
        )
        for e in entries
        if e.version
    ]


def _gems(text: str) -> list[Pinned] | None:
    gems = ruby_lock.parse(text).gems.values()
    return [
        Pinned(
            ruby_lock.purl(g.name, g.version), g.name, g.version.partition("-")[0], None, g.source == "GEM"
        )
        for g in gems
    ]


def _python(tree: BoxTree, project: str) -> LockFile | None:
    wanted = requirements.wanted(tree, project)
    elsewhere = [item for item in wanted.local.values() if item.path != "."]
    if not (wanted.lines or elsewhere or wanted.outside) or wanted.source in (
        "pyproject.toml",
        "setup.py",
        "",
    ):
        return None
    packages = tuple(_python_pin(m, line) for line in wanted.lines if (m := _PIN.match(line)))
    others = [(item.name, item.path) for item in elsewhere] + [(o.name, o.address) for o in wanted.outside]
    packages += tuple(
        Pinned(
            purls.purl("pypi", requirements.normal(name) or "unnamed", ""),
            name or address,
            "",
            address,
            registry=False,
        )
        for name, address in others
    )
    return LockFile(wanted.source, "pypi", packages, whole=wanted.locked and not wanted.unread)


def _python_pin(pin: re.Match[str], line: str) -> Pinned:
    """``integrity``: the hashes that pip is told to insist on, with blanks between."""
    purl = purls.purl("pypi", requirements.normal(pin[1]), pin[2])
    return Pinned(purl, pin[1], pin[2], " ".join(sorted(_HASH.findall(line))) or None)


_KINDS: tuple[tuple[str, str, Callable[[str], list[Pinned] | None]], ...] = (
    ("npm-shrinkwrap.json", "npm", _npm),
    ("package-lock.json", "npm", _npm),
    ("yarn.lock", "npm", _yarn),
    ("pnpm-lock.yaml", "npm", _pnpm),
    ("Gemfile.lock", "gem", _gems),
)


def changed(old: Iterable[Pinned], new: Iterable[Pinned]) -> list[Pinned]:
    """What ``new`` pins and ``old`` did not, in this version and with these bytes, each once."""
    known = {(p.purl, p.integrity) for p in old}
    names = {purl for purl, _ in known}
    bare = {purl for purl, integrity in known if integrity is None}
    found: dict[str, Pinned] = {}
    for p in new:
        same = (p.purl, p.integrity) in known or p.purl in bare or (p.integrity is None and p.purl in names)
        if not same:
            found.setdefault(p.purl, p)
    return list(found.values())
