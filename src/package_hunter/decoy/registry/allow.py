"""What may be asked of a registry: the dependency tree and what it turns out to need."""

from __future__ import annotations

from collections.abc import Iterable

from package_hunter.model.ecosystem import facts_of
from package_hunter.model.registry import RegistryAllow


def normal_name(ecosystem: str, name: str) -> str:
    """A package's name in the form its registry compares (PEP 503 for PyPI)."""
    facts = facts_of(ecosystem)
    return facts.normal(name) if facts is not None else name


class AllowList:
    """The names, artefacts and digests of one ecosystem that this scan may fetch."""

    def __init__(self, ecosystem: str) -> None:
        self._ecosystem = ecosystem
        self._names: set[str] = set()
        self._closed = False
        self._resolving = False
        self._integrity: dict[str, str] = {}
        self._pinned: set[str] = set()
        self._urls: set[str] = set()
        self._proven: dict[str, str] = {}

    def add(self, allow: RegistryAllow) -> None:
        """Take a further description from the plan; once one is open, the whole is."""
        first = not self._names
        self._resolving = allow.resolving
        self._names.update(normal_name(self._ecosystem, name) for name in allow.names)
        self._closed = allow.closed and (first or self._closed)
        for key, sri in allow.integrity.items():
            self._integrity[key] = sri
            self._pinned.add(normal_name(self._ecosystem, key.rpartition("@")[0]))
        self._names |= self._pinned
        self._urls |= allow.urls
        self._proven.update(allow.proven)

    def name(self, name: str) -> bool:
        """Whether it may be asked for; while the package manager resolves alone, its asking makes it known."""
        normal = normal_name(self._ecosystem, name)
        if self._resolving:
            self._names.add(normal)
        return normal in self._names

    @property
    def resolving(self) -> bool:
        """Whether the package manager is alone with the registry."""
        return self._resolving

    def version(self, name: str, version: str) -> bool:
        """False where a lock file that lists everything lists this package in other versions only."""
        if not self.name(name):
            return False
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

    def learn(self, names: Iterable[str]) -> None:
        """The registry says that an allowed package depends on these."""
        if not self._closed:
            self._names.update(normal_name(self._ecosystem, name) for name in names)
