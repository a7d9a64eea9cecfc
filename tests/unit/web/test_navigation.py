"""Which entry of the menu a page is of."""

from __future__ import annotations

import pytest

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.web.navigation import navigation

LEAD = Access("lead", everywhere=frozenset(Permission))


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/findings", "Findings"),
        ("/scans/compare", "Scans"),
        ("/tokens", "Settings"),
        ("/settings/notices", "Settings"),
        ("/confirm", "Settings"),
        ("/members", "People"),
        ("/groups/1/members", "People"),
        ("/people/account", "People"),
        ("/projects/1/members", "Projects"),
        ("/rules/try", "Rules"),
        ("/tokens-of-others", None),
        ("/peoples", None),
        ("/nothing", None),
    ],
)
def test_each_page_is_of_one_entry(path: str, title: str | None) -> None:
    assert [one.title for one in navigation(LEAD, path) if one.here] == ([] if title is None else [title])


def test_who_may_see_nothing_has_what_everybody_has() -> None:
    assert [one.path for one in navigation(Access("nobody"), "/overview")] == ["/overview", "/settings"]
    assert navigation(None, "/overview") == []
