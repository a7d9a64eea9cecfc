"""Manifests of a project beside its own: members of its workspaces, folders that it depends on by path. What they
ask for is asked for, too."""

from __future__ import annotations

import fnmatch
import itertools
import posixpath
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from package_hunter.ecosystems.npm.manifest import dependencies
from package_hunter.ecosystems.tree import BoxTree, as_map

_MAX_MEMBERS = 2_000
_MAX_DEPTH = 6  # of folders that ``**`` stands for
_MAX_ANY, _MAX_PARTS = 2, 16  # of ``**`` and of parts in a pattern: more could be walked for ever
_SKIPPED = {"node_modules", ".git"}


def manifests(tree: BoxTree, project: str, root: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every such manifest by its folder; at most 2,000."""
    found: dict[str, dict[str, Any]] = {}
    queue = deque([(project, root)])
    patterns = _patterns(root)
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
    texts = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
    return [text.removeprefix("./").strip("/") for text in texts if not text.startswith("!")][:200]


def _folders(tree: BoxTree, project: str, patterns: list[str]) -> Iterator[str]:
    for pattern in patterns:
        parts = tuple(part for part in pattern.split("/") if part != ".")
        if parts.count("**") <= _MAX_ANY and len(parts) <= _MAX_PARTS:
            yield from itertools.islice(_matching(tree, project, parts), _MAX_MEMBERS)


def _matching(tree: BoxTree, base: str, parts: tuple[str, ...], depth: int = 0) -> Iterator[str]:
    if not parts:
        yield base
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        yield from _matching(tree, base, rest, depth)
        if depth >= _MAX_DEPTH:
            return
    elif "*" not in first and "?" not in first and "[" not in first and "{" not in first:
        if first != "..":
            yield from _matching(tree, f"{base}/{first}", rest, depth)
        return
    for name in tree.names(base):
        if name in _SKIPPED or name.startswith(".") or tree.kind(f"{base}/{name}") != "folder":
            continue
        if first == "**":
            yield from _matching(tree, f"{base}/{name}", parts, depth + 1)
        elif any(fnmatch.fnmatchcase(name, one) for one in _braces(first)):
            yield from _matching(tree, f"{base}/{name}", rest, depth)


def _braces(pattern: str) -> list[str]:
    """``{a,b}`` spelt out, once."""
    head, opened, rest = pattern.partition("{")
    inner, closed, tail = rest.partition("}")
    return [head + one + tail for one in inner.split(",")] if opened and closed else [pattern]
