"""Ruby as an ecosystem: see ``ecosystems.interface``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_hunter.ecosystems.interface import Ecosystem, HostSide, Planning
from package_hunter.ecosystems.ruby.facts import FACTS

if TYPE_CHECKING:
    from package_hunter.decoy.registry.front import Front, Registry


class RubyEcosystem(Ecosystem):
    """Everything that bundler and gem install, and ``pkg:gem/…``."""

    facts = FACTS

    def planning(self) -> Planning:
        """See ``planning``."""
        from package_hunter.ecosystems.ruby.planning import RubyPlanning

        return RubyPlanning()

    def host(self) -> HostSide:
        """See ``host``."""
        from package_hunter.ecosystems.ruby.host import RubyHost

        return RubyHost()

    def front(self, shared: Registry) -> Front:
        """See ``front``."""
        from package_hunter.ecosystems.ruby.front import GemFront

        return GemFront(shared)
