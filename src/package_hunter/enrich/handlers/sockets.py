"""What events say of sockets: family, protocol, both ends, who is server and who client."""

from __future__ import annotations

from package_hunter.enrich.addresses import Tuple, address_text, read_address, read_tuple, tuple_text
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fds import CLIENT, ICMP, RAW, SERVER, TCP, UDP, UNKNOWN, Fd, tuple_name
from package_hunter.enrich.state import State
from package_hunter.enrich.text import name_of
from package_hunter.model.event import Extra

_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM, _DGRAM, _RAW = 1, 2, 3
_IN_PROGRESS = -115


def on_socket(state: State, ev: Ev) -> None:
    """A socket was made."""
    if ev.thread is not None and ev.res >= 0:
        _make(state, ev, ev.res, ev.uint(1), ev.uint(2), ev.uint(3))


def _make(state: State, ev: Ev, number: int, domain: int, kind: int, protocol: int) -> None:
    names = {_UNIX: "unix", _INET: "ipv4", _INET6: "ipv6", _NETLINK: "netlink"}
    fd = Fd(names.get(domain, ""))
    if fd.is_ip:
        fd.l4 = _protocol(kind, protocol)
    ev.made(number, fd)


def _protocol(kind: int, protocol: int) -> int:
    raw = kind == _RAW
    if protocol == 0:
        return {_STREAM: TCP, _DGRAM: UDP}.get(kind & 0xFF, UNKNOWN)
    known = {6: TCP, 17: UDP, 1: ICMP, 255: RAW}.get(protocol, UNKNOWN)
    return RAW if raw and known else known


def on_bind(state: State, ev: Ev) -> None:
    """A socket got an address of its own: with a port, it is taken for a server's."""
    if ev.fd is None or ev.res < 0 or not ev.param(1):
        return
    fd = ev.change()
    where = read_address(ev.param(1))
    if where is not None and where[2] > 0:
        family, ip, port = where
        fd.kind = "ipv4" if family == _INET else "ipv6"
        fd.listens, fd.dip, fd.dport = True, ip, port
        fd.sip, fd.sport = b"", 0
        fd.role = SERVER
    fd.name = address_text(ev.param(1))


def on_connect(state: State, ev: Ev) -> None:
    """A connection was made, or begun; the kernel's own addresses count, not what the caller said."""
    if ev.thread is None or ev.fd is None or (ev.res < 0 and ev.res != _IN_PROGRESS):
        return
    fd = ev.change()
    fd.connected = True
    enter = ev.enter
    said = enter.param(1) if enter is not None else b""
    ends = read_tuple(ev.param(1))
    if ends is None:
        where = read_address(said)
        if where is not None:
            fd.kind = "ipv4" if where[0] == _INET else "ipv6"
            fd.dip, fd.dport = where[1], where[2]
        return
    if ends.family == _UNIX:
        if fd.kind == "unix":
            path = (
                name_of(said[1:])
                if said[:1] == b"\x01" and ends.path == name_of(ev.param(3)[1:])
                else ends.path
            )
            fd.name = f"{ends.source:x}->{ends.dest:x} {path}"
    else:
        before, after = read_address(said), read_address(ev.param(3))
        if before is not None and after is not None and (ends.dip, ends.dport) == after[1:]:
            ends.dip, ends.dport = before[1:]
        fd.listens = False
        changed = _set_ends(fd, ends, overwrite=True)
        if changed and fd.role == SERVER and fd.kind == "ipv4" and fd.l4 == UDP:
            _swap(fd)
        fd.name = tuple_name(fd)
    _local(fd, ev)
    if not fd.role:
        fd.role = CLIENT


def _local(fd: Fd, ev: Ev) -> None:
    """Our probe's word on the local end, where the tuple came too early to have it."""
    local = ev.extra.get(Extra.LOCAL) if fd.is_ip else None
    if local and not fd.sport:
        where = read_address(local)
        if where is not None:
            fd.sip, fd.sport = where[1], where[2]
            fd.name = tuple_name(fd)


def _set_ends(fd: Fd, ends: Tuple, overwrite: bool = True) -> bool:
    """Takes over both ends; False where nothing was new."""
    kind = "ipv4" if ends.family == _INET else "ipv6"
    same = (ends.sip, ends.sport, ends.dip, ends.dport)
    if fd.kind == kind and ((fd.sip, fd.sport, fd.dip, fd.dport) == same or _crossed(fd) == same):
        return False
    before = (fd.sip, fd.sport, fd.dip, fd.dport)
    fd.kind = kind
    fd.sip, fd.sport = ends.sip, ends.sport
    if overwrite or not any(fd.dip):
        fd.dip = ends.dip
    if overwrite or not fd.dport:
        fd.dport = ends.dport
    return (fd.sip, fd.sport, fd.dip, fd.dport) != before


