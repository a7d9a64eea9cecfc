"""Python as an ecosystem: see ``ecosystems.interface``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_hunter.ecosystems.interface import Ecosystem, HostSide, Planning
from package_hunter.ecosystems.python.facts import FACTS

if TYPE_CHECKING:
    from package_hunter.decoy.registry.front import Front, Registry


class PythonEcosystem(Ecosystem):
    """Everything that pip installs, and ``pkg:pypi/…``."""

    facts = FACTS

    def planning(self) -> Planning:
        """See ``planning``."""
        from package_hunter.ecosystems.python.planning import PythonPlanning

        return PythonPlanning()

    def host(self) -> HostSide:
        """See ``host``."""
        from package_hunter.ecosystems.python.host import PythonHost

        return PythonHost()

    def front(self, shared: Registry) -> Front:
        """See ``front``."""
        from package_hunter.ecosystems.python.front import PypiFront

        return PypiFront(shared)
