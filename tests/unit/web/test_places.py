"""Where something may be proposed, as forms offer it."""

from __future__ import annotations

from package_hunter.web import places

FOUND = [
    ("everywhere", "everywhere"),
    *((f"project:{number}", f"project web/p{number}") for number in range(500)),
]


def test_a_form_offers_so_many_and_what_is_chosen() -> None:
    some = places.shown(FOUND, "project:3")
    assert len(some) == 100 and some == FOUND[:100]
    far = places.shown(FOUND, "project:400")
    assert far == [*FOUND[:100], ("project:400", "project web/p400")]


def test_what_is_chosen_and_none_of_them_is_not_offered() -> None:
    assert places.shown(FOUND[:3], "project:400") == FOUND[:3]
    assert places.shown([], "everywhere") == []
