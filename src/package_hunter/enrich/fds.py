"""What is known of one open descriptor."""

from __future__ import annotations

import socket

from package_hunter.model.table import FdEntry

UNKNOWN, TCP, UDP, ICMP, RAW = range(5)
PROTOCOLS = ("<NA>", "tcp", "udp", "icmp", "raw")
CLIENT, SERVER = 1, 2
O_CLOEXEC, O_DIRECTORY, O_TMPFILE, O_CREATED = 1 << 12, 1 << 10, 1 << 13, 1 << 14
UPPER_LAYER, LOWER_LAYER = 1 << 15, 1 << 16

TYPE_CHARS = {
    "file": "f",
    "directory": "d",
    "ipv4": "4",
    "ipv6": "6",
    "unix": "u",
    "pipe": "p",
    "event": "e",
    "signalfd": "s",
    "eventpoll": "l",
    "inotify": "i",
    "timerfd": "t",
    "netlink": "n",
    "bpf": "b",
    "userfaultfd": "u",
    "io_uring": "r",
    "memfd": "m",
    "pidfd": "P",
    "unsupported": "X",
}


class Fd:
    """A descriptor. Never changed once another process may share it: changes are made to a copy.

    ``kind`` is Falco's fd.type, or "" where it is unknown. ``sip``/``sport`` are the client's end of a
    connection, ``dip``/``dport`` the server's; a bound or listening socket (``listens``) has only the latter.
    ``named`` is its name before the current event.
    """

    __slots__ = (
        "connected",
        "dev",
        "dip",
        "dport",
        "flags",
        "ino",
        "kind",
        "l4",
        "listens",
        "name",
        "named",
        "openflags",
        "pid",
        "raw_name",
        "role",
        "sip",
        "sport",
    )

    def __init__(self, kind: str, name: str = "") -> None:
        self.kind = kind
        self.name = name
        self.raw_name = ""
        self.named = ""
        self.openflags = 0
        self.flags = 0
        self.ino = 0
        self.dev = 0
        self.l4 = UNKNOWN
        self.sip = b""
        self.sport = 0
        self.dip = b""
        self.dport = 0
        self.role = 0
        self.listens = False
        self.connected = False
        self.pid = 0

    def copy(self) -> Fd:
        """A copy that may be changed."""
        new = Fd.__new__(Fd)
        for slot in Fd.__slots__:
            setattr(new, slot, getattr(self, slot))
        return new

    @property
    def is_ip(self) -> bool:
        """Is it an IPv4 or IPv6 socket?"""
        return self.kind in ("ipv4", "ipv6")

    @property
    def protocol(self) -> int:
        """The transport protocol, unknown for a socket that has not been used."""
        if not self.is_ip:
            return UNKNOWN
        if self.listens or self.l4 == RAW or self.role:
            return self.l4
        return UNKNOWN

    @property
    def type_char(self) -> str:
        """Falco's letter for the type."""
        return TYPE_CHARS.get(self.kind, "?" if self.kind else "o")


def address(packed: bytes) -> str:
    """A packed address as text."""
    if len(packed) == 4:
        return ".".join(map(str, packed))
    if len(packed) == 16:
        return socket.inet_ntop(socket.AF_INET6, packed)
    return "0.0.0.0"  # noqa: S104 (an address to show, none to bind to)


def tuple_name(fd: Fd) -> str:
    """A socket's name as Falco prints it: ``client:port->server:port``."""
    if fd.listens:
        return f"{address(fd.dip)}:{fd.dport}"
    if fd.l4 in (TCP, UDP):
        return f"{address(fd.sip)}:{fd.sport}->{address(fd.dip)}:{fd.dport}"
    if fd.l4 in (ICMP, RAW):
        return f"{address(fd.sip)}->{address(fd.dip)}"
    return "<unknown>"


def from_entry(entry: FdEntry) -> Fd:
    """A descriptor of the start tables."""
    fd = Fd(entry.kind, entry.name)
    fd.ino, fd.dev, fd.openflags, fd.l4 = entry.ino, entry.dev, entry.flags, entry.l4proto
    if fd.is_ip:
        fd.listens = entry.is_server and entry.remote is None
        ends = (entry.remote, entry.local) if entry.is_server else (entry.local, entry.remote)
        if ends[0]:
            fd.sip, fd.sport = ends[0]
        if ends[1]:
            fd.dip, fd.dport = ends[1]
        fd.role = 0 if fd.listens else SERVER if entry.is_server else CLIENT
        fd.connected = not fd.listens and fd.l4 == TCP
        fd.name = tuple_name(fd) if fd.l4 or fd.listens else entry.name
    elif fd.kind == "unix":
        fd.role = SERVER if entry.name else CLIENT
    return fd


def is_mapped(packed: bytes) -> bool:
    """An IPv4 address in IPv6 clothes, or the unspecified address."""
    return packed[:10] == bytes(10) and (packed[10:12] == b"\xff\xff" or packed[10:] == bytes(6))
