"""Every datagram of the box: DNS and a few other questions are answered, all is recorded by flow and searched."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from package_hunter.decoy import datagram_services
from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.dns import is_plain_question
from package_hunter.decoy.flows import Flow, Flows
from package_hunter.decoy.quic import Greeting
from package_hunter.decoy.sockets import datagram, original_destination

_GREETINGS = 1_024  # flows that may be QUIC, at a time


class UdpServer:
    """Serves both families' catch-all sockets."""

    def __init__(self, world: DecoyContext, dns: Any) -> None:
        self._world, self._dns = world, dns
        self._flows = Flows(world, "udp")
        self._greetings: dict[Flow, Greeting] = {}
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
            answer = self.heard(data, source[:2], target)
            if answer:
                packet = datagram(target, (source[0], source[1]), answer)
                with contextlib.suppress(OSError):  # the box's buffer is full, or it is gone
                    raw.sendto(packet, (source[0], 0))

    def heard(self, data: bytes, source: tuple[str, int], target: tuple[str, int]) -> bytes | None:
        """Take a datagram in; its answer."""
        self._left -= len(data)
        if self._left < 0:
            self._world.record.count_cut("inbound_bytes", len(data))
            return None
        question = is_plain_question(data)
        if target[1] == 53 and question:
            return self._asked(data, source)
        flow = self._flows.hear((*target, source[1]), data)
        if target[1] == 53 or question:  # whatever stands behind or around the question is searched
            flow.kind = "dns" if question and flow.kind in ("", "dns") else "raw"
            answer = self._asked(data, source)
        else:
            answer = self._quic(flow, data) or datagram_services.answer(data, source, target[1])
        flow.peer.bytes_in += len(answer or b"")
        return answer

    def _asked(self, data: bytes, source: tuple[str, int]) -> bytes | None:
        answer: bytes | None = self._dns.answer(data, source[1])
        return answer

    def _quic(self, flow: Flow, data: bytes) -> bytes | None:
        """The refusal of a datagram that is QUIC's beginning and nothing else."""
        greeting = self._greetings.get(flow)
        found = None
        if flow.kind != "raw" and data[:1] >= b"\xc0":
            if greeting is None:
                if len(self._greetings) >= _GREETINGS:
                    del self._greetings[next(iter(self._greetings))]
                greeting = self._greetings[flow] = Greeting()
            found = greeting.hear(data)
        if greeting is None or found is None:
            flow.kind = "raw"
            self._greetings.pop(flow, None)
            return None
        flow.kind, flow.peer.sni = "quic", greeting.name
        flow.feed(found[0])
        return found[1]

    def close(self) -> None:
        """Record the flows that are still open."""
        self._flows.close()