def _crossed(fd: Fd) -> tuple[bytes, int, bytes, int]:
    return fd.dip, fd.dport, fd.sip, fd.sport


def _swap(fd: Fd) -> None:
    fd.sip, fd.sport, fd.dip, fd.dport = _crossed(fd)


def on_accept(state: State, ev: Ev) -> None:
    """A client was let in."""
    if ev.thread is None or ev.res < 0:
        return
    ev.fd_num = ev.res
    ends = read_tuple(ev.param(1))
    if ends is None:
        return
    if ends.family == _UNIX:
        fd = Fd("unix")
    else:
        fd = Fd("ipv4" if ends.family == _INET else "ipv6")
        fd.sip, fd.sport, fd.dip, fd.dport = ends.sip, ends.sport, ends.dip, ends.dport
        fd.l4 = TCP
    fd.name = tuple_text(ev.param(1))
    fd.role, fd.connected = SERVER, True
    ev.made(ev.res, fd)


def on_socketpair(state: State, ev: Ev) -> None:
    """Two unix sockets that speak with each other."""
    if ev.res < 0 or ev.thread is None or ev.sint(1) == ev.sint(2):
        return
    ev.made(ev.sint(2), Fd("unix"))
    ev.made(ev.sint(1), Fd("unix"))
    ev.fd_num = ev.sint(2)


_TUPLE_AT = {"recvfrom": 2, "recvmsg": 3, "recvmmsg": 4, "recv": 4}


def on_transfer(state: State, ev: Ev) -> None:
    """Bytes went in or out: a datagram socket's ends are those of its last datagram."""
    if ev.thread is None or ev.res < 0:
        return
    sending = ev.kind.writes
    if ev.fd is None:
        if not sending or not ev.kind.name.startswith("send"):
            return
        family = ev.param(4)[:1]
        if family not in (b"\x02", b"\x0a"):
            return
        _make(state, ev, ev.sint(2), family[0], _DGRAM, 17)
    fd = ev.fd
    if fd is None:
        return
    if fd.is_ip and not fd.connected:
        fd = ev.change()
        fd.connected = True
    at = 4 if ev.kind.name.startswith("send") else _TUPLE_AT.get(ev.kind.name, -1)
    if at < 0 or (fd.name and fd.kind == "ipv4" and fd.l4 == TCP):
        return
    ends = read_tuple(ev.param(at))
    if ends is not None:
        _take_datagram(state, ev, ends, sending, at)


def _take_datagram(state: State, ev: Ev, ends: Tuple, sending: bool, at: int) -> None:
    if ends.family == _UNIX:
        fd = ev.change()
        fd.kind = "unix"
        fd.name = tuple_text(ev.param(at))
        return
    fd = ev.change()
    fd.listens = False
    if not _set_ends(fd, ends):
        return
    if fd.l4 == UNKNOWN:
        fd.l4 = UDP
    state.complete(fd)
    if not fd.role:
        fd.role = _guess(state, ev, fd, incoming=not sending)
    if fd.role == (SERVER if sending else CLIENT):
        _swap(fd)
    fd.name = tuple_name(fd)


def _guess(state: State, ev: Ev, fd: Fd, incoming: bool) -> int:
    """Server where the process owns the port, else client."""
    assert ev.thread is not None
    table = ev.thread.table() or {}
    others = [f for f in table.values() if f.kind == "ipv4"]
    if not any(f.dport == fd.dport for f in others):
        return CLIENT
    if not any(f.sport == fd.sport and not f.listens for f in others):
        return SERVER
    return SERVER if incoming else CLIENT


HANDLERS = {
    "socket_socket_x": on_socket,
    "socket_bind_x": on_bind,
    "socket_connect_x": on_connect,
    **dict.fromkeys(("socket_accept_5_x", "socket_accept4_6_x"), on_accept),
    "socket_socketpair_x": on_socketpair,
    **dict.fromkeys(
        (
            *("syscall_read_x", "syscall_readv_x", "syscall_pread_x", "syscall_preadv_x", "socket_recv_x"),
            *("socket_recvfrom_x", "socket_recvmsg_x", "socket_recvmmsg_x", "syscall_write_x"),
            *("syscall_writev_x", "syscall_pwrite_x", "syscall_pwritev_x", "socket_send_x"),
            *("socket_sendto_x", "socket_sendmsg_x", "socket_sendmmsg_x"),
        ),
        on_transfer,
    ),
}
