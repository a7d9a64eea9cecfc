"""npm, yarn and pnpm as an ecosystem: see ``ecosystems.interface``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_hunter.ecosystems.interface import Ecosystem, HostSide, Planning
from package_hunter.ecosystems.npm.facts import FACTS

if TYPE_CHECKING:
    from package_hunter.decoy.registry.front import Front, Registry


class NpmEcosystem(Ecosystem):
    """Everything that has a package.json, and ``pkg:npm/…``."""

    facts = FACTS

    def planning(self) -> Planning:
        """See ``planning``."""
        from package_hunter.ecosystems.npm.planning import NpmPlanning

        return NpmPlanning()

    def host(self) -> HostSide:
        """See ``host``."""
        from package_hunter.ecosystems.npm.host import NpmHost

        return NpmHost()

    def front(self, shared: Registry) -> Front:
        """See ``front``."""
        from package_hunter.ecosystems.npm.front import NpmFront

        return NpmFront(shared)
