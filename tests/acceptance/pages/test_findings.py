"""Findings as people work with them: found by filters, decided about one by one and many at once, talked about; what a
developer sees of it; and the overview, whose figures are their lists."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest

from package_hunter.cli.serve import open_store
from tests.support.chromium import Person, chromium, person
from tests.support.pages_world import COMMIT, Pages, fill
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
def made(server: Running) -> Pages:
    store = open_store(server.settings)
    try:
        return fill(store)
    finally:
        store.close()


@pytest.fixture(scope="module")
def base(server: Running) -> str:
    return f"http://127.0.0.1:{server.port}"


def _text(who: Person, selector: str = "main") -> str:
    who.page.wait_for_load_state("load")  # a click goes on when the next page begins
    return str(who.page.text_content(selector))


def _good(who: Person) -> None:
    who.fits()
    who.accessible()


def test_what_is_filtered_is_the_address_the_export_and_the_list_that_is_kept(
    browser: Any, base: str, server: Running, made: Pages
) -> None:
    with person(browser, base) as who:
        who.go("/findings")
        _good(who)
        who.page.fill("[name=text]", "hook number 1")
        who.page.press("[name=text]", "Enter")
        who.page.wait_for_url(re.compile("text=hook"))
        who.page.wait_for_function("document.querySelectorAll('#list tbody tr').length === 11")
        href = who.page.get_attribute("text=CSV", "href")
        rows = list(csv.DictReader(io.StringIO(who.page.request.get(base + href).text())))
        listed = who.page.request.get(base + who.page.get_attribute("text=JSON", "href")).json()["items"]
        assert [row["id"] for row in rows] == [one["id"] for one in listed]
        assert len(rows) == 11
        who.page.click("text=Keep this list under a name")
        who.page.fill("#list form[action='/findings/views'] [name=name]", "hooks <b>of</b> one")
        who.page.click("text=Keep it")
        assert "The list is kept" in _text(who, "[role=status]")
        who.go("/findings")
        who.page.click("nav[aria-label=Lists] .own")
        assert who.page.locator("#list tbody tr").count() == 11
        who.page.click("text=Forget a list that you keep")
        who.page.click("button:has-text('Forget “hooks')")
        assert who.page.locator(".own").count() == 0
        who.go("/findings?state=lost")
        assert "“State” must be one of these" in _text(who, "[role=alert]"), "what is no filter is told"
        who.calm()


@pytest.mark.parametrize(("width", "dark", "scripts"), [(1440, False, True), (390, True, False)])
def test_many_are_set_as_it_was_previewed_and_what_takes_two_people_stays(
    browser: Any, base: str, made: Pages, width: int, dark: bool, scripts: bool
) -> None:
    with person(browser, base, width=width, dark=dark, scripts=scripts) as who:
        who.go("/findings?project=web%2Fshop&kind=git_hook&text=hook+number")
        who.page.click("text=Decide about several")
        who.page.check("[name=which][value=all]")
        who.page.select_option("#f-set", "false_positive")
        who.page.click("text=See what it would do")
        assert "A state needs a reason." in _text(who, "[role=alert]")
        assert who.page.input_value("#f-set") == "false_positive", "what was chosen is not lost"
        who.page.select_option("#f-reason", "stated_purpose")
        who.page.click("text=See what it would do")
        assert "0 findings in 0 projects" in _text(who)
        assert "no hooks" in _text(who), "the rule that decides them is named"
        assert who.page.locator("text=Propose a waiver").count() == 60
        assert who.page.locator("text=Do exactly this").count() == 0
        who.fits()
        who.go("/findings?project=ops%2Fpay")
        state = "false_positive" if scripts else "accepted"
        who.page.click("text=Decide about several")
        who.page.check("tbody [name=id]")
        who.page.select_option("#f-set", state)
        who.page.select_option("#f-reason", "other")
        who.page.fill("#f-remark", "two\nlines \u202e of it")
        if state == "accepted":
            who.page.fill("#f-until", "2026-12-24" if not scripts else "")
        who.page.click("text=See what it would do")
        assert "1 finding in 1 project" in _text(who)
        who.fits()
        if scripts:
            assert "review" in _text(who, "main table")
            _good(who)
        who.page.click("text=Do exactly this")
        assert "Done, as it was previewed." in _text(who, "[role=status]")
        assert state.replace("_", " ") in _text(who, "#list tbody")
        who.calm()


def test_what_is_something_else_by_now_is_not_done(
    browser: Any, base: str, server: Running, made: Pages
) -> None:
    with person(browser, base) as who:
        who.go("/findings?project=web%2Fblog&detected=true")
        who.page.click("text=Decide about several")
        who.page.check("[name=which][value=all]")
        who.page.select_option("#f-set", "confirmed")
        who.page.select_option("#f-reason", "not_applicable")
        who.page.click("text=See what it would do")
        key = who.page.request.get(f"{base}/api/v1/findings?project=web%2Fblog").json()["items"][0]["id"]
        body = {"state": "resolved", "reason": "not_applicable"}
        server.client.put(f"/api/v1/findings/{key}/state", json=body).raise_for_status()
        who.page.click("text=Do exactly this")
        assert "not the findings that were previewed" in _text(who, "[role=alert]")
        who.page.click("text=Do exactly this")
        assert "Done" in _text(who, "[role=status]")
        who.calm()


@pytest.mark.parametrize(("width", "dark", "scripts"), [(390, True, True), (1440, False, False)])
def test_a_finding_is_read_claimed_talked_about_and_decided(
    browser: Any, base: str, made: Pages, width: int, dark: bool, scripts: bool
) -> None:
    path = f"/findings/{made.findings['hostile']}"
    with person(browser, base, width=width, dark=dark, scripts=scripts) as who:
        who.go(path)
        who.fits()
        if scripts:
            who.accessible()
        text = _text(who)
        assert "<img src=x onerror=alert(1)>\\u202egnp.exe\\x1b[31m" in text
        assert not {"\u202e", "\x1b", "\u200b"} & set(who.page.content())
        assert "No single person may silence it: an enforced rule decides it (group:web, no hooks)" in text
        assert (
            who.page.get_attribute("text=Propose a waiver", "href") == f"/proposals/new?finding={path[10:]}"
        )
        offered = who.page.locator("#f-state option").all_text_contents()
        assert not any("false positive" in one or "accepted" in one for one in offered)
        who.page.click("text=I am on it")
        assert "You are on it, until" in _text(who)
        who.page.click("text=Let go of it")
        assert "Nobody is on it." in _text(who)
        who.page.fill("#f-note", "asked them\n\u202ehidden")
        who.page.click("text=Write it")
        assert "asked them\n\\u202ehidden" in _text(who)
        who.page.select_option("#f-state", "confirmed")
        who.page.select_option("#f-reason", "other")
        who.page.click("button:text-is('Set it')")
        assert "needs words" in _text(who, "[role=alert]")
        assert who.page.input_value("#f-state") == "confirmed"
        who.page.fill("#f-remark", f"seen it at {width}")
        who.page.select_option("#f-scope", "group:web")
        who.page.click("button:text-is('Set it')")
        assert "confirmed for group:web by ana" in " ".join(_text(who).split())
        assert "set it to confirmed for group:web" in _text(who)
        assert f"other: seen it at {width}" in _text(who)
        who.calm()


def test_a_developer_sees_what_is_required_and_how_to_ask_and_decides_nothing(
    browser: Any, base: str, made: Pages
) -> None:
    with person(browser, base, "dev", width=390) as who:
        who.go("/projects")
        assert who.page.locator("tbody a[href^='/projects/']").all_text_contents() == ["web/shop"]
        _good(who)
        who.page.click("text=web/shop")
        _good(who)
        text = " ".join(_text(who).split())
        assert "Each merge request is scanned before it is merged. That holds for the group web." in text
        assert (
            "“no hooks” asks a person to look at findings of the kind git hook of severity medium or worse."
            in text
        )
        assert "any finding that by itself makes a scan malicious by pkg:npm/*. It only warns now." in text
        assert COMMIT[:12] in text
        assert "It can be lifted by ana, ben." in text
        who.page.click("#findings ~ table a >> nth=0")
        assert who.page.locator("form[action$='/state'], form[action$='/claim']").count() == 0
        assert who.page.locator("form[action$='/notes']").count() == 1
        assert who.page.locator("a[href^='/proposals/new?finding=']").count() == 1
        refused = who.page.request.post(
            who.page.url + "/state",
            form={
                "csrf": who.page.input_value("[name=csrf] >> nth=0"),
                "state": "confirmed",
                "reason": "other",
                "remark": "x",
            },
            headers={"Origin": base},
        )
        assert (refused.status, "This account may not do that" in refused.text()) == (403, True)
        who.go(f"/projects/{made.projects['ops/pay']}")
        assert "Not here" in _text(who)
        who.go("/findings")
        assert who.page.locator("tbody [name=id]").count() == 0
        who.calm()


@pytest.mark.parametrize(("width", "dark", "scripts"), [(1440, True, True), (390, False, False)])
def test_each_figure_of_the_overview_leads_to_its_list(
    browser: Any, base: str, made: Pages, width: int, dark: bool, scripts: bool
) -> None:
    with person(browser, base, width=width, dark=dark, scripts=scripts) as who:
        who.go("/overview")
        who.fits()
        if scripts:
            who.accessible()
        assert "merge request 7" in _text(who)
        links = who.page.locator(".boxes a:not([href^='#'])").evaluate_all(
            "all => all.map(a => [a.getAttribute('href'), a.textContent.trim()])"
        )
        counted = 0
        for href, figure in links:
            if not re.fullmatch(r"[\d,]+", figure) or not href.startswith(("/findings", "/scans")):
                continue
            counted += 1
            page = who.page.request.get(f"{base}/api/v1{href}&limit=500").json()
            assert len(page.get("items", page.get("scans"))) == int(figure.replace(",", "")), href
        assert counted >= 6
        weeks = who.page.locator("svg a")
        assert weeks.count() == 3 * 13
        who.page.click("text=The figures")
        who.page.click("details tbody a >> nth=0")
        assert who.page.url.startswith(f"{base}/scans?since=")
        assert who.page.locator("#list tbody tr").count() >= 1
        who.calm()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_filter_that_is_wrong_is_open_with_what_was_typed_on_a_phone(
    browser: Any, base: str, made: Pages, scripts: bool
) -> None:
    with person(browser, base, width=390, scripts=scripts) as who:
        for path, field, typed in (("/findings", "older_than", "soon"), ("/scans", "package", "left-pad")):
            who.page.goto(f"{base}{path}?{field}={typed}", wait_until="load")
            assert who.page.locator("#problem .bad").is_visible()
            assert who.page.locator(f"#f-{field}").is_visible()
            assert who.page.input_value(f"#f-{field}") == typed
            who.fits()
