"""Datagrams and pings of a box, through its real sockets."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable

from package_hunter.decoy.gateway import Gateway
from tests.support.netpair import NetPair
from tests.support.played import CANARIES

Start = Callable[..., Gateway]
_TOKEN = next(one for one in CANARIES if one.place == "env:NPM_TOKEN")
# As ``ping -c 2 -p HEX``: sixteen bytes of time, then the pattern over and over; by a datagram socket as ping has it,
# which any user may open (net.ipv4.ping_group_range).
_PING = """
import socket, struct, sys
token, address = sys.argv[1].encode(), sys.argv[2]
six = ":" in address
family, protocol = (socket.AF_INET6, 58) if six else (socket.AF_INET, 1)
for at in range(0, len(token), 16):
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as ping:
        ping.settimeout(5)
        for number in range(2):
            filled = (token[at:at + 16] * 5)[:56]
            head = struct.pack("!BBHHH", 128 if six else 8, 0, 0, 0, number)
            ping.sendto(head + bytes(16) + filled[16:], (address, 0))
            ping.recv(200)
"""
_STUN = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
    asks.settimeout(5)
    asks.sendto(b"\\0\\1\\0\\0\\x21\\x12\\xa4\\x42transaction!", ("192.0.2.8", 3478))
    print(asks.recv(100)[:2].hex())
"""


def python(code: str, *words: str) -> str:
    return shlex.join([sys.executable, "-c", code, *words])


def test_pings_of_both_families_are_answered_recorded_and_searched(pair: NetPair, gateway: Start) -> None:
    g = gateway()
    allow = "echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range"
    asks = [python(_PING, _TOKEN.value, where) for where in ("203.0.113.9", "2001:db8::9")]
    done = pair.run(" && ".join([allow, *asks]))
    assert done.returncode == 0, done.stderr
    log = g.stop()
    assert {(hit.canary, hit.channel, hit.destination) for hit in log.hits} == {
        (_TOKEN.id, "icmp", "203.0.113.9:0"),
        (_TOKEN.id, "icmp", "[2001:db8::9]:0"),
    }
    pings = [one for one in log.connections if one.protocol == "icmp"]
    assert {one.address for one in pings} == {"203.0.113.9", "2001:db8::9"} and all(
        one.bytes_out for one in pings
    )


def test_a_question_by_datagram_is_answered_from_where_it_was_sent_to(pair: NetPair, gateway: Start) -> None:
    g = gateway()
    done = pair.run(python(_STUN))
    assert done.stdout.strip() == "0101", done.stderr
    (flow,) = [one for one in g.stop().connections if one.protocol == "udp"]
    assert (flow.address, flow.port) == ("192.0.2.8", 3478) and flow.bytes_in == 32
