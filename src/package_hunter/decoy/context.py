"""One scan's decoy world: what its connections share."""

from __future__ import annotations

from dataclasses import dataclass

from package_hunter.decoy.markers import Markers
from package_hunter.decoy.names import Names
from package_hunter.decoy.record import NetworkRecorder, now
from package_hunter.decoy.spec import GatewaySpec
from package_hunter.decoy.tls import Certificates
from package_hunter.decoy.watch import Watch
from package_hunter.decoy.web import Peer
from package_hunter.model.observation import DecoyMark


@dataclass(slots=True)
class DecoyContext:
    """What every connection of a scan needs."""

    spec: GatewaySpec
    names: Names
    record: NetworkRecorder
    certificates: Certificates
    watch: Watch
    markers: Markers

    def mark(self, kind: str, peer: Peer, detail: str, **evidence: object) -> None:
        """Note an answer worth a finding."""
        self.record("mark", DecoyMark(now(), kind, detail, peer.destination, peer.peer_port, None, evidence))
