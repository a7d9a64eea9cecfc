"""Manifests below the top of a project, which are not scanned with it: told, so that nobody thinks they were."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from package_hunter.ecosystems.known import ecosystems
from package_hunter.ecosystems.tree import BoxTree

# What is there to be tried or read is seldom installed; what lies in these was installed already.
_SKIPPED = {
    "node_modules", "vendor", "site-packages", "dist", "build", "test", "tests", "__tests__", "spec", "fixtures",
    "examples", "example", "docs", "templates",
}  # fmt: skip
_MAX_DEPTH, _MAX_FOLDERS, _SHOWN = 3, 2_000, 8


def manifests(tree: BoxTree, project: str, known: Iterable[str] = ()) -> list[str]:
    """Paths below the project of manifests in its folders, its own members and ``known`` folders (below the
    project) left out; three levels deep."""
    own = {folder for one in ecosystems() for folder in one.planning().members(tree, project)}
    own.update(f"{project}/{folder}" for folder in known)
    wanted = [name for one in ecosystems() for name in one.facts.manifests]
    found: list[str] = []
    queue = deque((f"{project}/{name}", 1) for name in _folders(tree, project))
    looked = 0
    while queue and looked < _MAX_FOLDERS:
        folder, depth = queue.popleft()
        looked += 1
        if folder not in own:
            names = set(tree.names(folder))
            found += [f"{folder[len(project) + 1 :]}/{name}" for name in wanted if name in names][:1]
        if depth < _MAX_DEPTH:
            queue += [(f"{folder}/{name}", depth + 1) for name in _folders(tree, folder)]
    return found


def note(tree: BoxTree, project: str, known: Iterable[str] = ()) -> tuple[str, ...]:
    """A sentence about them; none where there is none."""
    found = manifests(tree, project, known)
    if not found:
        return ()
    some = ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
    return (f"Manifests below the top were not looked at: {some}. Scan their folders by themselves.",)


def _folders(tree: BoxTree, folder: str) -> list[str]:
    return [
        name
        for name in tree.names(folder)
        if not name.startswith(".") and name not in _SKIPPED and tree.kind(f"{folder}/{name}") == "folder"
    ]
