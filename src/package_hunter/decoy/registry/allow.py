"""What may be asked of a registry: the dependency tree and what it turns out to need."""

from __future__ import annotations

from collections.abc import Iterable

from package_hunter.model.ecosystem import facts_of
from package_hunter.model.registry import RegistryAllow


def normal_name(ecosystem: str, name: str) -> str:
    """A package's name in the form its registry compares (PEP 503 for PyPI)."""
    facts = facts_of(ecosystem)
    return facts.normal(name) if facts is not None else name


MAX_ASKED = 50_000  # names that a manager that decides may ask for
MAX_BY_SCRIPTS = 2_000  # names that the project's own scripts ask for, with what those need


class AllowList:
    """The names, artefacts and digests of one ecosystem that this scan may fetch.

    ``deciding``: the package manager alone asks, and what it asks for becomes the tree; until ``freeze``.
    """

    def __init__(self, ecosystem: str) -> None:
        self._ecosystem = ecosystem
        self._names: set[str] = set()
        self._closed = False
        self._integrity: dict[str, str] = {}
        self._pinned: set[str] = set()
        self._urls: set[str] = set()
        self._proven: dict[str, str] = {}
        self.deciding = self._builds_ask = False
        self._asked: set[str] = set()
        self._by_scripts: set[str] = set()
        self._served: dict[str, str] = {}  # name@version -> SRI of what went out while the manager decided

    def add(self, allow: RegistryAllow) -> None:
        """Take a further description from the plan; once one is open, the whole is."""
        first = not self._names
        self._names.update(normal_name(self._ecosystem, name) for name in allow.names)
        self._closed = allow.closed and (first or self._closed)
        for key, sri in allow.integrity.items():
            self._integrity[key] = sri
            self._pinned.add(normal_name(self._ecosystem, key.rpartition("@")[0]))
        self._names |= self._pinned
        self._urls |= allow.urls
        self._proven.update(allow.proven)
        self.deciding = allow.manager_decides and (first or self.deciding)
        self._builds_ask = self._builds_ask or allow.builds_ask
        self._by_scripts.update(normal_name(self._ecosystem, name) for name in allow.scripts_ask)

    def freeze(self) -> None:
        """The fetch is over: what the manager asked for is the tree, and foreign code may ask for nothing else."""
        if not self.deciding:
            return
        self.deciding, self._closed = False, not self._builds_ask
        self._names |= self._asked
        for key, sri in self._served.items():
            self._integrity.setdefault(key, sri)
            self._pinned.add(normal_name(self._ecosystem, key.rpartition("@")[0]))

    def served(self, name: str, version: str, sri: str) -> None:
        """This artefact goes out."""
        if self.deciding:
            self._served[f"{name}@{version}"] = sri

    def name(self, name: str) -> bool:
        """Whether it may be asked for; while the manager decides, its asking makes it known."""
        normal = normal_name(self._ecosystem, name)
        if normal in self._names or (normal in self._by_scripts and not self.deciding):
            return True
        if not self.deciding or len(self._asked) >= MAX_ASKED:
            return False
        self._asked.add(normal)
        return True

    def version(self, name: str, version: str) -> bool:
        """False where a lock file that lists everything lists this package in other versions only, and nobody else
        may know better."""
        if not self.name(name):
            return False
        if self.deciding or normal_name(self._ecosystem, name) in self._by_scripts:
            return True
        pinned = self._closed and normal_name(self._ecosystem, name) in self._pinned
        return not pinned or f"{name}@{version}" in self._integrity

    def integrity(self, name: str, version: str) -> str | None:
        """The lock file's SRI for this version."""
        return self._integrity.get(f"{name}@{version}")

    def url(self, url: str) -> bool:
        return url in self._urls

    def proof(self, url: str) -> str | None:
        """The lock file's SRI for what lies at this address."""
        return self._proven.get(url)

    def learn(self, names: Iterable[str], of: str = "") -> None:
        """The registry says that an allowed package (``of``) depends on these."""
        if normal_name(self._ecosystem, of) in self._by_scripts:
            for name in names:
                if len(self._by_scripts) < MAX_BY_SCRIPTS:
                    self._by_scripts.add(normal_name(self._ecosystem, name))
        if not self._closed and not self.deciding:
            self._names.update(normal_name(self._ecosystem, name) for name in names)
