"""Connections under way, as /proc/net tells them."""

from __future__ import annotations

import os
import socket

from package_hunter.sandbox.connections import _TCP, _inodes, under_way

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(remote: str, state: str, inode: int) -> str:
    return f"   0: 0200580A:1F90 {remote} {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1 0\n"


def test_what_is_connected_to_something_outside() -> None:
    table = (
        HEAD
        + row("010012C6:0050", "01", 11)
        + row("010012C6:0050", "02", 12)
        + row("010012C6:0050", "04", 13)
    )
    assert _inodes(table, _TCP) == {11, 12, 13}


def test_listeners_ends_orphans_and_the_box_itself_do_not_count() -> None:
    six = "0000000000000000FFFF00000100007F:0050"
    table = (
        HEAD
        + row("00000000:0000", "0A", 1)
        + row("010012C6:0050", "06", 2)
        + row("010012C6:0050", "08", 3)
        + row("010012C6:0050", "01", 0)
        + row("0100007F:0050", "01", 4)
        + row("00000000000000000000000001000000:0050", "01", 5)
        + row(six, "01", 6)
        + "nonsense\n"
    )
    assert _inodes(table, _TCP) == set()


def test_of_a_process_that_is_not_there_and_of_this_one() -> None:
    assert under_way(2**22 + 1) == frozenset()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.connect(("192.0.2.1", 53))  # nothing is sent
        assert os.fstat(resolver.fileno()).st_ino in under_way(os.getpid())
