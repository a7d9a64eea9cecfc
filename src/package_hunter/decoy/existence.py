"""Which host names exist: nearly all, but not those by which a program asks whether everything is answered."""

from __future__ import annotations

from collections.abc import Callable

from package_hunter.model.machine_names import machine_made

Stands = Callable[[tuple[str, ...]], bool | None]
"""Whether one of these labels stands in a file of the box, plain or encoded; None: it could not be said."""

# RFC 6761 section 6.4, RFC 7686. `.test` and `.example` are reserved too; there our own simulations live.
_NEVER = (".invalid", ".onion", ".alt")
_LOCAL = (".local", ".localdomain", ".home.arpa", ".in-addr.arpa", ".ip6.arpa")
_MISSING = (
    2  # made-up names of a scan that do not exist; a machine that makes up more (a DGA) is to be watched on
)
_QUESTIONS = 50  # about names that stand in files: the answer takes the worker a moment


class Existence:
    """Decides once for each name, and stays with it."""

    def __init__(self, stands: Stands, ours: Callable[[str], bool] = lambda name: False) -> None:
        """``ours`` knows the names that decoys bring (markers)."""
        self._stands, self._ours = stands, ours
        self._missing: set[str] = set()
        self._there: set[str] = set()
        self._written: set[str] = set()
        self._asked = 0

    def written(self, name: str) -> bool:
        """Whether the labels of ``name`` that a machine made were found in a file of the box."""
        return name in self._written

    def exists(self, name: str) -> bool:
        """Whether ``name`` (lower case, no last dot) is to be answered."""
        if "." not in name or name.endswith((*_NEVER, *_LOCAL)):
            return False
        if name in self._missing:
            return False
        if name not in self._there and not self._ours(name) and self._is_made_up(name):
            self._missing.add(name)
            return False
        self._there.add(name)
        return True

    def _is_made_up(self, name: str) -> bool:
        labels = machine_made(name)
        if (
            not labels
            or len(self._missing) >= _MISSING
            or self._asked >= _QUESTIONS
            or self._has_parent(name)
        ):
            return False
        self._asked += 1
        found = self._stands(labels)
        if found:
            self._written.add(name)
        return found is False

    def _has_parent(self, name: str) -> bool:
        """Whether a name above it was answered: then its owner may well have this one too."""
        labels = name.split(".")
        return any(".".join(labels[i:]) in self._there for i in range(1, len(labels) - 1))
