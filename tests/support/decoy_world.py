"""A decoy world without a gateway: services are asked directly, and what they mark is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.services import services
from package_hunter.decoy.services.downloads import Downloads
from package_hunter.decoy.spec import GatewaySpec
from package_hunter.decoy.web import Answer, Ask, Peer
from package_hunter.model.observation import Canary, DecoyMark


class PlayedWorld:
    """One scan's services. ``marks`` are what they noted, ``given`` the kinds of canaries that they handed out."""

    def __init__(self, world: str = "default") -> None:
        self.marks: list[DecoyMark] = []
        canaries, _, self.env = make_canaries("scan", "github")
        spec = GatewaySpec("scan", Path("/nonexistent"), Path("/nonexistent"), canaries=canaries, world=world)
        markers: Any = _Markers()
        nothing: Any = None
        self.given: list[str] = []
        watch: Any = self  # as far as services know one
        self.world = DecoyContext(spec, nothing, self._record, nothing, watch, markers)  # type: ignore[arg-type]
        self._services = tuple(make(self.world) for make in services())
        self.downloads = Downloads(self.world)

    def ask(self, method: str, url: str, body: bytes = b"", **headers: str) -> Answer:
        """What the services say to a request; header names with ``_`` for ``-``."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        peer = Peer("198.18.0.9", 443 if scheme == "https" else 80, 40_000, host, host, scheme == "https")
        ask = Ask(method, f"/{path}" if slash else "/", host, named, peer, body, size=len(body))
        for service in self._services:
            if service.matches(ask) and (answer := service.answer(ask)) is not None:
                return answer
        return self.downloads.answer(ask)

    def text(self, method: str, url: str, body: bytes = b"", **headers: str) -> str:
        """The same as text."""
        answer = self.ask(method, url, body, **headers).body
        assert isinstance(answer, bytes)
        return answer.decode()

    def secret(self, kind: str) -> str:
        """A canary that a service hands out."""
        return next((canary.value for canary in self.world.spec.canaries if canary.kind == kind), "")

    def gave(self, canary: Canary) -> None:
        """``Watch.gave``: kept."""
        self.given.append(canary.kind)

    def kinds(self) -> list[str]:
        """The kinds of what was marked, in order."""
        return [mark.kind for mark in self.marks]

    def _record(self, kind: str, item: Any) -> None:
        assert kind == "mark"
        self.marks.append(item)


class _Markers:
    def is_marker(self, name: str | None) -> bool:
        return False

    def serve(self, url: str, destination: str) -> str:
        return "c0.marker.example"

    def address(self, name: str) -> str:
        return "192.0.2.1"
