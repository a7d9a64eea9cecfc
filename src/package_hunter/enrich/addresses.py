"""Socket addresses and tuples in events' parameters: read, and as text."""

from __future__ import annotations

from dataclasses import dataclass

from package_hunter.enrich.fds import address, is_mapped
from package_hunter.enrich.text import name_of

_UNIX, _INET, _INET6 = 1, 2, 10


@dataclass(slots=True)
class Tuple:
    """Both ends of a connection as an event gives them; ``path`` for a unix socket."""

    family: int
    sip: bytes = b""
    sport: int = 0
    dip: bytes = b""
    dport: int = 0
    path: str = ""
    source: int = 0
    dest: int = 0


def read_tuple(data: bytes) -> Tuple | None:
    """A socket tuple parameter; None where there is none or it is cut short."""
    if not data:
        return None
    family = data[0]
    if family == _INET and len(data) >= 13:
        return Tuple(family, data[1:5], _u16(data, 5), data[7:11], _u16(data, 11))
    if family == _INET6 and len(data) >= 37:
        sip, dip = data[1:17], data[19:35]
        if is_mapped(sip) and is_mapped(dip):
            return Tuple(_INET, sip[12:], _u16(data, 17), dip[12:], _u16(data, 35))
        return Tuple(family, sip, _u16(data, 17), dip, _u16(data, 35))
    if family == _UNIX and len(data) >= 18:
        source, dest = int.from_bytes(data[1:9], "little"), int.from_bytes(data[9:17], "little")
        return Tuple(family, path=name_of(data[17:]), source=source, dest=dest)
    return None


def read_address(data: bytes) -> tuple[int, bytes, int] | None:
    """A socket address parameter: family, address, port; None for other families or where it is cut short."""
    if len(data) >= 7 and data[0] == _INET:
        return _INET, data[1:5], _u16(data, 5)
    if len(data) >= 19 and data[0] == _INET6:
        if is_mapped(data[1:17]):
            return _INET, data[13:17], _u16(data, 17)
        return _INET6, data[1:17], _u16(data, 17)
    return None


def _u16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def address_text(data: bytes) -> str:
    """A socket address parameter as text."""
    if not data:
        return "<NA>"
    if data[0] == _UNIX:
        return name_of(data[1:])
    if data[0] == _INET and len(data) >= 7:
        return f"{address(data[1:5])}:{_u16(data, 5)}"
    if data[0] == _INET6 and len(data) >= 19:
        return f"{address(data[1:17])}:{_u16(data, 17)}"
    return f"family {data[0]}"


def tuple_text(data: bytes) -> str:
    """A socket tuple parameter as text."""
    ends = read_tuple(data)
    if ends is None:
        return f"family {data[0]}" if data else "NULL"
    if ends.family == _UNIX:
        return f"{ends.source:x}->{ends.dest:x} {ends.path}"
    return f"{address(ends.sip)}:{ends.sport}->{address(ends.dip)}:{ends.dport}"
