"""Signing in at an identity provider: with oidc-provider-mock over HTTP, and with one that lies; on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from package_hunter.access.roles import Role
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store import accounts, history, identities, members, passwords, providers
from package_hunter.store.accounts import Start
from package_hunter.store.identity_tables import ProviderRow
from package_hunter.store.members import Place
from package_hunter.store.providers import Mapping, NewProvider
from tests.support.access_server import OWN, TEST, AccessServer
from tests.support.browser import Browser
from tests.support.clock import Clock
from tests.support.oidc_provider import AUDIENCE, Crooked, crooked_provider, mock_provider, new_key

PUBLIC = "http://localhost:3000"
PASSWORD = "correct horse"
LOGIN = "/api/v1/oidc/company/login"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_ARGON2", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mock_provider() as issuer:
        yield issuer


@pytest.fixture
def crooked() -> Iterator[Crooked]:
    with crooked_provider() as made:
        yield made


@pytest.fixture
def server(settings: Settings) -> Iterator[AccessServer]:
    made = AccessServer(
        settings.data_dir,
        database_url=settings.database_url,
        public_url=PUBLIC,
        identity_allow="127.0.0.0/8",
    )
    yield made
    made.store.close()


def believe(server: AccessServer, issuer: str, secret: str | None = "s3cret/+&=") -> None:
    new = NewProvider("company", "oidc", issuer, AUDIENCE, secret)
    with server.store.write() as session:
        providers.add(session, server.app.state.service.box, new, TEST)
        mapped = [
            Mapping("company", "hunters", "analyst", OWN),
            Mapping("company", "admins", "administrator"),
        ]
        providers.put_mappings(session, mapped, TEST)


def at_the_mock(url: str, subject: str, **claims: Any) -> str:
    """Sign in there as a person would; where it sends the browser to."""
    issuer = url.partition("/oauth2")[0]
    with httpx.Client(trust_env=False) as client:
        client.put(f"{issuer}/users/{subject}", json=claims).raise_for_status()
        answer = client.post(url, data={"sub": subject})
        assert answer.status_code in (302, 303), answer.text
        return str(answer.headers["location"])


def back(browser: Browser, location: str) -> httpx.Response:
    """The provider's redirect, followed by the browser."""
    assert location.startswith(f"{PUBLIC}/api/v1/oidc/callback?")
    return browser.ask("GET", location.removeprefix(PUBLIC))


def there(browser: Browser, url: str = f"{LOGIN}?next=/api/v1/me") -> str:
    answer = browser.ask("GET", url)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def through_the_mock(browser: Browser, subject: str = "ana", **claims: Any) -> httpx.Response:
    return back(browser, at_the_mock(there(browser), subject, **claims))


