"""Whose file is this? The one look-up by path that blame and findings share.

Each package has *places*: folders (with all below) and single files. Several may have the same one: namespace
packages of Python lie in one folder, and two wheels may bring the same file. The innermost place decides, and all
that have it are named: which of them it is cannot be told from the path.
"""

from __future__ import annotations

from collections.abc import Iterable

from package_hunter.model.scan import Package


class _Node:
    """A folder, or a file at the end of a place."""

    __slots__ = ("below", "packages")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.packages: tuple[Package, ...] = ()


class Owners:
    """Places of packages by their path. A look-up costs no more than the path is long, however many packages
    there are."""

    def __init__(self, packages: Iterable[Package]) -> None:
        self._root = _Node()
        shared: dict[int, tuple[_Node, dict[str, Package]]] = {}
        for package in packages:
            for place in package.places or ((package.path,) if package.path else ()):
                node = self._node(place)
                shared.setdefault(id(node), (node, {}))[1].setdefault(package.purl, package)
        for node, owners in shared.values():
            node.packages = tuple(owners.values())

    def of(self, path: str) -> tuple[Package, ...]:
        """The packages whose file or folder an absolute path of the box is; empty where it is nobody's."""
        node, found = self._root, self._root.packages
        for part in path.split("/"):
            if part in ("", "."):
                continue
            below = node.below.get(part)
            if below is None:
                break
            node = below
            found = node.packages or found
        return found

    def brought_by(self, path: str) -> tuple[Package, ...]:
        """The packages that have this very path as a place, not only a folder above it."""
        node = self._root
        for part in path.split("/"):
            if part in ("", "."):
                continue
            below = node.below.get(part)
            if below is None:
                return ()
            node = below
        return node.packages

    def _node(self, place: str) -> _Node:
        node = self._root
        for part in place.split("/"):
            if part not in ("", "."):
                node = node.below.setdefault(part, _Node())
        return node


def names(packages: Iterable[Package]) -> str:
    """Owners in a sentence: “a”, “a and b”, “a, b, c and 9 more”."""
    known = [package.name for package in packages]
    if len(known) <= 4:
        return " and ".join((", ".join(known[:-1]), known[-1])) if len(known) > 1 else "".join(known)
    return f"{', '.join(known[:3])} and {len(known) - 3} more"
