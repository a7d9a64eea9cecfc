"""What pings carry. The kernel answers them; copies come here to be recorded and searched."""

from __future__ import annotations

import asyncio
import socket
import struct

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.flows import Flows

_STAMP = 16  # bytes of the time that ping puts first
_USUAL = bytes(range(256)) * 256  # how ping fills the rest
_WINDOWS = b"abcdefghijklmnopqrstuvwabcdefghi"
_PKTINFO = 20  # bytes: an address and an interface's number


class IcmpServer:
    """Hears both families' raw sockets."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._flows = Flows(world, "icmp")
        self._left = world.spec.limits.inbound_bytes
        self._last: bytes | None = None

    def listen(self, sock: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(sock, self._receive, sock)

    def _receive(self, sock: socket.socket) -> None:
        six = sock.family == socket.AF_INET6
        for _ in range(64):
            try:
                data, ancillary, _, source = sock.recvmsg(65_535, 256)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
            taken = (_address(ancillary), data) if six else _packet(data)
            if taken and taken[0] not in (None, source[0]):
                self.heard(taken[0] or "", taken[1])

    def heard(self, target: str, message: bytes) -> None:
        """Take an ICMP message to ``target`` in, from its type on."""
        self._left -= len(message)
        if self._left < 0:
            self._world.record.count_cut("inbound_bytes", len(message))
            return
        if len(message) < 8:
            return
        number = struct.unpack_from("!H", message, 4)[0]
        payload = message[8:]
        usual = is_usual(payload)
        piece = payload[:_STAMP] if usual else pattern(payload)
        flow = self._flows.hear((target, 0, number), payload, b"" if piece == self._last else piece)
        self._last = piece  # ping repeats itself
        flow.kind = "ping" if usual and flow.kind in ("", "ping") else "raw"

    def close(self) -> None:
        """Record the flows that are still open."""
        self._flows.close()


def is_usual(payload: bytes) -> bool:
    """Whether a ping carries what pings do, behind the time."""
    rest = payload[_STAMP:]
    return rest == _USUAL[_STAMP : len(payload)] or payload == _WINDOWS or not any(rest)


def pattern(payload: bytes) -> bytes:
    """What a ping is filled with, once (``ping -p``: up to sixteen bytes, over and over from the beginning); all of it
    where nothing is repeated."""
    rest = payload[_STAMP:]
    for size in range(1, _STAMP + 1):
        start = -_STAMP % size
        if len(rest) >= start + size and rest[size:] == rest[:-size]:
            return rest[start : start + size]
    return payload


def _packet(data: bytes) -> tuple[str, bytes] | None:
    """Destination and message of an IPv4 packet."""
    size = (data[0] & 15) * 4 if data else 0
    if size < 20 or len(data) < size:
        return None
    return socket.inet_ntop(socket.AF_INET, data[16:20]), data[size:]


def _address(ancillary: list[tuple[int, int, bytes]]) -> str | None:
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO and len(data) >= _PKTINFO:
            return socket.inet_ntop(socket.AF_INET6, data[:16])
    return None
