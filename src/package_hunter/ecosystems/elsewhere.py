"""Manifests below the top of a project, which are not scanned with it: told, so that nobody thinks they were; or, where
the user asks for it, targets of the scan, too."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from package_hunter.ecosystems.base import SourceTree
from package_hunter.ecosystems.known import ecosystems
from package_hunter.ecosystems.tree import BoxTree

# What is there to be tried or read is seldom installed; what lies in these was installed already.
_SKIPPED = {
    "node_modules", "vendor", "site-packages", "dist", "build", "test", "tests", "__tests__", "spec", "fixtures",
    "examples", "example", "docs", "templates",
}  # fmt: skip
_MAX_DEPTH, _MAX_FOLDERS, _SHOWN = 3, 2_000, 8
MAX_PARTS = 20  # folders that are targets of one scan: each has a box of its own


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
    return (
        f"Manifests below the top were not looked at: {some(found)}. "
        "Scan their folders by themselves, or all with --recursive.",
    )


def some(found: list[str]) -> str:
    """The first few, and how many more."""
    return ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


class Below:
    """The folders below a project that are targets of their own: those with a manifest which is not scanned with
    another one's. ``known`` are folders (below the project) that are scanned with the project itself."""

    def __init__(self, source_tree: SourceTree, known: Iterable[str]) -> None:
        self._whole = source_tree
        found = manifests(source_tree.tree, source_tree.project, known)
        self._open = [path.rpartition("/")[0] for path in found]
        self._taken: set[str] = set()
        self._count = 0

    def parts(self) -> Iterator[SourceTree]:
        """One by one, the outer first; ``take`` each before the next is asked for."""
        while self._open and self._count < MAX_PARTS:
            folder = self._open.pop(0)
            if folder not in self._taken:
                self._count += 1
                yield self._whole.part(folder)

    def take(self, part: SourceTree, also: Iterable[str]) -> None:
        """This part is scanned, and with it its members, and ``also`` (folders below it)."""
        base = len(self._whole.project) + 1
        members = (f for one in ecosystems() for f in one.planning().members(part.tree, part.project))
        self._taken.update(folder[base:] for folder in members)
        self._taken.update(f"{part.project[base:]}/{folder}" for folder in also)

    def left_out(self) -> tuple[str, ...]:
        """A sentence about those that were too many."""
        left = [folder for folder in self._open if folder not in self._taken]
        if not left:
            return ()
        return (
            f"Only {MAX_PARTS} folders with manifests were looked at; scan these by themselves: {some(left)}.",
        )


def _folders(tree: BoxTree, folder: str) -> list[str]:
    return [
        name
        for name in tree.names(folder)
        if not name.startswith(".") and name not in _SKIPPED and tree.kind(f"{folder}/{name}") == "folder"
    ]
