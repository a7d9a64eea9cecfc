"""Connections that wait for their next request's head: each address may have so many, then its oldest ends.

Who is served sends a head in a blink. Many that do not (slow loris, or a swarm of idle connections) would else
take all places from everybody.
"""

from __future__ import annotations

from collections.abc import Callable

from package_hunter.api.limits import neighbourhood

_OF_AN_ADDRESS = 100
_OF_ALL = 600


class Waiting:
    """The waiting connections of one server; each is known by the function that ends it."""

    def __init__(self, of_an_address: int = _OF_AN_ADDRESS, of_all: int = _OF_ALL) -> None:
        self._of_an_address, self._of_all = of_an_address, of_all
        self._places: dict[str, dict[Callable[[], None], None]] = {}
        self._count = 0

    def add(self, place: str, end: Callable[[], None]) -> None:
        """Note a connection of the address ``place`` (see `limits.neighbourhood`); ends another where those are
        too many."""
        own = self._places.setdefault(place, {})
        if end not in own:
            own[end] = None
            self._count += 1
        if len(own) > self._of_an_address:
            self._end_oldest(place)
        elif self._count > self._of_all:
            self._end_oldest(max(self._places, key=lambda p: len(self._places[p])))

    def discard(self, place: str, end: Callable[[], None]) -> None:
        """The connection waits no more."""
        own = self._places.get(place)
        if own is None or end not in own:
            return
        del own[end]
        self._count -= 1
        if not own:
            del self._places[place]

    def _end_oldest(self, place: str) -> None:
        end = next(iter(self._places[place]))
        self.discard(place, end)
        end()


def place_of(client: tuple[str, int] | None) -> str:
    """What the limits count a connection by."""
    return neighbourhood(client[0]) if client else "unknown"
