"""Somebody is invited, comes by the link, gets roles; tokens are made, shown once, revoked; one's own account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pyotp
import pytest

from tests.support.chromium import chromium, person, sign_in
from tests.support.pages_people import TOKEN_NAME, USER_NAME, World, served
from tests.support.service_harness import PASSWORD, Running

_NEW = "battery staple"


@pytest.fixture(scope="module")
def browser(made: tuple[World, Running]) -> Iterator[Any]:  # the server first: see `served`
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[World, Running]]:
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def base(made: tuple[World, Running]) -> str:
    return f"http://127.0.0.1:{made[1].port}"


def _invite(who: Any, name: str) -> str:
    who.go("/people")
    who.page.fill("#f-name", name)
    who.page.select_option("#f-role", "viewer")
    who.page.fill("#f-place", "web/shop")
    who.page.click("text=Make the link")
    link = who.page.text_content("#secret").strip()
    who.go("/people")
    assert link not in who.page.content()
    return str(link)


@pytest.mark.parametrize(
    ("scripts", "width", "dark", "name"), [(True, 1440, False, "carla"), (False, 390, True, "dora")]
)
def test_who_is_invited_chooses_a_password_and_is_in(
    browser: Any, base: str, scripts: bool, width: int, dark: bool, name: str
) -> None:
    with person(browser, base, "boss", width=width, dark=dark, scripts=scripts) as boss:
        link = _invite(boss, name)
        path = link[link.index("/welcome") :]
        boss.calm()
    with person(browser, base, None, width=width, dark=dark, scripts=scripts) as new:
        new.go(path)
        if scripts:
            assert "#" not in new.page.url  # nobody who sees the screen has the secret
            assert not new.page.is_visible("#f-token")
        else:
            new.page.fill("#f-token", link)
        new.page.fill("#f-password", _NEW)
        new.page.fill("#f-again", "something else")
        new.page.click("main button")
        assert "not the same" in new.page.text_content("[role=alert]")
        new.page.fill("#f-password", _NEW)
        new.page.fill("#f-again", _NEW)
        with new.page.expect_request(lambda r: r.method == "POST") as sent:
            new.page.click("main button")
        assert sent.value.url.endswith("/welcome")  # the secret is in its body, in no address
        new.go("/settings")
        assert name in new.page.text_content("dl.facts")
        assert "viewer in web/shop" in new.page.text_content("dl.facts")
        new.go("/welcome")
        new.page.fill("#f-token", link)
        new.page.fill("#f-password", _NEW)
        new.page.fill("#f-again", _NEW)
        new.page.click("main button")
        assert "not good any more" in new.page.text_content("[role=alert]")
        new.calm()


def test_roles_are_given_and_taken_and_an_account_is_removed(
    browser: Any, base: str, made: tuple[World, Running]
) -> None:
    world = made[0]
    with person(browser, base, "boss", width=390, scripts=False) as who:
        for root in (f"/projects/{world.project}", f"/groups/{world.group}"):
            who.go(f"{root}/members")
            who.page.fill("#f-account", "nobody-of-this-name")
            who.page.select_option("#f-role", "developer")
            who.page.click("text=Give it")
            assert "There is no account" in who.page.text_content("[role=alert]")
            assert who.page.input_value("#f-account") == "nobody-of-this-name"  # nothing typed is lost
            who.page.fill("#f-account", USER_NAME)
            who.page.click("text=Give it")
            assert "The role is given." in who.page.text_content("[role=status]")
            who.page.click(f'[aria-label="Take the role developer from {USER_NAME}"]')
            assert "The role is taken away." in who.page.text_content("[role=status]")
        who.go("/people")
        who.page.click(f"text={USER_NAME}")
        assert who.page.text_content("h1") == USER_NAME
        who.page.click("text=Link for another password")
        assert "/welcome#phinv_" in who.page.text_content("#secret")
        who.go("/people")
        who.page.click(f"text={USER_NAME}")
        who.page.click("summary:has-text('Remove the account')")
        who.page.click(".danger")
        assert "The account is removed." in who.page.text_content("[role=status]")
        assert USER_NAME not in who.page.text_content("#list")
        who.calm()


def test_a_group_is_made_and_what_is_wrong_is_told(browser: Any, base: str) -> None:
    with person(browser, base, "secadmin", dark=True) as who:
        who.go("/groups")
        who.page.fill("#f-path", "no/such/group")
        who.page.click("text=Make it")
        assert "There is no group" in who.page.text_content("[role=alert]")
        who.page.fill("#f-path", "mobile")
        who.page.click("text=Make it")
        assert who.page.text_content("h1") == "Members of the group mobile"
        who.calm()
    with person(browser, base, "viewer") as who:
        who.go("/groups")
        assert who.page.locator("main form[method=post]").count() == 0


def test_tokens_are_limited_shown_once_and_revoked(browser: Any, base: str) -> None:
    with person(browser, base, "developer", scripts=False) as who:
        who.go("/tokens")
        assert who.page.locator("#server").count() == 0  # those of the server are not his to see
        who.page.click("summary:has-text('Make one')")
        who.page.fill("#f-name-own", "laptop")
        who.page.fill("#f-places-own", "web/shop")
        who.page.click("summary:has-text('Only these permissions')")
        who.page.check('[value="project:scan:read"]')
        who.page.click("text=Make the token")
        value = who.page.text_content("#secret").strip()
        bearer = {"Authorization": f"Bearer {value}"}
        ask = lambda path: httpx.get(base + path, headers=bearer, trust_env=False).status_code  # noqa: E731
        assert (ask("/api/v1/scans"), ask("/api/v1/findings")) == (200, 200)
        findings = httpx.get(f"{base}/api/v1/findings", headers=bearer, trust_env=False).json()
        assert findings["items"] == []  # it is limited to scans
        who.go("/tokens")
        assert "1 permission" in who.page.text_content("#own ~ table")
        assert value not in who.page.content()
        who.page.click('[aria-label="Revoke laptop"]')
        assert "worthless" in who.page.text_content("[role=status]")
        assert ask("/api/v1/scans") == 401
    with person(browser, base, "boss") as who:
        who.go("/tokens")
        assert TOKEN_NAME in who.page.text_content("#server ~ table")
        who.page.click("summary:has-text('Make one for a machine')")
        who.page.fill("#f-name-server", "ci-shop")
        who.page.select_option("#f-role", "developer")
        who.page.fill("#f-place", "no/such")
        who.page.click("form[action='/tokens/add'] button")
        assert "There is no group or project" in who.page.text_content("[role=alert]")
        assert who.page.input_value("#f-name-server") == "ci-shop"
        who.page.fill("#f-place", "web/shop")
        who.page.click("form[action='/tokens/add'] button")
        assert who.page.text_content("#secret").strip().startswith("phunt_")
        who.calm()


def test_one_time_codes_are_set_up_and_a_recovery_code_helps(browser: Any, base: str) -> None:
    with person(browser, base, "analyst") as who:
        who.go("/settings")
        who.page.click("button:has-text('Set codes up')")
        secret = who.page.text_content("#secret").strip()
        assert who.page.get_attribute("text=Open in the app", "href").startswith("otpauth://totp/")
        who.page.fill("#f-code", "000000")
        who.page.click("text=Put codes in force")
        assert "The code is wrong." in who.page.text_content("[role=alert]")
        assert who.page.text_content("#secret").strip() == secret
        who.page.fill("#f-code", pyotp.TOTP(secret).now())
        who.page.click("text=Put codes in force")
        codes = who.page.text_content("#secret").split()
        assert len(codes) == 10
        who.page.click("text=I keep them")
        who.page.fill("[name=name]", "analyst")
        who.page.fill("[name=password]", PASSWORD)
        who.page.fill("[name=code]", codes[0])
        who.page.click("main button")
        who.go("/settings")
        assert "Codes are in force" in who.page.text_content("main")
        who.calm()


def test_a_password_is_changed_and_sessions_end(browser: Any, base: str) -> None:
    with person(browser, base, "secadmin") as other, person(browser, base, "secadmin") as who:
        who.go("/settings")
        who.page.click("text=End all others")
        assert "All your other sessions are ended." in who.page.text_content("[role=status]")
        other.go("/settings")
        assert "/sign-in" in other.page.url
        who.page.fill("#f-old", "wrong")
        who.page.fill("#f-new", _NEW)
        who.page.fill("#f-again", _NEW)
        who.page.click("text=Change it")
        assert who.page.locator("[role=alert]").count() == 1
        who.page.fill("#f-old", PASSWORD)
        who.page.fill("#f-new", _NEW)
        who.page.fill("#f-again", _NEW)
        who.page.click("text=Change it")
        assert "Your password is changed" in who.page.text_content("[role=status]")
        sign_in(who, "secadmin", _NEW)
        who.calm()
