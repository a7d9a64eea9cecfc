"""Any other URL: a plausible thing of the asked kind."""

from __future__ import annotations

from package_hunter.decoy.web import Answer, Ask
from package_hunter.decoy.world import World

_PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"


class Downloads:
    """The last to be asked: it answers everything."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, ask: Ask) -> Answer:
        if ask.method in ("GET", "HEAD"):
            return Answer(200, _PAGE)
        return Answer(200, b'{"ok":true}', type="application/json")
