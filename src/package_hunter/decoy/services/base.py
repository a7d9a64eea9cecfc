"""What a decoy service is."""

from __future__ import annotations

from typing import Protocol

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask


class Service(Protocol):
    """A decoy of some service of the internet."""

    def __init__(self, world: DecoyContext) -> None: ...

    def matches(self, ask: Ask) -> bool:
        """Whether this request is for it, by name, port or form."""
        ...

    def answer(self, ask: Ask) -> Answer | None:
        """What the real one would say; None leaves the request to the next."""
        ...
