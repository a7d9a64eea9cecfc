"""Filters of templates."""

from __future__ import annotations

import pytest

from package_hunter.web.render import outline


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
