"""Sessions over HTTP: what a browser may, and what a page elsewhere, a thief or a guesser may not."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher

from package_hunter.access.roles import Role
from package_hunter.api import cookies
from package_hunter.store import accounts, history, invitations, members, passwords, totp
from package_hunter.store.accounts import Start
from package_hunter.store.members import Place
from tests.support.access_server import TEST, AccessServer
from tests.support.clock import Clock

PASSWORD = "correct horse"
URL = "/api/v1/session"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_ARGON2", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path)
    with made.store.write() as session:
        for name in ("ana", "bob"):
            accounts.add_user(session, name, PASSWORD, Start(()), TEST)
    yield made
    made.store.close()


class Browser:
    """Keeps cookies and the session's token as a browser and our pages do."""

    def __init__(self, server: AccessServer) -> None:
        self.server = server
        self.cookie = ""
        self.csrf = ""

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if method != "GET":
            headers |= {"X-CSRF-Token": self.csrf, "Origin": "http://localhost"}
        headers |= more.pop("headers", {})
        answer = self.server.ask(None, method, url, headers=headers, **more)
        if set_cookie := answer.headers.get("set-cookie"):
            self.cookie = set_cookie.partition(";")[0]
        if answer.is_success and url == URL and method != "DELETE":
            self.csrf = answer.json()["csrf"]
        return answer

    def sign_in(self, name: str = "ana", **more: Any) -> httpx.Response:
        return self.ask("POST", URL, json={"name": name, "password": PASSWORD, **more})

    def signed_in(self, name: str = "ana") -> Browser:
        assert self.sign_in(name).status_code == 201
        return self


def enrol(server: AccessServer, name: str = "ana") -> pyotp.TOTP:
    with server.store.write() as session:
        account, box = accounts.user(session, name), server.app.state.service.box
        app = pyotp.TOTP(totp.begin(session, box, account).secret)
        totp.confirm(session, box, account, app.now(), TEST)
    return app


def test_sign_in_look_and_out(server: AccessServer) -> None:
    browser = Browser(server)
    answer = browser.sign_in()
    flags = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)
    assert "Secure" not in flags, "this is plain HTTP on loopback"
    assert browser.ask("GET", "/api/v1/me").json()["account"] == "ana"
    found = browser.ask("GET", "/api/v1/sessions").json()["items"]
    assert [(s["account"], s["method"], s["current"]) for s in found] == [("ana", "password", True)]
    kept = browser.cookie
    assert browser.ask("DELETE", URL).status_code == 204
    assert browser.cookie == "package-hunter="
    browser.cookie = kept
    assert browser.ask("GET", "/api/v1/me").status_code == 401


def test_over_https_no_other_host_can_put_a_cookie_in_its_place(tmp_path: Path) -> None:
    server = AccessServer(tmp_path, public_url="https://hunter.example")
    with server.store.write() as session:
        accounts.add_user(session, "ana", PASSWORD, Start(()), TEST)
    browser = Browser(server)
    answer = browser.ask(
        "POST", URL, json={"name": "ana", "password": PASSWORD}, headers={"Origin": "https://hunter.example"}
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-package-hunter=")
    assert "; Secure" in cookie
    browser.cookie = browser.cookie.removeprefix("__Host-")
    assert browser.ask("GET", "/api/v1/me").status_code == 401, "without the prefix it is anybody's"
    server.store.close()


def test_a_secret_that_somebody_put_there_is_never_adopted(server: AccessServer) -> None:
    browser = Browser(server)
    browser.cookie = "package-hunter=put-there-by-somebody"
    browser.signed_in()
    assert "put-there" not in browser.cookie
    thief = Browser(server)
    thief.cookie = "package-hunter=put-there-by-somebody"
    assert thief.ask("GET", "/api/v1/me").status_code == 401
    eve = Browser(server).signed_in("bob")
    victim = Browser(server)
    victim.cookie = eve.cookie  # eve's own session, put into ana's browser
    victim.signed_in("ana")
    assert victim.cookie != eve.cookie
    assert eve.ask("GET", "/api/v1/me").status_code == 401, "it ended: it is not ana's either"
    assert victim.ask("GET", "/api/v1/me").json()["account"] == "ana"


def test_two_cookies_of_the_name_are_none(server: AccessServer) -> None:
    browser = Browser(server).signed_in()
    browser.cookie += "; package-hunter=x"
    assert browser.ask("GET", "/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://localhost", "X-CSRF-Token": ""},
        {"Origin": "http://localhost", "X-CSRF-Token": "guess"},
    ],
)
def test_a_page_elsewhere_changes_nothing(server: AccessServer, headers: dict[str, str]) -> None:
    browser = Browser(server).signed_in()
    answer = browser.ask("DELETE", "/api/v1/sessions", headers=headers)
    assert answer.status_code == 403
    assert browser.ask("DELETE", "/api/v1/sessions").status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_tells_no_origin_tells_the_site(server: AccessServer, site: str) -> None:
    browser = Browser(server).signed_in()
    headers = {"Cookie": browser.cookie, "X-CSRF-Token": browser.csrf, "Sec-Fetch-Site": site}
    assert server.ask(None, "DELETE", "/api/v1/sessions", headers=headers).status_code == 403


