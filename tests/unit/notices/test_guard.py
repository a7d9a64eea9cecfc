"""Which addresses notices go to."""

from __future__ import annotations

import socket

import pytest

from package_hunter.errors import UsageError
from package_hunter.notices.guard import Guard, RefusedError, networks, resolve

PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:7f00:1::1",
    "2001:db8::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::8a"]


@pytest.mark.parametrize("address", PRIVATE)
def test_inner_addresses_are_refused(address: str) -> None:
    with pytest.raises(RefusedError, match="not public"):
        Guard(resolver=lambda *_: [address]).addresses("evil.example", 443, True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_spoken_to_over_tls_alone(address: str) -> None:
    guard = Guard(resolver=lambda *_: [address])
    assert guard.addresses("hooks.example", 443, True) == [address]
    with pytest.raises(RefusedError, match="without encryption"):
        guard.addresses("hooks.example", 80, False)


def test_one_inner_address_among_public_ones_is_enough() -> None:
    with pytest.raises(RefusedError):
        Guard(resolver=lambda *_: ["1.1.1.1", "10.0.0.1"]).addresses("mixed.example", 443, True)


def test_what_is_allowed_is_allowed_alone() -> None:
    guard = Guard(networks("10.1.0.0/16, fd00:1::/32"), lambda host, _: [host])
    assert guard.addresses("10.1.2.3", 80, False) == ["10.1.2.3"]
    assert guard.addresses("fd00:1::5", 80, False) == ["fd00:1::5"]
    for other in ("10.2.0.1", "fd00:2::1", "127.0.0.1", "::ffff:10.1.2.3"):
        with pytest.raises(RefusedError):
            guard.addresses(other, 80, False)


@pytest.mark.parametrize(
    "spelling", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]"]
)
def test_however_loopback_is_spelled(spelling: str) -> None:
    with pytest.raises(RefusedError):
        Guard().addresses(spelling.strip("[]"), 443, True)


def test_a_name_without_an_address_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError):
        Guard().addresses("no-such-host.invalid", 443, True)


def test_resolving_gives_each_address_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(socket.AF_INET, 1, 6, "", ("1.1.1.1", 443))] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    assert resolve("x", 443) == ["1.1.1.1"]


@pytest.mark.parametrize("text", ["10.0.0.1/8", "somewhere", "10.0.0.0/33", "::/129"])
def test_a_setting_that_names_no_networks(text: str) -> None:
    with pytest.raises(UsageError, match="NOTICES_ALLOW"):
        networks(text)
    assert networks("") == networks(" , ") == ()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "127.1",
        "0x7f000001",
        "2130706433",
        "localhost",
        "10.0.0.1:8443",
    ],
)
def test_an_inner_address_is_refused_before_it_is_told_anything(host: str) -> None:
    with pytest.raises(UsageError, match="not public") as told:
        Guard(resolver=_never).check_literal(f"https://{host}/hook")
    assert "PACKAGE_HUNTER_NOTICES_ALLOW" in told.value.advice


@pytest.mark.parametrize(
    "url",
    ["https://1.1.1.1/", "https://hooks.example/x", "https://[2606:4700:4700::1111]/", "http://a.example/"],
)
def test_names_and_public_addresses_are_taken(url: str) -> None:
    Guard(resolver=_never).check_literal(url)


def test_what_is_allowed_is_taken_and_what_is_not_encrypted_is_not() -> None:
    guard = Guard(networks("127.0.0.0/8, 169.254.0.0/16, ::1/128"), _never)
    for url in ("http://127.0.0.1:80/", "https://169.254.169.254/", "http://localhost/"):
        guard.check_literal(url)
    for url in ("http://1.1.1.1/", "https://10.0.0.1/"):
        with pytest.raises(UsageError):
            guard.check_literal(url)


def test_only_what_no_name_can_change_is_refused_for_good() -> None:
    for host, final in (("10.0.0.1", True), ("127.1", True), ("inner.example", False)):
        with pytest.raises(RefusedError) as told:
            Guard(resolver=lambda *_: ["10.0.0.1"]).addresses(host, 443, True)
        assert told.value.final is final


def _never(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host}:{port} was looked up")
