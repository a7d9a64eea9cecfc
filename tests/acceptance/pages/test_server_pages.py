"""The history, workers and dead letters, notices, the drill, identity providers: what each page is there for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import chromium, person
from tests.support.pages_people import World, served, signed_in
from tests.support.service_harness import Running


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


def test_the_history_is_found_by_who_and_what_and_goes_out_as_it_is_filtered(browser: Any, base: str) -> None:
    with person(browser, base, "boss", width=390, dark=True) as who:
        who.go("/history")
        assert "fit their seals" in who.page.text_content("#chain")
        who.page.click("summary:has-text('Filters')")
        who.page.fill("#f-who", "token:asks")
        with who.page.expect_response(lambda r: "/history?" in r.url):
            who.page.select_option("#f-action", "destination")
        who.page.wait_for_function("location.search.includes('action=destination')")
        sentences = who.page.locator("#list tbody tr")
        assert sentences.count() == 3
        assert "token:asks added the notice destination" in sentences.last.text_content()
        href = who.page.get_attribute("text=CSV", "href")
        who.go("/history?action=no.such")
        assert "Nothing in the history fits." in who.page.text_content("#list")
        who.calm()
    with signed_in(base, "boss") as client:
        rows = list(csv.DictReader(io.StringIO(client.get(href).text)))
        assert [row["action"] for row in rows] == ["destination.test", "destination.add", "destination.add"]
        assert "added the notice destination" in rows[1]["sentence"]
        assert client.get("/history.csv?who=%3Cimg").status_code == 200
        first = client.get("/history?since=not-a-day")
        assert first.status_code == 400 and "<h1>" in first.text


def test_workers_are_drained_and_dead_letters_run_again(
    browser: Any, base: str, made: tuple[World, Running]
) -> None:
    with person(browser, base, "boss", scripts=False) as who:
        who.go("/workers")
        assert "1 worker is gone." in who.page.text_content("main")
        who.page.click('[aria-label="Let box-1.example take no more scans"]')
        assert "It takes no more scans." in who.page.text_content("[role=status]")
        who.page.click('[aria-label="Let box-1.example take scans again"]')
        assert "It takes scans again." in who.page.text_content("[role=status]")
        dead = who.page.locator("#dead ~ table tbody tr")
        assert dead.count() == 1
        assert dead.locator("a").first.get_attribute("href") == f"/scans/{made[0].dead}"
        dead.locator("button").click()
        # its archive was never there: the API says so, and the page passes it on
        assert who.page.locator("[role=alert], [role=status]").count() == 1
        who.calm()
    with person(browser, base, "viewer") as who:
        who.go("/workers")
        assert who.page.locator("[aria-label^='Let box']").count() == 0
        assert who.page.locator("#dead ~ table button").count() == 0  # he may see it, not run it


def test_notices_are_sent_tested_and_tried_again(browser: Any, base: str) -> None:
    with person(browser, base, "boss", width=390) as who:
        who.go("/settings/notices?at=web/shop&kind=webhook")
        who.page.fill("#f-name", "hook")
        who.page.fill("#f-url", "gopher://example")
        who.page.click("text=Add it")
        assert who.page.locator("[role=alert]").count() == 1
        assert who.page.input_value("#f-name") == "hook"
        who.go("/settings/notices?at=web/shop&kind=mail")
        who.page.fill("#f-name", "team")
        who.page.fill("#f-to", "team@mail.example\nlead@mail.example")
        who.page.click("summary:has-text('Only of these events')")
        who.page.check('[value="gate.blocked"]')
        who.page.click("text=Add it")
        assert "told from now on" in who.page.text_content("[role=status]")
        assert "gate.blocked" in who.page.text_content("tr:has-text('team@mail.example')")
        who.page.click('[aria-label="Test team"]')
        assert "A test is on its way" in who.page.text_content("[role=status]")
        assert "test" in who.page.text_content("#deliveries ~ table")
        who.page.click('[aria-label="Remove team"]')
        assert "told no more" in who.page.text_content("[role=status]")
        who.accessible()
        who.calm()
    with signed_in(base, "viewer") as client:
        assert client.get("/settings/notices").status_code == 403


def test_a_drill_is_begun_once(browser: Any, base: str) -> None:
    with person(browser, base, "secadmin", scripts=False) as who:
        who.go("/settings/drill")
        if who.page.locator("text=Begin one now").count():
            who.page.click("text=Begin one now")
            assert "The drill has begun." in who.page.text_content("[role=status]")
        assert who.page.text_content(".sentence").strip() == "A drill runs."
        assert who.page.locator("text=Begin one now").count() == 0
        who.calm()


def test_a_provider_and_a_rule_are_added_and_removed(browser: Any, base: str) -> None:
    with person(browser, base, "boss", dark=True) as who:
        who.go("/settings/identity")
        who.page.click("summary:has-text('Add a rule')")
        who.page.fill("#f-rule-name", "apps")
        who.page.fill("#f-project", "web/{project_path}")
        who.page.fill("#f-conditions", "project_path web/*")
        who.page.click("text=Let them in")
        assert "is no condition" in who.page.text_content("[role=alert]")
        assert who.page.input_value("#f-rule-name") == "apps"
        who.page.fill("#f-conditions", "project_path = apps/*\nnamespace_id = 7\nref_protected = true")
        who.page.click("text=Let them in")
        assert "Such CI jobs are let in." in who.page.text_content("[role=status]")
        who.page.click('[aria-label="Remove the rule apps"]')
        assert "let in no more" in who.page.text_content("[role=status]")
        who.calm()
