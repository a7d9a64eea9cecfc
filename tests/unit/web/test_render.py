"""Filters of templates."""

from __future__ import annotations

import pytest

from package_hunter.web.render import outline, span


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [(0, "")]),
        ("a\n  - b\n    - c", [(0, "a"), (1, "- b"), (2, "- c")]),
        ("a\n\n   odd  ", [(0, "a"), (0, ""), (1, "odd")]),
        (" " * 10_000 + "deep", [(8, "deep")]),
        ("\t<b>\x1b", [(0, "\t<b>\x1b")]),
    ],
)
def test_lines_with_how_far_they_are_indented(text: str, lines: list[tuple[int, str]]) -> None:
    assert outline(text) == lines


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (14 * 86_400 - 5, "14 days"),
        (13 * 86_400 + 3_600, "13 days"),
        (86_400 - 60, "1 day"),
        (5 * 3_600 - 1, "5 hours"),
        (90, "2 minutes"),
        (20, "20 seconds"),
    ],
)
def test_what_is_ahead_is_told_to_the_nearest(seconds: float, told: str) -> None:
    assert span(seconds, nearest=True) == told


def test_what_is_past_is_told_in_full_units() -> None:
    assert span(14 * 86_400 - 5) == "13 days"
