"""Every datagram of the box: DNS is answered, the rest is recorded by flow."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.record import now
from package_hunter.decoy.sockets import datagram, original_destination
from package_hunter.decoy.web import Peer
from package_hunter.model.observation import Connection

_MAX_FLOWS = 4_096


class UdpServer:
    """Serves both families' catch-all sockets."""

    def __init__(self, world: DecoyContext, dns: Any) -> None:
        self._world, self._dns = world, dns
        self._flows: dict[tuple[str, int, int], tuple[Peer, bytearray, Any]] = {}
        self._left = world.spec.limits.inbound_bytes

    def listen(self, sock: socket.socket, raw: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(sock, self._receive, sock, raw)

    def _receive(self, sock: socket.socket, raw: socket.socket) -> None:
        for _ in range(64):
            try:
                data, ancillary, _, source = sock.recvmsg(65_535, 256)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
            target = original_destination(ancillary)
            if target is None:
                continue
            answer = self._heard(data, source[:2], target)
            if answer:
                packet = datagram(target, (source[0], source[1]), answer)
                with contextlib.suppress(OSError):  # the box's buffer is full, or it is gone
                    raw.sendto(packet, (source[0], 0))

    def _heard(self, data: bytes, source: tuple[str, int], target: tuple[str, int]) -> bytes | None:
        self._left -= len(data)
        if self._left < 0:
            self._world.record.count_cut("inbound_bytes", len(data))
            return None
        if target[1] == 53:
            answer: bytes | None = self._dns.answer(data, source[1])
            return answer
        flow = self._flow(source, target)
        if flow is None:
            return None
        peer, head, sink = flow
        peer.sent(len(data))
        limit = self._world.spec.limits.head_bytes
        head += data[: max(0, limit - len(head))]
        sink.feed(data)
        return None

    def _flow(self, source: tuple[str, int], target: tuple[str, int]) -> tuple[Peer, bytearray, Any] | None:
        key = (target[0], target[1], source[1])
        flow = self._flows.get(key)
        if flow is None:
            if len(self._flows) >= _MAX_FLOWS:
                self._finish(next(iter(self._flows)))
            peer = Peer(target[0], target[1], source[1], self._world.names.name(target[0]), started_ns=now())
            flow = self._flows[key] = (peer, bytearray(), self._world.watch.raw(peer, "udp"))
        return flow

    def _finish(self, key: tuple[str, int, int]) -> None:
        peer, head, sink = self._flows.pop(key)
        sink.close()
        self._world.record(
            "connection",
            Connection(
                peer.started_ns, "udp", peer.address, peer.port, peer.peer_port, peer.name, None,
                peer.bytes_out, peer.bytes_in, "raw", None, bytes(head), peer.sent_ns,
            ),
        )  # fmt: skip

    def close(self) -> None:
        """Record the flows that are still open."""
        for key in list(self._flows):
            self._finish(key)
