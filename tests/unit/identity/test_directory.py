"""A provider's discovery leads us nowhere that it should not (server-side request forgery)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from package_hunter.identity.directory import Directory
from package_hunter.identity.errors import ProviderError
from package_hunter.notices.guard import Guard, networks
from package_hunter.notices.outgoing import Outgoing
from tests.support.oidc_provider import LOOPBACK, Crooked, crooked_provider

METADATA = "/.well-known/openid-configuration"


@pytest.fixture
def provider() -> Iterator[Crooked]:
    with crooked_provider() as made:
        yield made


def test_nothing_inside_is_asked_unless_it_is_allowed(provider: Crooked) -> None:
    directory = Directory(Outgoing(Guard(setting="PACKAGE_HUNTER_IDENTITY_ALLOW")))
    with pytest.raises(ProviderError, match="not public") as told:
        directory.metadata(provider.issuer)
    assert "PACKAGE_HUNTER_IDENTITY_ALLOW" in told.value.advice
    assert provider.asked == []


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "10.0.0.7", "::ffff:10.0.0.7", "fe80::1", "0.0.0.0", "64:ff9b::a00:7"]
)
def test_a_name_that_leads_inside(provider: Crooked, address: str) -> None:
    def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "127.0.0.1" else ["93.184.216.34", address]

    provider.answers[METADATA] = provider.metadata() | {"jwks_uri": "http://keys.example/"}
    directory = Directory(Outgoing(Guard(networks(LOOPBACK), resolve)))
    with pytest.raises(ProviderError, match="cannot be asked"):
        directory.key(provider.issuer, "one")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://x.example/",
        "ftp://x.example/",
        "//x.example/",
        "/etc/passwd",
        "",
        7,
        ["https://x.example"],
        "https://",
        "https://u:p@x.example/",
        "https://x.example/\r\nX: y",
        "https://[::1/",
        "https://x.example/" + "a" * 3_000,
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize(
    "name", ["jwks_uri", "token_endpoint", "authorization_endpoint", "userinfo_endpoint"]
)
def test_endpoints_that_are_no_addresses(provider: Crooked, name: str, url: Any) -> None:
    provider.answers[METADATA] = provider.metadata() | {name: url}
    with pytest.raises(ProviderError):
        Directory(Outgoing(Guard(networks(LOOPBACK)))).metadata(provider.issuer)


def test_a_provider_behind_https_leads_to_https_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = "https://login.example"
    directory = Directory(Outgoing(Guard()))
    answer = {"issuer": issuer, "jwks_uri": "http://login.example/keys"}
    monkeypatch.setattr(directory, "fetch", lambda _url: answer)
    with pytest.raises(ProviderError, match="no address to go to"):
        directory.metadata(issuer)
