"""Everything that can be loaded of an npm package beside itself: what its ``exports`` offer, patterns filled in by
what lies there; without ``exports`` each of its files, but for tests and tools."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from package_hunter.ecosystems.npm import manifest
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text, as_text_map

_CODE = (".js", ".cjs", ".mjs", ".node")
_MAX_FOLDERS, _MAX_FILES, _MAX_DEPTH = 60, 2_000, 6  # of one package
# Files that are no part of what a package offers, though a registry may have them: to load them is to run tests and
# developers' tools, which download and write as nobody's dependency does.
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|examples?|docs?|bench(?:mark)?s?|perf|scripts?|tools)/"
    r"|(?:^|/)(?:tests?|specs?|bench(?:mark)?s?|[Gg](?:ulp|runt)file)[.][cm]?js$|[.](?:test|spec|config|conf)[.]"
)


def offered(tree: BoxTree, folder: str, found: Mapping[str, Any], most: int) -> list[str]:
    """Paths below the package's name, at most ``most``, what is more likely to be used first."""
    if "exports" in found:
        plain = manifest.sub_modules(found)
        named = [*plain, *(path for path in _filled(tree, folder, found) if path not in plain)]
    else:
        started = {manifest.main_file(tree, folder, found), *_bins(found), *_scripts(found)}
        every = (path for path in files(tree, folder) if path.endswith(_CODE) and not _ASIDE.search(path))
        named = [path for path in every if path not in started and path.rpartition(".")[0] not in started]
    return list(dict.fromkeys(named))[:most]


def how(path: str, found: Mapping[str, Any], itself: str) -> str:
    """``require`` or ``import``, for a path as ``offered`` gives it of a package that is loaded by ``itself``."""
    if path.endswith((".cjs", ".node")):
        return "require"
    return "import" if path.endswith(".mjs") or found.get("type") == "module" else itself


def files(tree: BoxTree, folder: str) -> Iterator[str]:
    """Files of the package by their path in it, the outermost first; hidden and nested ones left out."""
    queue = deque([""])
    looked = given = 0
    while queue and looked < _MAX_FOLDERS:
        base = queue.popleft()
        looked += 1
        for name in tree.names(f"{folder}/{base}"):
            path = f"{base}{name}"
            if name.startswith(".") or name == "node_modules" or given >= _MAX_FILES:
                continue
            if path.endswith((*_CODE, ".json", ".ts", ".map", ".md")):
                given += 1
                yield path
            elif path.count("/") < _MAX_DEPTH and tree.kind(f"{folder}/{path}") == "folder":
                queue.append(f"{path}/")


def _filled(tree: BoxTree, folder: str, found: Mapping[str, Any]) -> Iterator[str]:
    patterns = [
        (key[2:], target)
        for key, value in as_map(found.get("exports")).items()
        if key.startswith("./") and key.count("*") == 1
        for target in manifest.targets(value)
        if target.startswith("./") and target.count("*") == 1 and target.endswith(("*", *_CODE))
    ]
    if not patterns:
        return
    every = [path for path in files(tree, folder) if path.endswith(_CODE)]
    for key, target in patterns:
        yield from _matching(key, target[2:], every)


def _matching(key: str, target: str, every: Iterable[str]) -> Iterator[str]:
    before, after = target.split("*")
    for path in every:
        if path.startswith(before) and path.endswith(after) and len(path) > len(before) + len(after):
            yield key.replace("*", path[len(before) : len(path) - len(after)])


def _bins(found: Mapping[str, Any]) -> list[str]:
    """The files of its commands: they are started, with --help, and not loaded."""
    given = found.get("bin")
    paths = [given] if isinstance(given, str) else list(as_text_map(given).values())
    return [as_text(path, 4096).removeprefix("./") for path in paths]


def _scripts(found: Mapping[str, Any]) -> list[str]:
    """Words of its scripts, among them the files that they run: an install's were run already."""
    lines = as_text_map(found.get("scripts")).values()
    return [word.strip("'\"").removeprefix("./") for line in lines for word in line[:10_000].split()]
