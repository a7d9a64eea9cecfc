"""Datagrams through the server's own door, without sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dnslib import DNSRecord as Packet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.dns import DnsServer, is_plain_question
from package_hunter.decoy.existence import Existence
from package_hunter.decoy.icmp import IcmpServer
from package_hunter.decoy.lawful import Registries
from package_hunter.decoy.markers import Markers
from package_hunter.decoy.names import Names
from package_hunter.decoy.record import NetworkRecorder, read_log
from package_hunter.decoy.spec import GatewaySpec, Limits
from package_hunter.decoy.tls import Certificates, make_ca
from package_hunter.decoy.udp import UdpServer
from package_hunter.decoy.watch import Watch
from package_hunter.model.observation import NetworkLog
from tests.support.played import CANARIES
from tests.support.quic_client import client_hello, crypto, initial

_TOKEN = next(one for one in CANARIES if one.place == "env:NPM_TOKEN")
_PLACE = "203.0.113.9"


@dataclass
class World:
    udp: UdpServer
    icmp: IcmpServer
    log: Callable[[], NetworkLog]

    def send(self, data: bytes, port: int = 9999, source: int = 40_000) -> bytes | None:
        return self.udp.heard(data, ("10.88.0.2", source), (_PLACE, port))

    def ping(self, payload: bytes, number: int = 7) -> None:
        self.icmp.heard(_PLACE, b"\x08\0\0\0" + number.to_bytes(2, "big") + b"\0\x01" + payload)


def _made(folder: Path) -> World:
    limits = Limits()
    spec = GatewaySpec("scan", folder, folder, canaries=CANARIES)
    record = NetworkRecorder(folder / "log", limits)
    names = Names(folder / "names", (), limits.names)
    watch = Watch(CANARIES, (), record, Registries.of(()))
    world = DecoyContext(spec, names, record, Certificates(*make_ca(), folder), watch, Markers(names, record))
    udp = UdpServer(world, DnsServer(names, record, watch.dns, Existence(lambda labels: True)))
    icmp = IcmpServer(world)

    def log() -> NetworkLog:
        udp.close()
        icmp.close()
        record.close()
        names.close()
        return read_log(folder / "log", limits)

    return World(udp, icmp, log)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return _made(tmp_path)


def cut(secret: bytes, size: int) -> Iterator[bytes]:
    return (secret[at : at + size] for at in range(0, len(secret), size))


def found(log: NetworkLog) -> set[tuple[str, str]]:
    return {(hit.canary, hit.channel) for hit in log.hits if not hit.lawful}


def test_a_secret_is_found_however_its_datagrams_are_spread(world: World) -> None:
    for number, piece in enumerate(cut(_TOKEN.value.encode(), 5)):
        world.send(piece, source=40_000 + number % 2)  # by turns from two ports
    assert found(world.log()) == {(_TOKEN.id, "udp")}


def test_a_secret_that_is_spread_over_ports_of_a_host_is_found(world: World) -> None:
    for number, piece in enumerate(cut(_TOKEN.value.encode(), 4)):
        world.send(piece, port=10_000 + number, source=40_000 + number)
    assert found(world.log()) == {(_TOKEN.id, "udp")}


@pytest.mark.parametrize("port", [53, 123, 161, 443, 514, 3478])
def test_a_secret_on_a_services_port_is_found(world: World, port: int) -> None:
    world.send(_TOKEN.value.encode(), port)
    assert found(world.log()) == {(_TOKEN.id, "udp")}


def test_what_stands_behind_a_dns_question_is_searched(world: World) -> None:
    question = bytes(Packet.question("a.example", "A").pack())
    assert is_plain_question(question) and not is_plain_question(question + b"x")
    assert world.send(question + _TOKEN.value.encode(), 53)
    log = world.log()
    assert found(log) == {(_TOKEN.id, "udp")} and [one.name for one in log.dns] == ["a.example"]


def test_dns_is_answered_on_any_port(world: World) -> None:
    answer = world.send(bytes(Packet.question("a.example", "A").pack()), 5353)
    assert str(Packet.parse(answer or b"").rr[0].rdata) == "198.18.1.1"
    log = world.log()
    assert [one.kind for one in log.connections] == ["dns"] and [one.name for one in log.dns] == ["a.example"]


def test_plain_dns_makes_no_flow(world: World) -> None:
    world.send(bytes(Packet.question("a.example", "A").pack()), 53)
    assert world.log().connections == ()


def test_quic_is_recorded_by_name_and_refused(world: World) -> None:
    assert world.send(initial(crypto(0, client_hello("stolen.example"))), 443)
    log = world.log()
    assert [(one.kind, one.sni) for one in log.connections] == [("quic", "stolen.example")]


def test_a_secret_inside_quics_first_packet_is_found_and_odd_datagrams_are_no_quic(world: World) -> None:
    world.send(initial(crypto(0, client_hello(f"{_TOKEN.value[:40].replace('_', '-')}.example"))), 443)
    world.send(initial(crypto(0, _TOKEN.value.encode())), 443, 41_000)
    world.send(initial(b"\x01"), 443, 42_000)
    world.send(b"\xc0 odd", 443, 42_000)
    log = world.log()
    assert found(log) == {(_TOKEN.id, "udp")}
    assert {one.peer_port: one.kind for one in log.connections} == {
        40_000: "quic",
        41_000: "quic",
        42_000: "raw",
    }


def test_a_flood_of_flows_hides_nothing(world: World) -> None:
    for number in range(10_000):
        world.send(b"x" * 20, source=1_024 + number)
        if number == 5_000:
            world.send(_TOKEN.value.encode(), source=60_000)
    log = world.log()
    assert found(log) == {(_TOKEN.id, "udp")} and len(log.connections) == 10_001


def test_a_secret_in_pings_is_found_by_pattern_and_as_a_whole(world: World) -> None:
    stamp = bytes(range(16))
    for piece in cut(_TOKEN.value.encode(), 16):
        filled = (piece * 5)[:56]
        world.ping(stamp + filled[16:])
        world.ping(stamp + filled[16:])  # ping sends each again
    assert found(world.log()) == {(_TOKEN.id, "icmp")}


def test_a_secret_where_ping_puts_the_time_is_found(world: World) -> None:
    for number, piece in enumerate(cut(_TOKEN.value.encode(), 16)):
        world.ping(piece.ljust(16, b"\0") + bytes(range(16, 56)), number)
    assert found(world.log()) == {(_TOKEN.id, "icmp")}


def test_a_whole_secret_in_one_ping_is_found_and_usual_pings_are_told_apart(world: World) -> None:
    world.ping(_TOKEN.value.encode(), 1)
    world.ping(bytes(range(56)), 2)
    log = world.log()
    assert found(log) == {(_TOKEN.id, "icmp")}
    assert {one.peer_port: (one.protocol, one.kind) for one in log.connections} == {
        1: ("icmp", "raw"),
        2: ("icmp", "ping"),
    }


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100), st.sampled_from([7, 53, 123, 161, 443, 9999]))
def test_no_bytes_break_it(world: World, data: bytes, port: int) -> None:
    world.send(data, port)
    world.icmp.heard(_PLACE, data)
