"""Puts blame on everything that was recorded: alerts, canary reads, and the gateway's records."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.enrich.blame import Blamer, Ports, blame_port
from package_hunter.model.observation import Blame, NetworkLog, Observation


def blame_observation(observation: Observation, blamer: Blamer) -> Observation:
    """The same observation, each alert and canary read with its blame."""
    return replace(
        observation,
        alerts=tuple(
            replace(item, blame=blamer.blame(None, item.time_ns, item.pid)) for item in observation.alerts
        ),
        canary_reads=tuple(
            replace(item, blame=blamer.blame(item.process, item.time_ns)) for item in observation.canary_reads
        ),
    )


def blame_network(log: NetworkLog, observation: Observation, blamer: Blamer) -> NetworkLog:
    """The same log, each record with the blame of the process that had its port."""
    ports = Ports(observation.sockets)

    def who(peer_port: int, time_ns: int, *protocols: str) -> Blame | None:
        found = (blame_port(blamer, ports, peer_port, protocol, time_ns) for protocol in protocols)
        return next((item for item in found if item is not None), None)

    return replace(
        log,
        dns=tuple(replace(item, blame=who(item.peer_port, item.time_ns, "udp", "tcp")) for item in log.dns),
        connections=tuple(
            replace(item, blame=who(item.peer_port, item.time_ns, item.protocol)) for item in log.connections
        ),
        requests=tuple(
            replace(item, blame=who(item.peer_port, item.time_ns, "tcp")) for item in log.requests
        ),
        hits=tuple(
            replace(
                item,
                blame=who(item.peer_port, item.time_ns, *_protocols(item.channel)),
            )
            for item in log.hits
        ),
        marks=tuple(
            replace(item, blame=who(item.peer_port, item.time_ns, "tcp", "udp")) for item in log.marks
        ),
    )


def _protocols(channel: str) -> tuple[str, ...]:
    return ("udp", "tcp") if channel in ("dns", "udp") else ("tcp", "udp")
