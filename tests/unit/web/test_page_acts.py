"""Buttons of forms: what none has is refused, and what is refused is told in the page's words."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import pytest

from package_hunter.access.roles import Role
from tests.support.access_server import OWN
from tests.support.pages_server import PagesServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("acts"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def lead(server: PagesServer) -> str:
    return server.token("lead", (Role.SECURITY_ADMIN, ""))


@pytest.mark.parametrize("path", ["/rules/try", "/policies/all", "/proposals/new", "/proposals/1"])
def test_an_act_that_no_button_has_is_refused(server: PagesServer, lead: str, path: str) -> None:
    answer = server.post(lead, path, act="conquer", kind="waiver", rules="", name="team", place="everywhere")
    assert answer.status_code == 400
    assert "There is no such act." in answer.text


@pytest.mark.parametrize("text", ["", " \r\n", "# later\n  # more"])
def test_no_rules_are_none_that_can_be_used(server: PagesServer, lead: str, text: str) -> None:
    page = server.post(lead, "/rules/try", act="check", rules=text, name="team", place="everywhere").text
    assert "No rule is written yet." in page
    assert "They can be used" not in page


def test_a_missing_reason_is_told_by_its_label(server: PagesServer, lead: str) -> None:
    rules = "- list: mine\n  items: [a]\n"
    page = server.post(
        lead, "/rules/try", act="propose", rules=rules, name="team", place="everywhere", why=""
    )
    assert page.status_code == 400
    assert "“Why” must not be empty." in page.text
    assert "items: [a]" in page.text, "nothing typed is lost"


def test_a_filter_is_told_by_its_label(server: PagesServer, lead: str) -> None:
    page = server.ask(lead, "GET", "/findings?older_than=abc").text
    assert "“Older than, days” must be a number." in page


def test_a_long_note_is_cut_and_all_of_it_is_there(server: PagesServer, lead: str) -> None:
    there = f"/findings/{server.findings[OWN]}"
    text = "first line\n<b>second</b>\n" + "x" * 9_000 + " the end"
    assert server.post(lead, f"{there}/notes", note=text).status_code == 303
    assert server.post(lead, f"{there}/notes", note="short\nnote").status_code == 303
    page = server.ask(lead, "GET", there).text
    begin, _, rest = page[page.index("first line") :].partition("<details")
    assert len(unescape(begin)) < 1_300 and "&lt;b&gt;" in begin
    assert "characters)</summary>" in rest and "x the end</pre>" in rest
    assert "short\nnote</div>" in page
