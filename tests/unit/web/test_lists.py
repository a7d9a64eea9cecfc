"""Lists: filters that are refused come back as they were typed, with what is wrong; a page is as long as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from package_hunter.access.roles import Role
from package_hunter.web.render import fits_in
from tests.support.pages_server import PagesServer

_VALUE = '<input id="f-{name}" name="{name}" type="text" value="([^"]*)"'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("lists"))
    for number in range(6):
        made.waiting(f"pkg:npm/demo@1.0.{number}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def lead(server: PagesServer) -> str:
    return server.token("lead", (Role.AUDITOR, ""), (Role.SECURITY_ADMIN, ""))


@pytest.mark.parametrize(
    ("path", "name", "typed", "status"),
    [
        ("/scans", "package", "scope-lint", 400),
        ("/scans", "since", "yesterday", 400),
        ("/scans", "project", "nope", 404),
        ("/findings", "older_than", "abc", 400),
        ("/findings", "project", "nope", 404),
        ("/findings", "package", "scope-lint", 400),
        ("/findings", "expires_in", '"><b>', 400),
        ("/history", "until", "soon", 400),
        ("/history", "project", "no/such", 404),
    ],
)
def test_a_refused_filter_is_shown_as_it_was_typed(
    server: PagesServer, lead: str, path: str, name: str, typed: str, status: int
) -> None:
    answer = server.ask(lead, "GET", path, params={name: typed})
    assert answer.status_code == status
    page = answer.text
    assert re.search(r'<div id="problem"><div class="told bad" role="alert"><p><strong>[^<]+', page)
    found = re.search(_VALUE.format(name=name), page)
    assert found is not None
    assert unescape(found[1]) == typed
    assert '<div id="list"' in page and "<tbody>" not in page
    assert "fits." not in page, "it is wrong that nothing fits: nothing was looked for"


def test_words_of_any_length_come_back(server: PagesServer, lead: str) -> None:
    answer = server.ask(lead, "GET", "/findings", params={"text": "x" * 201})
    assert answer.status_code == 400
    assert f'value="{"x" * 201}"' in answer.text


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/proposals", {"state": "maybe"}),
        ("/proposals", {"kind": "no such"}),
        ("/rules", {"project": "nope"}),
        ("/scans", {"verdict": "evil"}),
        ("/scans", {"before": "nowhere"}),
        ("/history", {"nothing": "1"}),
    ],
)
def test_what_no_field_holds_is_told_above_the_list(
    server: PagesServer, lead: str, path: str, query: dict[str, str]
) -> None:
    answer = server.ask(lead, "GET", path, params=query)
    assert answer.status_code in (400, 404)
    assert f'action="{path}"' in answer.text and 'role="alert"' in answer.text


def test_a_page_and_its_file_are_as_long_as_they_are(server: PagesServer, lead: str) -> None:
    for path, rows in (("/scans", 8), ("/findings", 2)):
        page = server.ask(lead, "GET", path, params={"limit": 1}).text
        assert page.count('data-label="Severity"' if path == "/findings" else 'data-label="Stands"') == rows
        assert "limit=" not in page[page.index("<tbody>") :], "of its links and its file"
        file = server.ask(lead, "GET", f"{path}.csv", params={"limit": 1})
        assert file.status_code == 200 and len(file.text.splitlines()) == rows + 1
    for path in ("/history", "/proposals"):
        assert server.ask(lead, "GET", path, params={"limit": "many"}).status_code == 200


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("7", "number", True),
        ("abc", "number", False),
        ("2026-02-30", "date", False),
        ("2026-11-30T10:00", "datetime-local", True),
        ("yesterday", "datetime-local", False),
        (None, "number", True),
        ("abc", "search", True),
    ],
)
def test_fields_that_would_hide_a_value_are_plain_ones(value: str | None, kind: str, shown: bool) -> None:
    assert fits_in(value, kind) is shown
