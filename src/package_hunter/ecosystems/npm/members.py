"""Manifests of a project beside its own: members of its workspaces, folders that it depends on by path. What they
ask for is asked for, too."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from package_hunter.ecosystems.npm.manifest import dependencies
from package_hunter.ecosystems.tree import BoxTree, as_map
from package_hunter.ecosystems.yamltext import load_text

_MAX_MEMBERS = 2_000
_MAX_DEPTH = 6  # of folders that ``**`` stands for
_MAX_ANY, _MAX_PARTS = 2, 16  # of ``**`` and of parts in a pattern: more could be walked for ever
_MAX_FOLDERS = 50_000  # that are looked into
_MAX_PATTERN = 1_000  # characters
_PNPM = "pnpm-workspace.yaml"
_SKIPPED = {"node_modules", ".git"}
_WILD = frozenset("*?[{")
_OpenConnection = dict[
    tuple[str, ...], int
]  # what is left of a pattern -> folders that its ``**`` stands for so far


def manifests(tree: BoxTree, project: str, root: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every such manifest by its folder; at most 2,000."""
    found: dict[str, dict[str, Any]] = {}
    queue = deque([(project, root)])
    patterns = _patterns(root) + _patterns({"workspaces": _pnpm_packages(tree, project)})
    for folder in _folders(tree, project, patterns):
        _add(tree, folder, found, queue)
    while queue:
        base, manifest = queue.popleft()
        for spec in dependencies(manifest).values():
            if spec.startswith(("file:", "link:", "portal:")):
                path = posixpath.normpath(posixpath.join(base, spec.split(":", 1)[1]))
                if path.startswith(f"{project}/"):
                    _add(tree, path, found, queue)
    return found


def _add(
    tree: BoxTree,
    folder: str,
    found: dict[str, dict[str, Any]],
    queue: deque[tuple[str, Mapping[str, Any]]],
) -> None:
    if folder not in found and len(found) < _MAX_MEMBERS:
        manifest = tree.read_json(f"{folder}/package.json")
        if manifest:
            found[folder] = manifest
            queue.append((folder, manifest))


def _patterns(root: Mapping[str, Any]) -> list[str]:
    value = root.get("workspaces")
    listed = as_map(value).get("packages") if isinstance(value, dict) else value
    texts = (
        [item for item in listed if isinstance(item, str) and len(item) <= _MAX_PATTERN]
        if isinstance(listed, list)
        else []
    )
    return [text.removeprefix("./").strip("/") for text in texts if not text.startswith("!")][:200]


def _pnpm_packages(tree: BoxTree, project: str) -> object:
    """The patterns of pnpm's own file."""
    raw = tree.read(f"{project}/pnpm-workspace.yaml", 1 << 20) or b""
    return as_map(load_text(raw.decode("utf-8", "replace"))).get("packages") if raw else None


def _folders(tree: BoxTree, project: str, patterns: list[str]) -> Iterator[str]:
    """Folders that some pattern means. Each folder is looked into once, whatever the number of patterns: with it go
    the patterns that still fit, as far as they are not used up."""
    queue = deque([(project, _started(patterns))])
    looked = found = 0
    while queue and found < _MAX_MEMBERS and looked < _MAX_FOLDERS:
        folder, open_ = queue.popleft()
        looked += 1
        if () in open_:
            found += 1
            yield folder
        for name, seen in _children(tree, folder, open_):
            further = _step(open_, name, seen)
            if further:
                queue.append((f"{folder}/{name}", further))


def _started(patterns: list[str]) -> _OpenConnection:
    whole = [tuple(part for part in pattern.split("/") if part != ".") for pattern in patterns]
    return _closed((p, 0) for p in whole if p.count("**") <= _MAX_ANY and len(p) <= _MAX_PARTS)


def _closed(rest: Iterable[tuple[tuple[str, ...], int]]) -> _OpenConnection:
    """The patterns, and what is left of them where ``**`` stands for nothing; each with the fewest folders that
    its ``**`` stood for."""
    found: _OpenConnection = {}
    stack = list(rest)
    while stack:
        parts, depth = stack.pop()
        if depth < found.get(parts, _MAX_DEPTH + 1):
            found[parts] = depth
            if parts[:1] == ("**",):
                stack.append((parts[1:], depth))
    return found


def _children(tree: BoxTree, folder: str, open_: _OpenConnection) -> Iterator[tuple[str, bool]]:
    """Names to go on with, and whether each was seen there as an ordinary folder: a name that is spelt out is
    simply tried."""
    heads = {parts[0] for parts in open_ if parts}
    plain = {head for head in heads if not _is_wild(head)} - {".."}
    if heads - plain - {".."}:
        for name in tree.names(folder):
            hidden = name in _SKIPPED or name.startswith(".")
            if name in plain or (not hidden and tree.kind(f"{folder}/{name}") == "folder"):
                yield name, not hidden
    else:
        yield from ((name, False) for name in sorted(plain))


def _step(open_: _OpenConnection, name: str, seen: bool) -> _OpenConnection:
    rest: list[tuple[tuple[str, ...], int]] = []
    for parts, depth in open_.items():
        if not parts:
            continue
        if parts[0] == "**":
            if seen and depth < _MAX_DEPTH:
                rest.append((parts, depth + 1))
        elif parts[0] == name or (seen and _is_wild(parts[0]) and _fits(parts[0])(name)):
            rest.append((parts[1:], depth))
    return _closed(rest)


@cache
def _is_wild(part: str) -> bool:
    return not _WILD.isdisjoint(part)


@cache
def _fits(pattern: str) -> Callable[[str], object]:
    return re.compile("|".join(f"(?:{fnmatch.translate(one)})" for one in _braces(pattern))).match


def _braces(pattern: str) -> list[str]:
    """``{a,b}`` spelt out, once."""
    head, opened, rest = pattern.partition("{")
    inner, closed, tail = rest.partition("}")
    return [head + one + tail for one in inner.split(",")] if opened and closed else [pattern]
