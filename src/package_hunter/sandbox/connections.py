"""Connections of a box that are under way: what waits on one waits for the gateway, and may go on at any time."""

from __future__ import annotations

from pathlib import Path

_MAX_BYTES = 256 << 10  # of a table: some 1,700 sockets
_TCP = frozenset(("01", "02", "04", "05"))  # established, begun, our side done (net/tcp_states.h)
_UDP = frozenset(("01",))  # connected, as resolvers do


def under_way(init_pid: int) -> frozenset[int]:
    """Inodes of the box's sockets that are connected or being connected to something outside of it."""
    found: set[int] = set()
    for name, states in (("tcp", _TCP), ("tcp6", _TCP), ("udp", _UDP), ("udp6", _UDP)):
        found |= _inodes(_text(init_pid, name), states)
    return frozenset(found)


def _inodes(table: str, states: frozenset[str]) -> set[int]:
    """Of a table as /proc/net has it: proc(5)."""
    found = set()
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) < 10 or words[3] not in states or _is_loopback(words[2]):
            continue
        if words[9].isdigit() and words[9] != "0":  # else it belongs to nobody any more
            found.add(int(words[9]))
    return found


def _is_loopback(remote: str) -> bool:
    """Of an address in hexadecimal, each 32 bits of it in the machine's order."""
    address = remote.partition(":")[0]
    if len(address) == 8:
        return address.endswith("7F")
    return address == "0" * 24 + "01000000" or (
        address[:24] == "0" * 16 + "FFFF0000" and address.endswith("7F")
    )


def _text(init_pid: int, name: str) -> str:
    try:
        with Path(f"/proc/{init_pid}/net/{name}").open("rb") as file:
            return file.read(_MAX_BYTES).decode("ascii", "replace")
    except OSError:
        return ""
