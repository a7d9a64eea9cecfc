"""A scan in a browser: from the list to the stolen token's way out, with and without JavaScript, narrow and wide, dark
and light; what attackers write is shown and does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import Person, chromium, person
from tests.support.service_harness import Running, open_folder, running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder) as found:
        yield found


@pytest.fixture(scope="module")
def scans(server: Running) -> dict[str, str]:
    made = {word: server.submit(word.encode()) for word in ("sample", "hostile", "nothing")}
    for scan in made.values():
        server.ended(scan)
    return made


def _looks_well(who: Person, scripts: bool) -> None:
    who.fits()
    if scripts:
        who.accessible()


@pytest.mark.parametrize(("width", "dark", "scripts"), [(390, True, False), (1440, False, True)])
def test_from_the_list_to_the_stolen_tokens_way_out(
    browser: Any, server: Running, scans: dict[str, str], width: int, dark: bool, scripts: bool
) -> None:
    with person(browser, f"http://127.0.0.1:{server.port}", width=width, dark=dark, scripts=scripts) as who:
        who.go("/scans?verdict=malicious")
        who.page.click(f"a[href='/scans/{scans['sample']}']")
        assert "sample of exfiltration" in who.page.text_content(".sentence")
        assert "Rotate secrets of these kinds: npm token." in who.page.text_content("main")
        _looks_well(who, scripts)
        for tab in (
            "Secrets",
            "Network",
            "Processes",
            "Timeline",
            "Files",
            "Indicators",
            "Coverage",
            "Findings",
        ):
            who.page.click(f"nav.tabs >> text='{tab}'")
            _looks_well(who, scripts)
            if tab == "Secrets":
                assert "collect[.]example[:]443" in who.page.text_content(".way .hot")
        who.page.click("nav.tabs >> text='Download and keep'")
        _looks_well(who, scripts)
        with who.page.expect_download() as loaded:
            who.page.click("text='sarif'")
        assert loaded.value.suggested_filename.endswith(".sarif")
        who.calm()


@pytest.mark.parametrize(("width", "dark", "scripts"), [(390, False, True), (1440, True, False)])
def test_what_attackers_write_is_shown_and_does_nothing(
    browser: Any, server: Running, scans: dict[str, str], width: int, dark: bool, scripts: bool
) -> None:
    with person(browser, f"http://127.0.0.1:{server.port}", width=width, dark=dark, scripts=scripts) as who:
        tabs = (
            "",
            "/findings",
            "/timeline",
            "/processes",
            "/network",
            "/secrets",
            "/files",
            "/indicators",
            "/coverage",
        )
        for path in (*(f"/scans/{scans['hostile']}{tab}" for tab in tabs), "/scans"):
            who.go(path)
            assert "owned" not in who.page.title().replace("='owned'", "")
            _looks_well(who, scripts)
        who.calm()


@pytest.mark.parametrize("scripts", [True, False])
def test_two_that_are_ticked_are_compared(
    browser: Any, server: Running, scans: dict[str, str], scripts: bool
) -> None:
    with person(browser, f"http://127.0.0.1:{server.port}", scripts=scripts) as who:
        who.go("/scans")
        for word in ("nothing", "sample"):
            who.page.check(f"input[value='{scans[word]}']")
        who.page.click("text='Compare two that are ticked'")
        assert "Sample of exfiltration" in who.page.text_content("main")
        _looks_well(who, scripts)
        who.go("/packages?q=pkg:npm/sample")
        assert "Who has it" in who.page.text_content("main")
        _looks_well(who, scripts)
        who.calm()


def test_one_that_runs_is_followed_and_cancelled(browser: Any, server: Running) -> None:
    with person(browser, f"http://127.0.0.1:{server.port}") as who:
        running_one = server.submit(b"hang")
        who.go(f"/scans/{running_one}")
        who.page.click("text='Cancel'")
        who.page.wait_for_selector(".badges .st-cancelled")  # without a click: the page follows by itself
        who.page.wait_for_selector("text='Scan again'")
        _looks_well(who, True)
        who.calm()


def test_what_happens_elsewhere_is_seen_before_the_page_would_ask(browser: Any, server: Running) -> None:
    with person(browser, f"http://127.0.0.1:{server.port}") as who:
        followed = server.submit(b"hang")
        with who.page.expect_request(lambda one: one.url.endswith(f"/api/v1/scans/{followed}/events")):
            who.go(f"/scans/{followed}")
        elsewhere = who.page.context.new_page()
        elsewhere.goto(who.page.url)
        elsewhere.click("text='Cancel'")
        who.page.wait_for_selector(".badges .st-cancelled", timeout=20_000)  # it asks by itself after 30 s
        who.page.wait_for_selector("text='Scan again'")
        assert who.page.locator("[data-follow]").count() == 0
        who.calm()
