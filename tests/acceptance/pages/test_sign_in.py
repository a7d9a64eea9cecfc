"""Sign in and out by the pages, with and without JavaScript; nothing foreign is loaded or run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.chromium import chromium, person, sign_in
from tests.support.service_harness import PASSWORD, USER, Running, open_folder, running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder) as found:
        yield found


@pytest.fixture(scope="module")
def base(server: Running) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("width", "dark", "scripts"), [(390, True, True), (1440, False, False), (390, False, False)]
)
def test_who_asks_for_a_page_signs_in_gets_it_and_leaves(
    browser: Any, base: str, width: int, dark: bool, scripts: bool
) -> None:
    with person(browser, base, None, width=width, dark=dark, scripts=scripts) as who:
        who.go("/scans?verdict=malicious")
        assert "/sign-in" in who.page.url
        who.fits()
        if scripts:
            who.accessible()
        who.page.fill("[name=name]", USER)
        who.page.fill("[name=password]", "not hers")
        who.page.click("main button")
        assert "The credentials are wrong." in who.page.text_content("[role=alert]")
        who.page.fill("[name=password]", PASSWORD)
        who.page.click("main button")
        assert who.page.url == f"{base}/scans?verdict=malicious"
        # without JavaScript nothing else could open it on a wide screen
        assert who.page.is_visible("nav >> text=Findings") == (width == 1440 or not scripts)
        who.page.click("text=Sign out")
        assert "You are signed out." in who.page.text_content("[role=status]")
        who.go("/scans")
        assert "/sign-in" in who.page.url
        who.calm()


@pytest.mark.parametrize(
    "there", ["//evil.example/x", "/\\evil.example", "https://evil.example", "/sign-in", "x"]
)
def test_a_link_leads_nobody_away(browser: Any, base: str, there: str) -> None:
    with person(browser, base, None) as who:
        who.page.goto(f"{base}/sign-in?next={httpx.QueryParams({'a': there})['a']}")
        sign_in(who, USER, PASSWORD)
        assert who.page.url.startswith(base + "/")


def test_a_form_of_somebody_else_does_nothing(base: str) -> None:
    with httpx.Client(base_url=base, trust_env=False) as client:
        signed = client.post("/sign-in", data={"name": USER, "password": PASSWORD, "next": "/scans"})
        assert (signed.status_code, signed.headers["location"]) == (303, "/scans")
        for form in ({}, {"csrf": "0" * 43}):
            refused = client.post("/sign-out", data=form)
            assert refused.status_code == 403
            assert "The form is of another session." in refused.text
        elsewhere = client.post("/sign-out", data={}, headers={"Origin": "http://evil.example"})
        assert elsewhere.status_code == 403
        assert client.get("/scans").status_code == 200


def test_who_is_nobody_is_sent_to_sign_in_and_programs_are_told(base: str) -> None:
    page = httpx.get(f"{base}/scans", trust_env=False)
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=%2Fscans")
    start = httpx.get(f"{base}/", headers={"Accept": "text/html"}, trust_env=False)
    assert start.status_code == 303
    assert httpx.get(f"{base}/", trust_env=False).status_code == 401
    part = httpx.get(f"{base}/scans", headers={"HX-Request": "true"}, trust_env=False)
    assert part.headers["hx-redirect"] == "/sign-in?next=%2Fscans"
