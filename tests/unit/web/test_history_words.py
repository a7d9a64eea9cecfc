"""Entries of the history as sentences."""

from __future__ import annotations

import json
from typing import Any

import pytest

from package_hunter.api.permits import PERMITS
from package_hunter.web.history_words import VERBS, told, values


def _entry(action: str, what: str = "ben", **more: Any) -> dict[str, Any]:
    usual = {"who": "ana", "project": None, "before": None, "after": None}
    return {"action": action, "object": what, **usual, **more}


def test_every_change_of_the_api_has_a_sentence() -> None:
    actions = {one.action for one in PERMITS if one.action is not None}
    assert actions - set(VERBS) == set()


@pytest.mark.parametrize(
    ("entry", "sentence", "href"),
    [
        (_entry("user.add"), "ana made the user ben", "/people/account?name=ben"),
        (_entry("session.add", "ana", after='{"method":"password"}'), "ana signed in  by password", None),
        (_entry("scan.cancel", "a/../b"), "ana cancelled the scan a/../b", "/scans/a%2F..%2Fb"),
        (_entry("scan.delete", "x"), "ana deleted the scan x", None),
        (_entry("proposal.approve", "proposal 7"), "ana approved proposal 7", "/proposals/7"),
        (_entry("proposal.approve", "proposal //evil"), "ana approved proposal //evil", "/proposals"),
        (
            _entry("member.add", project="11", after='{"role":"viewer","place":"web/shop"}'),
            "ana gave a role to ben : viewer in web/shop",
            "/projects/11/members",
        ),
        (
            _entry("proposal.reject", "proposal 5", after='{"state":"rejected"}'),
            "ana rejected proposal 5",
            "/proposals/5",
        ),
        (
            _entry("proposal.stale", "proposal 7", after='{"state":"stale"}'),
            "ana found out of date proposal 7",
            "/proposals/7",
        ),
        (
            _entry("finding.state", "ab", after='{"state":"false_positive"}'),
            "ana set the state of the finding ab to false positive",
            "/findings?fingerprint=ab",
        ),
        (_entry("thing-of.later"), "ana did “thing of: later” with ben", None),
        (_entry("user.add", "&name=x#"), "ana made the user &name=x#", "/people/account?name=%26name%3Dx%23"),
    ],
)
def test_a_sentence_and_its_page(entry: dict[str, Any], sentence: str, href: str | None) -> None:
    found = told(entry)
    said = f"{found.who} {found.verb} {found.object}" + (f" {found.tail}" if found.tail else "")
    assert (said, found.href) == (sentence, href)


@pytest.mark.parametrize("text", [None, "", "{", "[1]", "7", json.dumps("x")])
def test_what_is_no_object_says_nothing(text: str | None) -> None:
    assert values(text) == {}
    assert told(_entry("user.add", after=text)).tail == ""
