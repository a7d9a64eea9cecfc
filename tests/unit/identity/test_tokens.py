"""Which signed tokens are believed: with a real provider on loopback, and everything that attackers try."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from package_hunter.identity.directory import Directory
from package_hunter.identity.errors import ProviderError, UntrustedError
from package_hunter.identity.tokens import Believed, Expected, believe, unverified_claims
from package_hunter.notices.guard import Guard, networks
from package_hunter.notices.outgoing import Outgoing
from tests.support.clock import Clock
from tests.support.oidc_provider import AUDIENCE, LOOPBACK, Crooked, crooked_provider, new_key


@pytest.fixture
def provider() -> Iterator[Crooked]:
    with crooked_provider() as made:
        yield made


@pytest.fixture
def directory() -> Directory:
    return Directory(Outgoing(Guard(networks(LOOPBACK))))


def ask(provider: Crooked, directory: Directory, token: str, lifetime: float | None = None) -> Believed:
    return believe(token, Expected(provider.issuer, AUDIENCE, lifetime), directory)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_one_that_is_right(provider: Crooked, directory: Directory) -> None:
    found = ask(provider, directory, provider.token(nonce="n"))
    assert found.claims["sub"] == "subject-1"
    assert found.header["kid"] == "one"
    ask(provider, directory, provider.token())
    assert provider.asked == ["/.well-known/openid-configuration", "/jwks_uri"], "asked once"


def unsigned(provider: Crooked) -> str:
    return f"{part({'alg': 'none'})}.{part(provider.claims())}."


def unsigned_by_another_spelling(provider: Crooked) -> str:
    return f"{part({'alg': 'NONE', 'kid': 'one'})}.{part(provider.claims())}."


def hmac_with_the_public_key(provider: Crooked) -> str:
    """CVE-2015-9235: where the key decides nothing about the algorithm."""
    head = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(provider.claims())}"
    digest = hmac.new(provider.keys[0].as_pem(private=False), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def own_key_in_the_header(provider: Crooked) -> str:
    mine = new_key("one")
    return provider.token({"jwk": mine.as_dict(private=False)}, mine)


def own_keys_behind_an_address(provider: Crooked) -> str:
    mine = new_key("mine")
    provider.answers["/mine"] = {"keys": [mine.as_dict(private=False)]}
    return provider.token({"kid": "mine", "jku": f"{provider.issuer}/mine"}, mine)


def the_name_of_anothers_key(provider: Crooked) -> str:
    return provider.token({"kid": "one"}, new_key("one"))


def a_name_that_is_a_path(provider: Crooked) -> str:
    return provider.token({"kid": "../../../../dev/null"})


def a_name_that_is_a_query(provider: Crooked) -> str:
    return provider.token({"kid": "x' UNION SELECT 'aaa"})


def another_kind_of_key(provider: Crooked) -> str:
    mine = ECKey.generate_key("P-256", {"kid": "one"})
    return provider.token({"alg": "ES256"}, mine)


def an_unknown_condition(provider: Crooked) -> str:
    head = f"{part({'alg': 'RS256', 'kid': 'one', 'crit': ['x'], 'x': 1})}.{part(provider.claims())}"
    return f"{head}.{provider.token().split('.')[2]}"


def changed_after_signing(provider: Crooked) -> str:
    head, _, signature = provider.token().split(".")
    return f"{head}.{part(provider.claims(sub='admin'))}.{signature}"


def claims(**more: Any) -> Callable[[Crooked], str]:
    def make(provider: Crooked) -> str:
        return provider.token(**more)

    make.__name__ = json.dumps(more)
    return make


@pytest.mark.parametrize(
    "forged",
    [
        unsigned,
        unsigned_by_another_spelling,
        hmac_with_the_public_key,
        own_key_in_the_header,
        own_keys_behind_an_address,
        the_name_of_anothers_key,
        a_name_that_is_a_path,
        a_name_that_is_a_query,
        another_kind_of_key,
        an_unknown_condition,
        changed_after_signing,
        claims(iss="https://evil.example"),
        claims(iss=None),
        claims(aud="somebody-else"),
        claims(aud=["a", "b"]),
        claims(aud=None),
        claims(exp=None),
        claims(exp=1),
        claims(exp="9999999999"),
        claims(exp=1e300),
        claims(exp=True),
        claims(iat=None),
        claims(iat=9_999_999_999),
        claims(nbf=9_999_999_999),
        claims(nbf="now"),
        claims(sub=None),
        claims(sub=""),
        claims(sub=7),
        claims(sub="x" * 256),
    ],
    ids=lambda forged: forged.__name__,
)
def test_what_is_not_believed(
    provider: Crooked, directory: Directory, forged: Callable[[Crooked], str]
) -> None:
    with pytest.raises(UntrustedError):
        ask(provider, directory, forged(provider))
    assert "/mine" not in provider.asked, "no address out of a token is asked"
    ask(provider, directory, provider.token())


def test_a_key_is_used_for_its_own_algorithm_alone(provider: Crooked, directory: Directory) -> None:
    free = provider.keys[0]
    bound = free.as_dict(private=False) | {"alg": "RS256"}
    provider.answers["/jwks_uri"] = {"keys": [bound]}
    ask(provider, directory, provider.token())
    with pytest.raises(UntrustedError, match="no key of its issuer"):
        ask(provider, directory, provider.token({"alg": "PS256"}))


def test_keys_that_are_none_are_passed_over(provider: Crooked, directory: Directory) -> None:
    good = provider.keys[0].as_dict(private=False)
    secret = OctKey.generate_key(256, {"kid": "shared"})
    provider.answers["/jwks_uri"] = {
        "keys": [
            *(7, None, {}, {"kty": "RSA", "kid": "broken", "n": "AQ", "e": "AQAB"}),
            *({"kty": "RSA", "kid": "half", "n": "@@"}, secret.as_dict(private=True)),
            *(new_key("enc").as_dict(private=False) | {"use": "enc"}, good),
        ]
    }
    ask(provider, directory, provider.token())
    with pytest.raises(UntrustedError, match="which is not believed"):
        ask(provider, directory, provider.token({"alg": "HS256", "kid": "shared"}, secret))
    with pytest.raises(UntrustedError, match="no key"):
        ask(provider, directory, provider.token({"kid": "enc"}))


def test_short_keys_are_none(provider: Crooked, directory: Directory) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    short = rsa.generate_private_key(65_537, 1_024)  # joserfc itself makes none so short
    numbers = short.public_key().public_numbers()
    n = base64.urlsafe_b64encode(numbers.n.to_bytes(128, "big")).decode().rstrip("=")
    provider.answers["/jwks_uri"] = {"keys": [{"kty": "RSA", "kid": "one", "n": n, "e": "AQAB"}]}
    with pytest.raises(UntrustedError, match="no key of its issuer"):
        ask(provider, directory, provider.token())


def test_a_new_key_is_asked_for_and_not_too_often(provider: Crooked) -> None:
    now = [0.0]
    directory = Directory(Outgoing(Guard(networks(LOOPBACK))), clock=lambda: now[0])
    ask(provider, directory, provider.token())
    provider.keys.insert(0, new_key("two"))
    with pytest.raises(UntrustedError):  # asked a moment ago
        ask(provider, directory, provider.token())
    now[0] = 11.0
    ask(provider, directory, provider.token())
    before = len(provider.asked)
    for number in range(20):
        with pytest.raises(UntrustedError):
            ask(provider, directory, provider.token({"kid": f"no-{number}"}))
    assert len(provider.asked) == before, "strangers' tokens make nobody ask"
    provider.keys.pop(0)
    now[0] = 700.0
    with pytest.raises(UntrustedError):  # a key that was withdrawn is not kept
        ask(provider, directory, provider.token({"kid": "two"}, new_key("two")))


def test_to_the_moment_of_its_end(
    provider: Crooked, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    clock.ms = 1_800_000_000_000
    token = provider.token(exp=1_800_000_300)
    clock.forward(299.999)
    ask(provider, directory, token)
    clock.forward(0.001)
    with pytest.raises(UntrustedError, match="expired"):
        ask(provider, directory, token)


def test_clocks_differ_but_not_by_much(
    provider: Crooked, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    now = clock.ms / 1_000
    ask(provider, directory, provider.token(iat=now + 59, nbf=now + 59))
    for late in ({"iat": now + 61}, {"nbf": now + 61}):
        with pytest.raises(UntrustedError, match="not good yet"):
            ask(provider, directory, provider.token(**late))


def test_one_that_is_good_for_a_year(provider: Crooked, directory: Directory) -> None:
    token = provider.token(exp=provider.claims()["iat"] + 86_401)
    ask(provider, directory, token)
    with pytest.raises(UntrustedError, match="too long"):
        ask(provider, directory, token, lifetime=86_400)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        "a.b.c.d",
        "é.é.é",
        "x" * 20_000,
        f"{part([1])}.{part({})}.x",
        f"{part({})}.{'!' * 8}.x",
    ],
)
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(UntrustedError, match="no signed token"):
        unverified_claims(text)


def test_deep_and_odd_json() -> None:
    deep = base64.urlsafe_b64encode(b'{"a":' + b"[" * 5_000).decode().rstrip("=")
    odd = base64.urlsafe_b64encode(b'{"exp": NaN}').decode().rstrip("=")
    for text in (deep, odd):
        with pytest.raises(UntrustedError):
            unverified_claims(f"{part({'alg': 'RS256'})}.{text}.x")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (500, {})),
        ("/.well-known/openid-configuration", (200, b"<html>")),
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", (200, b"{" + b" " * (2 << 20) + b"}")),
        ("/.well-known/openid-configuration", (302, "http://127.0.0.1:1/elsewhere")),
        ("/.well-known/openid-configuration", {"issuer": "https://other.example"}),
        ("/jwks_uri", {"keys": "none"}),
        ("/jwks_uri", (404, {})),
    ],
)
def test_a_provider_that_is_broken(provider: Crooked, directory: Directory, path: str, answer: Any) -> None:
    provider.answers[path] = answer
    with pytest.raises(ProviderError):
        ask(provider, directory, provider.token())
    before = len(provider.asked)
    with pytest.raises(ProviderError):
        ask(provider, directory, provider.token())
    assert len(provider.asked) == before, "it is not asked again at once"