def test_a_page_elsewhere_signs_nobody_in_and_uses_no_remembered_password(server: AccessServer) -> None:
    browser = Browser(server)
    evil = {"Origin": "https://evil.example"}
    answer = browser.ask("POST", URL, json={"name": "ana", "password": PASSWORD}, headers=evil)
    assert answer.status_code == 403
    basic = httpx.BasicAuth("ana", PASSWORD)
    assert server.ask(None, "DELETE", "/api/v1/sessions", headers=evil, auth=basic).status_code == 403
    assert server.ask(None, "DELETE", "/api/v1/sessions", auth=basic).status_code == 200
    with server.store.write() as session:
        members.give(session, "ana", Role.ADMINISTRATOR, Place(), TEST)
    made = server.ask(None, "POST", "/api/v1/users", headers=evil, auth=basic, content=b'{"name":"eve"}')
    assert made.status_code == 403


def test_one_session_s_token_is_not_another_s(server: AccessServer) -> None:
    ana, bob = Browser(server).signed_in(), Browser(server).signed_in("bob")
    ana.csrf = bob.csrf
    assert ana.ask("DELETE", "/api/v1/sessions").status_code == 403


def test_guesses_are_limited_and_told_in_the_history(tmp_path: Path) -> None:
    server = AccessServer(tmp_path, failed_logins_per_minute=5)
    with server.store.write() as session:
        accounts.add_user(session, "ana", PASSWORD, Start(()), TEST)
    browser = Browser(server)
    wrong = [browser.ask("POST", URL, json={"name": "ana", "password": "a guess"}) for _ in range(7)]
    assert [answer.status_code for answer in wrong] == [401] * 5 + [429] * 2
    assert browser.sign_in().status_code == 429, "it might be a guess"
    nobody = [browser.ask("POST", URL, json={"name": f"n{n}", "password": "a guess"}) for n in range(7)]
    assert nobody[0].json() == wrong[0].json(), "whether there is such a user is not told"
    assert nobody[-1].status_code == 429
    links = [
        browser.ask("POST", "/api/v1/invitation", json={"token": "x", "password": PASSWORD}) for _ in range(7)
    ]
    assert links[-1].status_code == 429
    asyncio.run(server.app.state.service.auth.failures.flush())
    with server.store.read() as session:
        entries = history.entries(session, 99, action="login.fail")
    told = {e.object: json.loads(e.after or "")["count"] for e in entries}
    assert told == {"ana": 5, "(nobody's name)": 1}
    server.store.close()


