"""A project's lock files, of every ecosystem: to compare two of them, or to know one again.

The files are untrusted text; what is not understood is left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterator

from package_hunter.ecosystems.known import ecosystems
from package_hunter.ecosystems.pinned import LockFile, Pin, changed
from package_hunter.ecosystems.tree import BoxTree

__all__ = ["LockFile", "Pin", "changed", "lock_file", "lock_files"]


def lock_file(tree: BoxTree, project: str) -> LockFile | None:
    """The first lock file of the project; None without any."""
    return next(lock_files(tree, project), None)


def lock_files(tree: BoxTree, project: str) -> Iterator[LockFile]:
    """Every lock file of the project, of each ecosystem; last of those whose file may be but a list of wishes."""
    every = (one.planning() for one in ecosystems())
    for planning in sorted(every, key=lambda one: one.reads_wishes):
        yield from planning.lock_files(tree, project)
