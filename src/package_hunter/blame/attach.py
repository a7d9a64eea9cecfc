"""Puts blame on everything that was recorded: alerts, canary reads, and the gateway's records."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from package_hunter.blame.blamer import Blamer
from package_hunter.model.observation import Blame, NetworkLog, Observation, SocketUse

_GATEWAY_SLACK_NS = 100_000_000  # a record of the gateway is written after the socket was used


class Ports:
    """Ties what the gateway recorded to a process, by the box's own port of the connection."""

    def __init__(self, sockets: Iterable[SocketUse]) -> None:
        self._uses: dict[tuple[str, int], list[SocketUse]] = defaultdict(list)
        for use in sorted(sockets, key=lambda item: item.time_ns):
            self._uses[use.protocol, use.local_port].append(use)

    def use(self, peer_port: int, protocol: str, time_ns: int) -> SocketUse | None:
        """The socket use that best fits a record of the gateway: the last one from that port until then
        (with a little slack), else the first one after it."""
        known = self._uses.get((protocol, peer_port), [])
        at = bisect_right(known, time_ns + _GATEWAY_SLACK_NS, key=lambda item: item.time_ns)
        return known[at - 1] if at else (known[0] if known else None)


def blame_port(blamer: Blamer, ports: Ports, peer_port: int, protocol: str, time_ns: int) -> Blame | None:
    """Blame for a record of the gateway; None where no socket use was seen from that port."""
    use = ports.use(peer_port, protocol, time_ns)
    return blamer.blame(use.process, time_ns) if use is not None else None


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
        if peer_port < 0:  # a socket of the file system: its client's pid
            return blamer.blame(None, time_ns, -peer_port)
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
    if channel == "icmp":
        return ("icmp",)
    return ("udp", "tcp") if channel in ("dns", "udp") else ("tcp", "udp")