def test_a_password_alone_is_not_enough_for_who_has_codes(
    server: AccessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    basic = httpx.BasicAuth("ana", PASSWORD)
    assert server.ask(None, "GET", "/api/v1/me", auth=basic).status_code == 200
    app = enrol(server)
    refused = server.ask(None, "GET", "/api/v1/me", auth=basic)
    assert refused.status_code == 401
    wrong = server.ask(None, "GET", "/api/v1/me", auth=httpx.BasicAuth("ana", "a guess"))
    assert refused.json() == wrong.json(), "that the password was right is not told"
    browser = Browser(server)
    answers = [browser.sign_in(), browser.sign_in(code="000000"), browser.sign_in(code="")]
    where = {"instance": "/api/v1/session"}
    assert [answer.json() for answer in answers] == [{**wrong.json(), **where}] * 3
    clock.forward(60)
    assert browser.sign_in(code=app.at(clock.ms // 1_000)).json()["method"] == "password and code"
    again = Browser(server).sign_in(code=app.at(clock.ms // 1_000))
    assert again.status_code == 401, "somebody saw the code being typed"


def test_a_remembered_password_ends_when_codes_begin(tmp_path: Path) -> None:
    server = AccessServer(tmp_path, credential_cache_seconds=3600.0)
    with server.store.write() as session:
        accounts.add_user(session, "ana", PASSWORD, Start(()), TEST)
    basic = httpx.BasicAuth("ana", PASSWORD)
    assert server.ask(None, "GET", "/api/v1/me", auth=basic).status_code == 200
    made = server.ask(None, "POST", "/api/v1/me/totp", auth=basic)
    app = pyotp.TOTP(made.json()["secret"])
    bad = server.ask(None, "POST", "/api/v1/me/totp/confirm", auth=basic, json={"code": "1"})
    assert bad.status_code == 400
    codes = server.ask(None, "POST", "/api/v1/me/totp/confirm", auth=basic, json={"code": app.now()}).json()[
        "codes"
    ]
    assert server.ask(None, "GET", "/api/v1/me", auth=basic).status_code == 401
    browser = Browser(server)
    assert browser.sign_in(code=codes[0]).status_code == 201
    assert (
        browser.ask(
            "POST", "/api/v1/me/totp/codes", json={"password": PASSWORD, "code": codes[0]}
        ).status_code
        == 401
    )
    fresh = browser.ask(
        "POST", "/api/v1/me/totp/codes", json={"password": PASSWORD, "code": codes[1]}
    ).json()["codes"]
    removed = browser.ask("POST", "/api/v1/me/totp/remove", json={"password": PASSWORD, "code": fresh[0]})
    assert removed.status_code == 204
    assert server.ask(None, "GET", "/api/v1/me", auth=basic).status_code == 200
    server.store.close()


def test_tokens_speak_basic_too_and_end_to_the_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = AccessServer(tmp_path, credential_cache_seconds=3600.0)
    admin = server.token("admin", (Role.ADMINISTRATOR, ""))
    clock = Clock(monkeypatch)
    body = {"name": "ci", "roles": [], "expires_in_days": 1}
    value = server.ask(admin, "POST", "/api/v1/tokens", json=body).json()["value"]
    as_basic = httpx.BasicAuth("whoever", value)
    assert server.ask(None, "GET", "/api/v1/me", auth=as_basic).json()["account"] == "token:ci"
    assert server.ask(value, "GET", "/api/v1/me").status_code == 200
    clock.forward(86_400 - 0.001)
    assert server.ask(value, "GET", "/api/v1/me").status_code == 200
    clock.forward(0.001)
    assert server.ask(value, "GET", "/api/v1/me").status_code == 401, "remembered for an hour, and over"
    assert server.ask(None, "GET", "/api/v1/me", auth=as_basic).status_code == 401
    server.store.close()


def test_a_session_s_secret_changes_with_its_rights(server: AccessServer) -> None:
    browser = Browser(server).signed_in()
    before = browser.cookie
    assert browser.ask("GET", "/api/v1/users").status_code == 403
    admin = server.token("admin", (Role.ADMINISTRATOR, ""))
    given = server.ask(admin, "POST", "/api/v1/members", json={"account": "ana", "role": "administrator"})
    assert given.status_code == 201
    assert browser.ask("GET", "/api/v1/users").status_code == 200
    assert browser.cookie != before
    assert re.fullmatch(r"package-hunter=[\w-]{43}", browser.cookie)
    changed = browser.ask("DELETE", "/api/v1/sessions")
    assert changed.status_code == 200, "pages that are open go on: the session's token is the same"


def test_ones_credentials_are_changed_by_who_was_just_there(
    server: AccessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    browser = Browser(server).signed_in()
    clock.forward(901)
    for method, url, body in (
        ("POST", "/api/v1/me/totp", {}),
        ("POST", "/api/v1/me/tokens", {"name": "hers"}),
    ):
        assert browser.ask(method, url, json=body).status_code == 403, url
    wrong = browser.ask("POST", f"{URL}/confirm", json={"password": "a guess"})
    assert wrong.status_code == 401
    assert browser.ask("POST", f"{URL}/confirm", json={"password": PASSWORD}).status_code == 204
    made = browser.ask("POST", "/api/v1/me/tokens", json={"name": "hers"})
    assert made.status_code == 201
    token = made.json()["value"]
    assert server.ask(token, "GET", "/api/v1/me").json()["account"] == "token:hers"
    assert server.ask(token, "POST", "/api/v1/me/tokens", json={"name": "more"}).status_code == 403
    bob = Browser(server).signed_in("bob")
    assert bob.ask("DELETE", "/api/v1/me/tokens", params={"name": "hers"}).status_code == 404
    assert [t["name"] for t in browser.ask("GET", "/api/v1/me/tokens").json()["items"]] == ["hers"]
    assert browser.ask("DELETE", "/api/v1/me/tokens", params={"name": "hers"}).status_code == 204
    assert server.ask(token, "GET", "/api/v1/me").status_code == 401


def test_a_new_password_ends_sessions_and_needs_the_old_one(server: AccessServer) -> None:
    browser, other = Browser(server).signed_in(), Browser(server).signed_in()
    body = {"old": "a guess", "new": "battery staple"}
    assert browser.ask("POST", "/api/v1/me/password", json=body).status_code == 401
    assert (
        browser.ask("POST", "/api/v1/me/password", json=body | {"old": PASSWORD, "new": "x"}).status_code
        == 400
    )
    assert browser.ask("POST", "/api/v1/me/password", json=body | {"old": PASSWORD}).status_code == 204
    assert other.ask("GET", "/api/v1/me").status_code == 401
    assert Browser(server).sign_in().status_code == 401


def test_invitations_over_http(server: AccessServer) -> None:
    admin = server.token("admin", (Role.ADMINISTRATOR, ""))
    asked = {"name": "carl", "roles": [{"role": "viewer", "project": "web/shop"}], "home": "web/shop"}
    made = server.ask(admin, "POST", "/api/v1/users/invitations", json=asked).json()
    assert made["url"].endswith(f"/welcome#{made['token']}")
    browser = Browser(server)
    taken = browser.ask("POST", "/api/v1/invitation", json={"token": made["token"], "password": PASSWORD})
    assert taken.status_code == 201
    browser.csrf = taken.json()["session"]["csrf"]
    assert browser.ask("GET", "/api/v1/me").json()["home"] == "web/shop"
    again = browser.ask("POST", "/api/v1/invitation", json={"token": made["token"], "password": PASSWORD})
    assert again.status_code == 404
    enrol(server)
    reset = server.ask(admin, "POST", "/api/v1/users/invitations", json={"name": "ana"}).json()
    by_link = browser.ask(
        "POST", "/api/v1/invitation", json={"token": reset["token"], "password": "battery staple"}
    )
    assert by_link.json()["session"] is None, "a link shows no code"
    lead = server.token("lead", (Role.SECURITY_ADMIN, ""))
    assert server.ask(lead, "POST", "/api/v1/users/invitations", json=asked).status_code == 403


def test_what_nobody_may_give_is_not_given_by_an_invitation(server: AccessServer) -> None:
    with server.store.write() as session:
        late = invitations.invite_first(session, TEST)
    body = {"token": late, "password": PASSWORD, "name": "eve"}
    assert server.ask(None, "POST", "/api/v1/invitation", json=body).status_code == 404


def test_a_browser_is_not_made_to_ask_for_a_password(server: AccessServer) -> None:
    plain = server.ask(None, "GET", "/api/v1/me")
    assert [v.split()[0] for v in plain.headers.get_list("www-authenticate")] == ["Basic", "Bearer"]
    browser = Browser(server)
    browser.cookie = "package-hunter=gone"
    ended = browser.ask("GET", "/api/v1/me")
    assert [v.split()[0] for v in ended.headers.get_list("www-authenticate")] == ["Bearer"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"package-hunter=a", "a"),
        (b"x=1; package-hunter=a; y=2", "a"),
        (b"package-hunter=a; package-hunter=b", None),
        (b"package-hunter=", None),
        (b"xpackage-hunter=a", None),
        (b"__Host-package-hunter=a", None),
        (b"\xff\xfe; =; ;;", None),
    ],
)
def test_reading_cookies(header: bytes, found: str | None) -> None:
    assert cookies.session_secret({b"cookie": header}, secure=False) == found
