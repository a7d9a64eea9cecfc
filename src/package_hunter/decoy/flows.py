"""What comes in datagrams: searched by flow, and once more by destination, as pieces may be sent from many ports."""

from __future__ import annotations

from collections import OrderedDict

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.record import now
from package_hunter.decoy.watch import Sink
from package_hunter.decoy.web import Peer
from package_hunter.model.observation import Connection

_MAX_FLOWS = 4_096
_MAX_PLACES = 1_024
_PIECE = 1_024  # bytes of a datagram that may be one of many pieces

Key = tuple[str, int, int]  # address, port, the box's port


class Flow:
    """Datagrams between two ends. ``kind`` is the record's, ``head`` what it shows of the first bytes."""

    def __init__(self, peer: Peer, sink: Sink) -> None:
        self.peer, self._sink = peer, sink
        self.kind = ""
        self.head = bytearray()

    def feed(self, data: bytes) -> None:
        """To be searched."""
        self._sink.feed(data)

    def close(self) -> None:
        self._sink.close()


class Flows:
    """All flows of a protocol (``udp``, ``icmp``); the oldest are recorded when there are too many."""

    def __init__(self, world: DecoyContext, protocol: str) -> None:
        self._world, self._protocol = world, protocol
        self._flows: OrderedDict[Key, Flow] = OrderedDict()
        self._places: OrderedDict[str, Sink] = OrderedDict()

    def hear(self, key: Key, data: bytes, piece: bytes | None = None) -> Flow:
        """A datagram came; ``piece`` is what of it is to be joined with others to the same host, all if None."""
        flow = self._flows.get(key) or self._begin(key)
        flow.peer.sent(len(data))
        flow.head += data[: max(0, self._world.spec.limits.head_bytes - len(flow.head))]
        flow.feed(data)
        joined = data if piece is None else piece
        if 0 < len(joined) <= _PIECE:
            self._place(flow.peer).feed(joined)
        return flow

    def close(self) -> None:
        """Search and record what is still open."""
        while self._flows:
            self._finish()
        for sink in self._places.values():
            sink.close()
        self._places.clear()

    def _begin(self, key: Key) -> Flow:
        if len(self._flows) >= _MAX_FLOWS:
            self._finish()
        name = self._world.names.name(key[0])
        peer = Peer(*key, name, started_ns=now())
        made = self._flows[key] = Flow(peer, self._world.watch.raw(peer, self._protocol))
        return made

    def _place(self, peer: Peer) -> Sink:
        sink = self._places.get(peer.host)
        if sink is None:
            if len(self._places) >= _MAX_PLACES:
                self._places.popitem(last=False)[1].close()
            sink = self._places[peer.host] = self._world.watch.pieces(peer, self._protocol)
        return sink

    def _finish(self) -> None:
        _, flow = self._flows.popitem(last=False)
        flow.close()
        peer = flow.peer
        self._world.record(
            "connection",
            Connection(
                peer.started_ns, self._protocol, peer.address, peer.port, peer.peer_port, peer.name, peer.sni,
                peer.bytes_out, peer.bytes_in, flow.kind or "raw", None, bytes(flow.head), peer.sent_ns,
            ),
        )  # fmt: skip
