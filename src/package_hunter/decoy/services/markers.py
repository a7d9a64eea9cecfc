"""The names that only an executed decoy download asks for (the world marks the look-up or connection)."""

from __future__ import annotations

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask


class Markers:
    """Answers the call of a decoy that runs."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return self._world.markers.is_marker(ask.host)

    def answer(self, ask: Ask) -> Answer | None:
        self._world.markers.seen(ask.host, ask.peer.peer_port)
        return Answer(200, b"ok\n", type="text/plain")
