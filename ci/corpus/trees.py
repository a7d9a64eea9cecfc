"""What an install left, as names with versions: read from folders outside, from the report of the box."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Tree = frozenset[tuple[str, str]]
# What a new virtual environment may hold before anything is installed.
_SEEDS = {"pip", "setuptools", "wheel"}


def python_name(name: str) -> str:
    """As PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def node_tree(project: Path) -> Tree:
    """Every package in the project's node_modules folders, or in yarn's Plug'n'Play data."""
    pnp = project / ".pnp.data.json"
    if pnp.exists():
        return frozenset(_pnp(json.loads(pnp.read_text(encoding="utf-8"))))
    return frozenset(_modules(project, 0))


def _pnp(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, versions in data["packageRegistryData"]:
        for reference, _ in versions:
            if name and reference and (hit := re.search(r"npm:(?:@?[^@]+@)?([^@:#]+)$", reference)):
                yield name, hit[1].partition("::")[0]


def _modules(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Packages below a folder; links (members, pnpm's own) are followed by none."""
    if depth > 40:
        return
    for modules in _node_modules(folder):
        places = [p for p in modules.iterdir() if p.name not in (".bin", ".cache", ".modules.yaml")]
        places += [p for store in (".pnpm", ".bun") for p in (modules / store).glob("*")]
        for place in places:
            if place.name.startswith("@") and place.parent == modules:
                for inner in place.iterdir():
                    yield from _package(inner, depth)
            else:
                yield from _package(place, depth)


def _node_modules(folder: Path) -> Iterator[Path]:
    """The folder's own node_modules, and (of a project) those of its members."""
    if (folder / "node_modules").is_dir() and not (folder / "node_modules").is_symlink():
        yield folder / "node_modules"


def _package(place: Path, depth: int) -> Iterator[tuple[str, str]]:
    if place.is_symlink() or not place.is_dir():
        return
    try:
        manifest = json.loads((place / "package.json").read_text(encoding="utf-8-sig"))
        if isinstance(manifest, dict) and "version" in manifest:
            version = str(manifest["version"])  # some write v1.2.3, which npm reads as 1.2.3
            yield str(manifest.get("name") or place.name), re.sub(r"^v(?=\d)", "", version)
    except (OSError, ValueError):
        pass
    yield from _modules(place, depth + 1)


def members_tree(project: Path) -> Tree:
    """`node_tree` of the project and of every folder in it that has a node_modules of its own."""
    found = set(node_tree(project))
    for manifest in project.rglob("package.json"):
        inside = manifest.parent.relative_to(project).parts
        if "node_modules" not in inside and ".venv" not in inside and inside:
            found |= node_tree(manifest.parent)
    return frozenset(found)


def python_tree(environment: Path) -> Tree:
    """Every distribution in a virtual environment, less what it began with."""
    found = set()
    folder = "lib/python3*/site-packages"
    # an old pip without wheel leaves what setup.py itself wrote
    for info in [
        p
        for end in ("*.dist-info/METADATA", "*.egg-info/PKG-INFO")
        for p in environment.glob(f"{folder}/{end}")
    ]:
        told = HeaderParser().parsestr(info.read_text(encoding="utf-8", errors="replace"))
        found.add((python_name(told["Name"]), told["Version"]))
    return frozenset(item for item in found if item[0] not in _SEEDS)


def gem_tree(project: Path) -> Tree:
    """Every gem that bundler put into the project's vendor folder."""
    found = set()
    for spec in project.glob("vendor/bundle/ruby/*/specifications/*.gemspec"):
        name, _, version = spec.stem.rpartition("-")
        found.add((name, version))
    return frozenset(found)


def box_tree(report: Mapping[str, Any]) -> Tree:
    """What the report of a scan lists."""
    found = set()
    for package in report["packages"]:
        kind, _, rest = package["purl"].removeprefix("pkg:").partition("/")
        name, _, version = rest.partition("?")[0].rpartition("@")
        name, version = unquote(name), unquote(version)
        if kind == "pypi" and python_name(name) in _SEEDS:
            continue
        found.add((python_name(name) if kind == "pypi" else name, version))
    return frozenset(found)


def own_names(project: Path) -> set[str]:
    """What the project and its members call themselves: they are no dependencies, and not compared."""
    found = set()
    for manifest in project.rglob("package.json"):
        if "node_modules" not in manifest.parts:
            found.add(str(json.loads(manifest.read_text(encoding="utf-8")).get("name", "")))
    for text in (p.read_text(encoding="utf-8") for p in project.rglob("pyproject.toml")):
        found |= {python_name(n) for n in re.findall(r'^name\s*=\s*["\']([^"\']+)', text, re.MULTILINE)}
    for text in (p.read_text(encoding="utf-8") for p in _named(project)):
        named = re.findall(r'\bname\s*=\s*["\']?([\w.-]+)', text)
        found |= {*named, *map(python_name, named)}  # a gem keeps its spelling
    return found


def _named(project: Path) -> Iterator[Path]:
    for pattern in ("setup.py", "setup.cfg", "*.gemspec"):
        yield from project.rglob(pattern)


def differences(bare: Tree, box: Tree, own: set[str]) -> tuple[list[str], list[str]]:
    """What is only outside, what is only in the box."""
    outside = {item for item in bare if item[0] not in own}
    inside = {item for item in box if item[0] not in own}
    return _shown(outside - inside), _shown(inside - outside)


def _shown(items: set[tuple[str, str]]) -> list[str]:
    return sorted(f"{name}@{version}" for name, version in items)


def keep(file: Path, tree: Tree) -> None:
    """Write a tree down, a package a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in _shown(set(tree))), encoding="utf-8")


def kept(file: Path) -> Tree:
    """What `keep` wrote."""
    pairs = (line.rpartition("@") for line in file.read_text(encoding="utf-8").splitlines())
    return frozenset((name, version) for name, _, version in pairs)
