"""What comes from the box or from a taken-over gateway breaks nothing: DNS, sniffing, records."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from dnslib import DNSRecord as Packet
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.dns import DnsServer
from package_hunter.decoy.existence import Existence
from package_hunter.decoy.names import Names
from package_hunter.decoy.record import NetworkRecorder, now, read_log
from package_hunter.decoy.services.downloads import elf
from package_hunter.decoy.sniff import client_hello_name, protocol
from package_hunter.decoy.sockets import datagram
from package_hunter.decoy.spec import Limits
from package_hunter.ecosystems.npm.host import _ini, _npm_auth
from package_hunter.ecosystems.python.host import _pip_config, _pip_default
from package_hunter.model.observation import (
    CanaryHit,
    Connection,
    DecoyMark,
    DnsRecord,
    OutsideFetch,
    Request,
)


def server(tmp_path: Path, limits: Limits) -> tuple[DnsServer, NetworkRecorder, Names]:
    record = NetworkRecorder(tmp_path / "log", limits)
    names = Names(tmp_path / "names", ("registry.corp.example",), limits.names)
    return DnsServer(names, record, lambda name, port: None, Existence(lambda labels: True)), record, names


def test_each_name_has_its_own_address_told_before_it_is_used(tmp_path: Path) -> None:
    dns, record, names = server(tmp_path, Limits())
    seen = {}
    for name in ("a.example", "b.example", "A.example.", "registry.corp.example"):
        answer = Packet.parse(dns.answer(Packet.question(name, "A").pack(), 1) or b"")
        seen[name] = str(answer.rr[0].rdata)
    assert seen["a.example"] == seen["A.example."] == "198.18.1.1"
    assert seen["b.example"] == "198.18.1.2" and seen["registry.corp.example"] == "198.18.0.1"
    assert "198.18.1.2\tb.example\n" in (tmp_path / "names").read_text()
    six = Packet.parse(dns.answer(Packet.question("a.example", "AAAA").pack(), 1) or b"")
    assert str(six.rr[0].rdata) == "2001:2:0:1::1"
    for kind in ("TXT", "MX", "SRV", "NS", "SOA", "CNAME", "ANY", "HTTPS"):
        assert dns.answer(Packet.question("a.example", kind).pack(), 1)
    record.close()
    names.close()


def test_a_name_cannot_forge_lines_of_the_names_file(tmp_path: Path) -> None:
    dns, record, names = server(tmp_path, Limits())
    label = b"x\n1.2.3.4\tgood"
    query = (
        struct.pack("!HHHHHH", 7, 256, 1, 0, 0, 0) + bytes((len(label),)) + label + b"\x07example\0\0\1\0\1"
    )
    dns.answer(query, 1)
    record.close()
    names.close()
    assert all(len(line.split("\t")) == 2 for line in (tmp_path / "names").read_text().splitlines())
    assert "1.2.3.4\tgood" not in (tmp_path / "names").read_text()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_parsers(tmp_path_factory, data: bytes) -> None:  # type: ignore[no-untyped-def]
    dns, record, names = server(tmp_path_factory.mktemp("dns"), Limits())
    dns.answer(data, 1)
    record.close()
    names.close()
    assert protocol(data) in ("", "tls", "http", "raw")
    client_hello_name(data)
    client_hello_name(b"\x16\x03\x01" + len(data).to_bytes(2, "big") + data)


def test_floods_are_cut_and_counted(tmp_path: Path) -> None:
    limits = Limits(records=10, names=5)
    dns, record, names = server(tmp_path, limits)
    for number in range(50):
        dns.answer(Packet.question(f"n{number}.flood.example").pack(), 1)
    record.close()
    names.close()
    log = read_log(tmp_path / "log", limits)
    assert len(log.dns) == 10
    assert log.cut["dns_records"] == 40 and log.cut["dns_names"] == 45


def test_records_come_back_and_broken_lines_are_counted(tmp_path: Path) -> None:
    record = NetworkRecorder(tmp_path / "log", Limits())
    request = Request(now(), "GET", "http://a.example/", (("h", "v\x1b[31m"),), b"\0\xff", 2, 200, 7)
    connection = Connection(now(), "tcp", "192.0.2.1", 80, 9, None, None, 1, 2, "raw", None, b"head")
    record("request", request)
    record("connection", connection)
    odd = tuple(
        DnsRecord(now(), name, "A", "x", 1) for name in ("\0bnot-base64!", "caf\udce9", "a\U0001f600")
    )
    for question in odd:
        record("dns", question)
    record.close()
    with (tmp_path / "log").open("ab") as file:
        file.write(b"request []\nnothing [1]\n[[[[\ncut " + b"[" * 5000 + b"\n\xff\n")
        wrong = {"time_ns": "x", "name": 1, "type": 2, "answer": 3, "peer_port": 4}
        file.write(b"dns " + json.dumps([wrong]).encode() + b"\n" + b'dns [{"a":')
    log = read_log(tmp_path / "log")
    assert log.requests == (request,) and log.connections == (connection,)
    assert log.dns == (odd[0], replace(odd[1], name="caf\\xe9"), odd[2])
    assert log.cut["broken_lines"] == 7


def test_every_kind_of_record_comes_back_as_it_was(tmp_path: Path) -> None:
    record = NetworkRecorder(tmp_path / "log", Limits())
    hit = CanaryHit(5, "npm", ("base64", "json"), "dns", "a.example:53", 7, True)
    mark = DecoyMark(
        6,
        "mining",
        "It asked.",
        "p.example:1",
        8,
        None,
        {"n": 10**60, "deep": [{"a": None}], "f": float("inf")},
    )
    fetched = OutsideFetch(7, "https://a.example/x", 200, 3, "ab" * 32, "", 9)
    for kind, value in (("hit", hit), ("mark", mark), ("fetched", fetched)):
        record(kind, value)
    record.count_cut("bodies", 3)
    record.close()
    log = read_log(tmp_path / "log")
    assert (log.hits, log.marks, log.fetched, log.cut) == ((hit,), (mark,), (fetched,), {"bodies": 3})


GOOD = {"time_ns": 1, "name": "a", "type": "A", "answer": "x", "peer_port": 1}
NOBODY = {"phase": "install", "package": None, "path": [], "script": None, "pid": 1, "cmdline": ""}
BLAME = NOBODY | {"basis": "", "confidence": "certain"}


@pytest.mark.parametrize(
    "change",
    [
        {"blame": BLAME},  # who did it is not for the gateway to say
        {"peer_port": True},
        {"peer_port": "1"},
        {"name": None},
        {"time_ns": 1.0},
        {"answer": ["x"]},
    ],
)
def test_what_a_gateway_has_no_say_in_is_a_broken_line(tmp_path: Path, change: dict[str, object]) -> None:
    lines = [b"dns " + json.dumps([value]).encode() + b"\n" for value in (GOOD, GOOD | change)]
    (tmp_path / "log").write_bytes(b"".join(lines))
    log = read_log(tmp_path / "log")
    assert (len(log.dns), log.cut) == (1, {"broken_lines": 1})


def test_packets_and_programs_are_well_formed() -> None:
    packet = datagram(("203.0.113.9", 53), ("10.88.0.2", 4000), b"abc")
    assert packet[0] == 0x45 and len(packet) == 31 and packet[12:16] == bytes((203, 0, 113, 9))
    assert len(datagram(("2001:db8::1", 53), ("fd88::2", 4000), b"abc")) == 51
    assert elf("198.18.1.9")[:4] == b"\x7fELF"


def test_credentials_are_those_of_the_longest_matching_prefix(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("CORP_TOKEN", "t0p")
    keys = _ini(b"; comment\n//r.example/:_authToken=short\n//r.example/npm/:_authToken=${CORP_TOKEN}\n")
    assert _npm_auth("https://r.example/npm/", keys) == "Bearer t0p"
    assert _npm_auth("https://r.example/other/", keys) == "Bearer short"
    assert _npm_auth("https://evil.example/npm/", keys) is None


def test_pips_words_are_read() -> None:
    said = "global.index-url='https://a.example/simple'\n:env:.index-url='https://b.example/simple'\n"
    assert _pip_config(said)["index-url"] == "https://b.example/simple"
    help_text = "Base URL of the Python Package Index (default\n   https://d.example/simple). This"
    assert _pip_default(help_text) == "https://d.example/simple"


def test_a_clusters_name_leads_to_hosts_of_its_own_domain_and_has_no_options(tmp_path: Path) -> None:
    dns, record, names = server(tmp_path, Limits())
    said = {}
    for name, kind in (
        ("_mongodb._tcp.loot.xy12z.docs.example", "SRV"),
        ("loot.xy12z.docs.example", "TXT"),
        ("other.docs.example", "TXT"),
        ("_imaps._tcp.docs.example", "SRV"),
        ("odd.docs.example", "SRV"),
    ):
        answer = Packet.parse(dns.answer(Packet.question(name, kind).pack(), 1) or b"")
        said[name] = [str(one.rdata) for one in answer.rr]
    record.close()
    names.close()
    assert said == {
        "_mongodb._tcp.loot.xy12z.docs.example": ["10 5 27017 srv.xy12z.docs.example."],
        "loot.xy12z.docs.example": [],
        "other.docs.example": ['"v=spf1 a mx include:_spf.docs.example ~all"'],
        "_imaps._tcp.docs.example": ["10 5 993 srv.docs.example."],
        "odd.docs.example": ["10 5 443 srv.docs.example."],
    }
