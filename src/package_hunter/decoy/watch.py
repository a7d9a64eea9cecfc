"""Everything that leaves the box passes here to be searched for canaries."""

from __future__ import annotations

from package_hunter.decoy.web import Ask, Peer


class Sink:
    """Takes the bytes of one body or connection as they come."""

    def feed(self, data: bytes) -> None:
        """The next bytes."""

    def close(self) -> None:
        """No more come."""


class Watch:
    """The canary search of one scan."""

    def dns(self, name: str, peer_port: int) -> None:
        """A name was asked for."""

    def request(self, ask: Ask) -> None:
        """The head of a request: URL and headers."""

    def body(self, ask: Ask) -> Sink:
        """A request's body is about to come."""
        return Sink()

    def raw(self, peer: Peer, channel: str) -> Sink:
        """A connection that speaks neither HTTP nor TLS."""
        return Sink()
