"""A BoxTree for a child that may open no file: its parent reads for it, and knows what it was at."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

from package_hunter.confined import Ask
from package_hunter.ecosystems.tree import BoxTree

_MAX_READ = 64 << 20


class RemoteTree(BoxTree):
    """The tree that the parent knows as ``name``; see BoxTree."""

    def __init__(self, name: str, ask: Ask) -> None:
        self._name, self._ask_parent = name, ask

    def read(self, path: str, limit: int = 1 << 20) -> bytes | None:
        """See BoxTree."""
        found = self._ask("read", path, limit)
        return found[1:] if found else None

    def kind(self, path: str) -> str:
        """See BoxTree."""
        return self._ask("kind", path).decode("ascii")

    def names(self, path: str) -> list[str]:
        """See BoxTree."""
        found = self._ask("names", path)
        return found.decode().split("\0") if found else []

    def link_target(self, path: str) -> str | None:
        """See BoxTree."""
        found = self._ask("link", path)
        return os.fsdecode(found[1:]) if found else None

    def _ask(self, what: str, path: str, limit: int = 0) -> bytes:
        if "\0" in path:
            return b""  # no file can be called so
        return self._ask_parent(json.dumps([what, self._name, path, limit]).encode())


class TreeServer:
    """The parent's side: answers for the trees that it was given. ``last`` is the file that was read last."""

    def __init__(self, trees: Mapping[str, BoxTree]) -> None:
        self._trees = trees
        self.last = ""

    def __call__(self, question: bytes) -> bytes:
        """One answer. ValueError for what no tree of ours asks."""
        asked = json.loads(question)
        if not isinstance(asked, list) or [type(part) for part in asked] != [str, str, str, int]:
            raise ValueError("not a question about a tree")
        what, name, path, limit = asked
        tree = self._trees.get(name)
        return b"" if tree is None else self._answers()[what](tree, path, limit)

    def _answers(self) -> Mapping[str, Callable[[BoxTree, str, int], bytes]]:
        return {
            "read": self._read,
            "kind": lambda tree, path, _: tree.kind(path).encode(),
            "names": lambda tree, path, _: "\0".join(tree.names(path)).encode(),
            "link": lambda tree, path, _: _some(tree.link_target(path)),
        }

    def _read(self, tree: BoxTree, path: str, limit: int) -> bytes:
        data = tree.read(path, max(0, min(limit, _MAX_READ)))
        if data is None:
            return b""
        self.last = path
        return b"\x01" + data


def _some(text: str | None) -> bytes:
    return b"" if text is None else b"\x01" + os.fsencode(text)
