"""The gateway's sockets: opened inside the gateway's network namespace, served from outside of it.

Facts: Linux Documentation/networking/tproxy.rst; ip(7) IP_TRANSPARENT, IP_RECVORIGDSTADDR; ipv6(7).
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
from dataclasses import dataclass

from package_hunter.errors import SandboxError
from package_hunter.model.box import TCP_PORT, UDP_PORT

IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75
IP_RECVORIGDSTADDR = 20
IPV6_RECVORIGDSTADDR = 74
IPV6_HDRINCL = 36
_SOL_RAW, _ICMP_FILTER = 255, 1  # raw(7)
_ICMP6_FILTER = 1  # RFC 3542 3.2
_ERRORS = (3, 5, 11, 12)  # ICMP types: unreachable, redirect, time exceeded, parameter problem
_ECHO_6 = 128
CLONE_NEWNET = 0x40000000
SOCKETS = 8  # of a gateway


@dataclass(slots=True)
class GatewaySockets:
    """Listening sockets; raw ones to answer datagrams from any address and port; and to hear pings."""

    tcp4: socket.socket
    tcp6: socket.socket
    udp4: socket.socket
    udp6: socket.socket
    raw4: socket.socket
    raw6: socket.socket
    icmp4: socket.socket
    icmp6: socket.socket

    def all(self) -> tuple[socket.socket, ...]:
        return (self.tcp4, self.tcp6, self.udp4, self.udp6, self.raw4, self.raw6, self.icmp4, self.icmp6)

    def close(self) -> None:
        for sock in self.all():
            sock.close()


def _listen(family: socket.AddressFamily, kind: socket.SocketKind, port: int) -> socket.socket:
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    datagrams = kind == socket.SOCK_DGRAM
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        if datagrams:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 1)
    else:
        sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        if datagrams:
            sock.setsockopt(socket.SOL_IP, IP_RECVORIGDSTADDR, 1)
    sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))  # noqa: S104 (a namespace of its own)
    if datagrams:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    else:
        sock.listen(1024)
    return sock


def _raw(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(
        family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW
    )
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
    return sock


def _pings(family: socket.AddressFamily) -> socket.socket:
    """Copies of ICMP messages, other than the errors and questions that kernels exchange."""
    six = family == socket.AF_INET6
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    sock = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    if six:
        blocked = ~(3 << (_ECHO_6 % 32)) & 0xFFFFFFFF  # echo request and reply pass
        words = [0xFFFFFFFF] * 8
        words[_ECHO_6 // 32] = blocked
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *words))
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", sum(1 << kind for kind in _ERRORS)))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    return sock


def _open_all() -> GatewaySockets:
    return GatewaySockets(
        _listen(socket.AF_INET, socket.SOCK_STREAM, TCP_PORT),
        _listen(socket.AF_INET6, socket.SOCK_STREAM, TCP_PORT),
        _listen(socket.AF_INET, socket.SOCK_DGRAM, UDP_PORT),
        _listen(socket.AF_INET6, socket.SOCK_DGRAM, UDP_PORT),
        _raw(socket.AF_INET),
        _raw(socket.AF_INET6),
        _pings(socket.AF_INET),
        _pings(socket.AF_INET6),
    )


def open_in(netns: int | str | os.PathLike[str]) -> GatewaySockets:
    """The gateway's sockets inside ``netns`` (a descriptor or path such as /proc/PID/ns/net)."""
    result: list[GatewaySockets | OSError] = []

    def enter() -> None:
        fd = netns if isinstance(netns, int) else os.open(netns, os.O_RDONLY | os.O_CLOEXEC)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            result.append(_open_all())
        except OSError as error:
            result.append(error)
        finally:
            if not isinstance(netns, int):
                os.close(fd)

    thread = threading.Thread(target=enter, name="gateway-netns")  # its namespace ends with it
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise SandboxError(f"The gateway's sockets could not be opened in its namespace: {result[0]}.")
    return result[0]


def original_destination(ancillary: list[tuple[int, int, bytes]]) -> tuple[str, int] | None:
    """Address and port that a datagram was sent to, from recvmsg's ancillary data."""
    for level, kind, data in ancillary:
        if level == socket.SOL_IP and kind == IP_RECVORIGDSTADDR:
            return socket.inet_ntop(socket.AF_INET, data[4:8]), int.from_bytes(data[2:4], "big")
        if level == socket.IPPROTO_IPV6 and kind == IPV6_RECVORIGDSTADDR:
            return socket.inet_ntop(socket.AF_INET6, data[8:24]), int.from_bytes(data[2:4], "big")
    return None


def _checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF) or 0xFFFF


def datagram(source: tuple[str, int], target: tuple[str, int], payload: bytes) -> bytes:
    """An IP packet with a UDP datagram, headers included (RFC 768, 791, 8200)."""
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    src, dst = socket.inet_pton(family, source[0]), socket.inet_pton(family, target[0])
    length = 8 + len(payload)
    udp = struct.pack("!HHHH", source[1], target[1], length, 0)
    pseudo = (
        src
        + dst
        + struct.pack(
            "!IHBB" if family == socket.AF_INET6 else "!BBH",
            *((length, 0, 0, 17) if family == socket.AF_INET6 else (0, 17, length)),
        )
    )
    udp = udp[:6] + struct.pack("!H", _checksum(pseudo + udp + payload))
    if family == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, length, 17, 64) + src + dst + udp + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0) + src + dst
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + udp + payload
