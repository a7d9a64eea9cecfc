"""Every page there is (`page_permits.PAGES`), for everybody: it answers, is one page, loads nothing foreign, is
accessible and fits a telephone, whatever an enemy called what stands on it; and no form is taken without its token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from package_hunter.api.page_permits import PAGES
from package_hunter.api.permit import Where
from tests.support.chromium import chromium, person
from tests.support.pages_people import ROLES, World, served, signed_in
from tests.support.service_harness import Running

_BOSS = "boss"
_MOST_BYTES = 150_000
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")
_FOREIGN = re.compile(r"""<(?:script|link|img|iframe|form)\b[^>]*?\b(?:src|href|action)=["'](?!/(?!/))""")
_INSTEAD = "img, iframe, object, main script, main style, [onerror], [onmouseover], [onload]"
_TAG = re.compile(r"<(/?[a-z0-9]+)")


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[World, Running]]:
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def base(made: tuple[World, Running]) -> str:
    return f"http://127.0.0.1:{made[1].port}"


@pytest.fixture(scope="module")
def answers(made: tuple[World, Running], base: str) -> dict[str, dict[str, httpx.Response]]:
    """By person, by path."""
    found: dict[str, dict[str, httpx.Response]] = {}
    for name in ROLES:
        with signed_in(base, name) as client:
            found[name] = {path: client.get(path) for path in _paths(made[0])}
    return found


def _paths(world: World) -> list[str]:
    """Of all pages whose parameters are known here."""
    known = {"project_id": world.project, "group_id": world.group, "scan_id": world.hostile}
    known |= {"finding_id": world.finding}
    paths = []
    for row in PAGES:
        names = set(re.findall(r"{(\w+)(?::path)?}", row.path))
        if row.method == "GET" and names <= set(known):
            paths.append(re.sub(r"{(\w+)(?::path)?}", lambda hit: known[hit[1]], row.path))
    return paths


def _html(found: dict[str, httpx.Response]) -> dict[str, httpx.Response]:
    kind = "text/html"
    return {path: one for path, one in found.items() if one.headers.get("content-type", "").startswith(kind)}


def _every(answers: dict[str, dict[str, httpx.Response]]) -> list[tuple[str, str, httpx.Response]]:
    return [(name, path, one) for name, found in answers.items() for path, one in found.items()]


def test_every_page_answers_everybody(answers: Any) -> None:
    wrong = [(name, path, one.status_code) for name, path, one in _every(answers) if one.status_code >= 500]
    assert wrong == []
    ours = [one.status_code for path, one in answers[_BOSS].items() if "{" not in path]
    assert ours.count(200) > 10


def test_every_page_is_one_page(answers: Any) -> None:
    wrong = []
    for name, found in answers.items():
        for path, one in _html(found).items():
            title = re.search(r"<title>\s*(\S.*?) · Package Hunter</title>", one.text)
            heads = len(re.findall(r"<h1\b", one.text))
            if title is None or heads != 1:
                wrong.append((name, path, one.status_code, title and title[1], heads))
            if "default-src 'none'" not in one.headers.get("content-security-policy", ""):
                wrong.append((name, path, "no policy"))
            if len(one.content) > _MOST_BYTES:
                wrong.append((name, path, len(one.content)))
    assert wrong == []


def test_nothing_foreign_or_unseen_stands_on_a_page(answers: Any) -> None:
    wrong = []
    for name, path, one in _every(answers):
        if "<script>alert" in one.text and "html" in one.headers.get("content-type", ""):
            wrong.append((name, path, "runs"))
        if _UNSEEN.search(one.text):
            wrong.append((name, path, _UNSEEN.findall(one.text)[:5]))
        wrong += [(name, path, hit) for hit in _FOREIGN.findall(one.text)]
    assert wrong == []


@pytest.mark.parametrize("name", ROLES)
def test_every_page_is_accessible_and_fits_a_telephone(
    made: tuple[World, Running], base: str, answers: Any, browser: Any, seen: set[tuple[str, str]], name: str
) -> None:
    """A page that has the same tags as one that was looked at is not looked at again."""
    with person(browser, base, name, width=390, dark=name in ("analyst", _BOSS)) as who:
        for path, one in _html(answers[name]).items():
            place = path if one.status_code == 200 else str(one.status_code)
            look = (place, " ".join(_TAG.findall(one.text)))
            if look in seen or one.status_code in (301, 302, 303):
                continue
            seen.add(look)
            who.go(path)
            who.fits()
            who.accessible()
            assert who.page.locator(_INSTEAD).count() == 0, path
        who.calm()


@pytest.fixture(scope="module")
def browser(made: tuple[World, Running]) -> Iterator[Any]:  # the server first: see `served`
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def seen() -> set[tuple[str, str]]:
    return set()


def test_every_form_refuses_who_brings_no_token(made: tuple[World, Running], base: str) -> None:
    wrong = []
    with signed_in(base, _BOSS) as client:
        for row in PAGES:
            if row.method != "POST" or row.where is Where.OPEN:
                continue
            path = re.sub(r"{\w+(:path)?}", made[0].project, row.path)
            for form in ({}, {"csrf": "x" * 43}):
                answer = client.post(path, data=form)
                if answer.status_code != 403 or "The form is of another session." not in answer.text:
                    wrong.append((path, answer.status_code))
        assert client.get("/settings").status_code == 200  # nor did any of them end the session
    assert wrong == []


def test_no_form_is_taken_from_a_page_elsewhere(base: str) -> None:
    for row in PAGES:
        if row.method == "POST" and row.where is Where.OPEN:
            answer = httpx.post(base + row.path, headers={"Origin": "http://evil.example"}, trust_env=False)
            assert answer.status_code == 403, row.path