def test_the_whole_way_and_roles_by_groups(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    browser = Browser(server)
    assert browser.ask("GET", "/api/v1/oidc").json() == {"items": ["company"]}
    url = there(browser)
    asked = parse_qs(urlsplit(url).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{PUBLIC}/api/v1/oidc/callback"]
    assert "max_age" not in asked
    answer = back(browser, at_the_mock(url, "ana", preferred_username="ana", groups=["hunters", "other"]))
    assert (answer.status_code, answer.headers["location"]) == (303, "/api/v1/me")
    me = browser.ask("GET", "/api/v1/me").json()
    assert (me["account"], me["roles"]) == ("ana", [{"role": "analyst", "place": OWN}])
    browser.look()
    assert browser.ask("GET", "/api/v1/session").json()["method"] == "oidc:company"
    assert browser.ask("GET", "/api/v1/me/identities").json()["items"][0]["subject"] == "ana"
    # out of one group and into another
    assert through_the_mock(browser, preferred_username="renamed", groups=["admins"]).status_code == 303
    me = browser.ask("GET", "/api/v1/me").json()
    assert (me["account"], me["roles"]) == ("ana", [{"role": "administrator", "place": "everywhere"}])
    with server.store.read() as session:
        told = [(e.who, e.action) for e in history.entries(session, 999) if e.who == "oidc:company"]
    assert told == [
        *(("oidc:company", action) for action in ("user.add", "link.add", "member.add")),
        *(("oidc:company", action) for action in ("member.remove", "member.add")),
    ]


def test_a_person_of_no_mapped_group_is_not_let_in(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    answer = through_the_mock(Browser(server), "carl", groups=["guests"])
    assert answer.status_code == 403
    assert "None of your groups" in answer.json()["detail"]
    with server.store.read() as session:
        assert members.account(session, "carl") is None


def test_a_name_or_mail_address_that_somebody_has_opens_nothing(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    with server.store.write() as session:
        accounts.add_user(session, "root", PASSWORD, Start(()), TEST)
        members.give(session, "root", Role.ADMINISTRATOR, Place(), TEST)
        accounts.add_user(session, "gone", PASSWORD, Start(()), TEST)
        accounts.remove_user(session, "gone", TEST)
    for name, expected in (("root", "root@company"), ("gone", "gone@company")):
        browser = Browser(server)
        through_the_mock(browser, f"evil-{name}", preferred_username=name, email=name, groups=["hunters"])
        me = browser.ask("GET", "/api/v1/me").json()
        assert (me["account"], me["everywhere"]) == (expected, [])


def test_names_that_cannot_be(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    for number, name in enumerate(["token:ci", "job:web/shop", "a\nb", " ", "x" * 400, "", 7]):
        browser = Browser(server)
        claims: dict[str, Any] = {"preferred_username": name, "groups": ["hunters"]}
        assert through_the_mock(browser, f"odd-{number}", **claims).status_code == 303
        account = browser.ask("GET", "/api/v1/me").json()["account"]
        assert accounts.check_name(account) == account


def test_a_code_is_good_once_and_for_the_browser_that_began(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    browser, thief = Browser(server), Browser(server)
    location = at_the_mock(there(browser), "ana", groups=["hunters"])
    there(thief)  # he has a login of his own under way
    stolen = back(thief, location)
    assert stolen.status_code == 403
    assert "not begun by this browser" in stolen.json()["detail"]
    kept = dict(browser.cookies)
    assert back(browser, location).status_code == 303
    assert back(browser, location).status_code == 403, "the cookie is gone"
    browser.cookies = kept
    assert back(browser, location).status_code == 503, "the code was used"
    evil = Browser(server)
    assert back(evil, location).status_code == 403


def test_login_csrf(server: AccessServer, mock: str) -> None:
    """An attacker's finished login, put into a victim's browser."""
    believe(server, mock)
    attacker, victim = Browser(server), Browser(server)
    location = at_the_mock(there(attacker), "evil", groups=["hunters"])
    assert back(victim, location).status_code == 403
    assert victim.ask("GET", "/api/v1/me").status_code == 401


def test_nobody_is_sent_elsewhere(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    for to in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""):
        browser = Browser(server)
        location = there(browser, str(httpx.URL(LOGIN, params={"next": to})))
        answer = back(browser, at_the_mock(location, "ana", groups=["hunters"]))
        assert answer.headers["location"] == "/", to


def test_a_login_that_takes_too_long(
    server: AccessServer, mock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    believe(server, mock)
    browser = Browser(server)
    location = at_the_mock(there(browser), "ana", groups=["hunters"])
    clock = Clock(monkeypatch)
    clock.forward(600)
    assert "too long" in back(browser, location).json()["detail"]


def test_a_removed_user_comes_back_as_somebody_else(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    browser = Browser(server)
    through_the_mock(browser, "dora", preferred_username="dora", groups=["hunters"])
    with server.store.write() as session:
        members.give(session, "dora", Role.ADMINISTRATOR, Place(), TEST)
        accounts.remove_user(session, "dora", TEST)
    assert browser.ask("GET", "/api/v1/me").status_code == 401
    through_the_mock(browser, "dora", preferred_username="dora", groups=["hunters"])
    me = browser.ask("GET", "/api/v1/me").json()
    assert (me["account"], me["everywhere"]) == ("dora@company", [])


def test_linking_confirming_unlinking(server: AccessServer, crooked: Crooked) -> None:
    believe(server, crooked.issuer)
    with server.store.write() as session:
        accounts.add_user(session, "ana", PASSWORD, Start(()), TEST)
    browser = Browser(server)
    browser.sign_in("ana", PASSWORD)

    def go(url: str, **claims: Any) -> httpx.Response:
        made = browser.ask("POST", url)
        assert made.status_code == 200, made.text
        return answered(browser, crooked, made.json()["url"], **claims)

    assert go("/api/v1/me/identities/company", sub="s1", groups=["hunters"]).status_code == 303
    browser.look()
    assert browser.ask("GET", "/api/v1/me").json()["roles"] == [{"role": "analyst", "place": OWN}]
    before = browser.ask("GET", "/api/v1/session").json()["authenticated"]
    url = "/api/v1/session/confirm/company"
    asked = browser.ask("POST", url).json()["url"]
    assert parse_qs(urlsplit(asked).query)["max_age"] == ["0"]
    now = crooked.claims()["iat"]
    assert go(url, sub="s1").status_code == 403, "it does not say when"
    assert go(url, sub="s1", auth_time=now - 3_600).status_code == 403, "it did not ask again"
    assert go(url, sub="s1", auth_time=True).status_code == 403
    assert go(url, sub="s1", auth_time=now + 3_600).status_code == 403, "not yet"
    assert go(url, sub="s2", auth_time=now + 1).status_code == 403, "somebody else"
    assert go(url, sub="s1", auth_time=now + 1).status_code == 303
    assert browser.ask("GET", "/api/v1/session").json()["authenticated"] > before
    other = Browser(server)
    with server.store.write() as session:
        accounts.add_user(session, "bob", PASSWORD, Start(()), TEST)
    other.sign_in("bob", PASSWORD)
    made = other.ask("POST", "/api/v1/me/identities/company").json()["url"]
    assert answered(other, crooked, made, sub="s1", groups=[]).status_code == 409, "it is ana's"
    made = other.ask("POST", "/api/v1/me/identities/company").json()["url"]
    other.cookies["package-hunter"] = browser.cookies["package-hunter"]
    assert answered(other, crooked, made, sub="s3", groups=[]).status_code == 403, (
        "another session than began"
    )
    assert browser.ask("DELETE", "/api/v1/me/identities/company").status_code == 204
    assert browser.ask("GET", "/api/v1/me").status_code == 401
    with server.store.read() as session:
        assert members.roles_of(session, "ana") == []


def answered(browser: Browser, crooked: Crooked, url: str, **claims: Any) -> httpx.Response:
    """The crooked provider signs somebody in, with these claims."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    key = claims.pop("key", None)
    more = {"nonce": query["nonce"]} | claims
    crooked.answers["/token_endpoint"] = lambda _form: {
        "access_token": "at",
        "token_type": "Bearer",
        "id_token": crooked.token(key=key, **more),
    }
    return browser.ask("GET", f"/api/v1/oidc/callback?code=c&state={query['state']}")


def test_id_tokens_that_are_not_ours(server: AccessServer, crooked: Crooked) -> None:
    believe(server, crooked.issuer)
    odd: list[dict[str, Any]] = [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"aud": [AUDIENCE, "another"]},  # and no azp
        {"aud": [AUDIENCE, "another"], "azp": "another"},
        {"azp": "another"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"key": new_key("one")},
        {"nonce": "é"},
    ]
    for claims in odd:
        browser = Browser(server)
        answer = answered(browser, crooked, there(browser), **({"groups": ["hunters"]} | claims))
        assert answer.status_code == 403, claims
        assert "package-hunter" not in browser.cookies
        good = answered(browser, crooked, there(browser), groups=["hunters"])
        assert good.status_code == 303, good.text


def test_what_goes_to_the_token_endpoint(server: AccessServer, crooked: Crooked) -> None:
    believe(server, crooked.issuer)
    browser, seen = Browser(server), []
    url = there(browser)
    challenge = parse_qs(urlsplit(url).query)["code_challenge"][0]
    answered(browser, crooked, url, groups=["hunters"])
    made = crooked.answers["/token_endpoint"]
    crooked.answers["/token_endpoint"] = lambda form: seen.append(form) or made(form)
    url = there(browser)
    state = parse_qs(urlsplit(url).query)["state"][0]
    browser.ask("GET", f"/api/v1/oidc/callback?code=c%2F1&state={state}")
    assert seen[0]["code"] == "c/1"
    assert seen[0]["grant_type"] == "authorization_code"
    assert len(seen[0]["code_verifier"]) >= 43
    assert seen[0]["code_verifier"] not in (challenge, state)
    assert seen[0]["authorization"].startswith("Basic ")
    assert "client_secret" not in seen[0]


def test_mix_up(server: AccessServer, crooked: Crooked) -> None:
    """RFC 9207: the answer of another provider than was asked."""
    believe(server, crooked.issuer)
    browser = Browser(server)
    state = parse_qs(urlsplit(there(browser)).query)["state"][0]
    answer = browser.ask("GET", f"/api/v1/oidc/callback?code=c&state={state}&iss=https://evil.example")
    assert "Another provider" in answer.json()["detail"]
    assert "/token_endpoint" not in crooked.asked
    denied = browser.ask("GET", f"/api/v1/oidc/callback?error=access_denied&state={state}")
    assert "access_denied" in denied.json()["detail"]


def test_groups_that_only_userinfo_tells(server: AccessServer, crooked: Crooked) -> None:
    believe(server, crooked.issuer)
    browser = Browser(server)
    crooked.answers["/userinfo_endpoint"] = {"sub": "subject-1", "groups": ["hunters"]}
    assert answered(browser, crooked, there(browser)).status_code == 303
    crooked.answers["/userinfo_endpoint"] = {"sub": "another", "groups": ["admins"]}
    assert answered(browser, crooked, there(browser)).status_code == 403


def test_a_provider_that_is_down_or_unknown(server: AccessServer, crooked: Crooked) -> None:
    believe(server, crooked.issuer)
    crooked.answers["/.well-known/openid-configuration"] = (500, {})
    browser = Browser(server)
    assert browser.ask("GET", LOGIN).status_code == 503
    assert browser.ask("GET", "/api/v1/oidc/nobody/login").status_code == 404
    assert browser.ask("GET", "/api/v1/oidc/callback").status_code == 403
    browser.cookies["package-hunter-login"] = "00"
    assert browser.ask("GET", "/api/v1/oidc/callback?state=x&code=y").status_code == 403


def test_mappings_count_at_once_and_roles_that_somebody_gave_stay(server: AccessServer, mock: str) -> None:
    believe(server, mock)
    through_the_mock(Browser(server), "erik", preferred_username="erik", groups=["hunters", "admins"])
    with server.store.write() as session:
        place = server.place(session, "web")
        members.give(session, "erik", Role.VIEWER, place, TEST)
        providers.put_mappings(session, [Mapping("company", "hunters", "viewer", "web")], TEST)
        assert members.roles_of(session, "erik") == [("viewer", "web")]
        providers.put_mappings(session, [Mapping("company", "hunters", "auditor")], TEST)
        assert members.roles_of(session, "erik") == [("auditor", "everywhere"), ("viewer", "web")]
        with pytest.raises(UsageError, match="whole server"):
            providers.put_mappings(session, [Mapping("company", "x", "monitor", "web")], TEST)
        with pytest.raises(UsageError, match="no role 'king'"):
            providers.put_mappings(session, [Mapping("company", "x", "king")], TEST)
        providers.remove(session, "company", TEST)
        assert members.roles_of(session, "erik") == [("viewer", "web")]
        assert session.scalars(select(ProviderRow)).all() == []
        entry = history.entries(session, 999, action="mapping.set")[-1]
        assert json.loads(entry.after or "") == {"mappings": [["company", "hunters", "auditor", ""]]}


def test_two_links_of_one_account_are_counted_together(server: AccessServer) -> None:
    believe(server, "https://login.example")
    with server.store.write() as session:
        accounts.add_user(session, "ana", PASSWORD, Start(()), TEST)
        ana, row = accounts.user(session, "ana"), providers.provider(session, "company")
        for subject, groups in (("s1", ["hunters"]), ("s2", [])):
            identities.link(session, row, identities.Known(subject, (), groups), ana, TEST)
        assert members.roles_of(session, "ana") == [("analyst", OWN)]


def test_a_secret_is_kept_sealed(server: AccessServer) -> None:
    believe(server, "https://login.example")
    with server.store.write() as session:
        row = providers.provider(session, "company")
        box = server.app.state.service.box
        assert row.secret is not None
        assert b"s3cret" not in row.secret
        assert providers.secret_of(box, row) == "s3cret/+&="
        for issuer in ("ftp://x.example", "https://", "https://u:p@x.example", "x", "https://x.example/?a=b"):
            with pytest.raises(UsageError, match="no address"):
                providers.add(session, box, NewProvider("other", "oidc", issuer, "c"), TEST)
        with pytest.raises(UsageError, match="already"):
            providers.add(session, box, NewProvider("other", "oidc", "https://login.example", AUDIENCE), TEST)
