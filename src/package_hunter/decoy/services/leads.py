"""Who asks a host whose name only a decoy could have told (the world marks it); what it gets there is like any
other download."""

from __future__ import annotations

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask


class Followed:
    """Notes that a lead was followed, also where its name was not looked up (through a proxy)."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return self._world.leads.is_lead(ask.host)

    def answer(self, ask: Ask) -> Answer | None:
        self._world.leads.seen(ask.host, ask.peer.peer_port, ask.peer.destination)
        return None
