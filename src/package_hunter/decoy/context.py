"""One scan's decoy world: what its connections share."""

from __future__ import annotations

from dataclasses import dataclass, field

from package_hunter.decoy.leads import Leads
from package_hunter.decoy.markers import Markers
from package_hunter.decoy.names import Names
from package_hunter.decoy.record import NetworkRecorder, now
from package_hunter.decoy.spec import GatewaySpec
from package_hunter.decoy.steady import Steady
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
    steady: Steady = field(default_factory=Steady)
    leads: Leads = field(init=False)

    def __post_init__(self) -> None:
        self.leads = Leads(self.record, self.steady)

    def brought(self, name: str) -> bool:
        """Whether a decoy brought this name into the box (lower case, no last dot)."""
        return self.markers.is_marker(name) or self.leads.is_lead(name)

    def secret(self, kind: str) -> str:
        """The value of the scan's canary of a kind that a service hands out now; empty where there is none."""
        canary = next((canary for canary in self.spec.canaries if canary.kind == kind), None)
        if canary is None:
            return ""
        self.watch.gave(canary)
        return canary.value

    def mark(self, kind: str, peer: Peer, detail: str, **evidence: object) -> None:
        """Note an answer worth a finding."""
        self.record("mark", DecoyMark(now(), kind, detail, peer.destination, peer.peer_port, None, evidence))
