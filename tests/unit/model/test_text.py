"""Text in sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.model.text import shortened, visible


@given(st.text(max_size=50), st.integers(1, 60))
def test_no_name_is_longer_than_asked_and_a_short_one_is_itself(text: str, most: int) -> None:
    found = shortened(text, most)
    assert found == text if len(text) <= most else found.startswith(text[:most])
    assert len(found) <= most + 20


def test_it_says_how_long_it_was() -> None:
    assert shortened("a" * 100_000, 3) == "aaa… (100000 characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a\\u202eb"),
        ("\u2066x\u200b\ufeff", "\\u2066x\\u200b\\ufeff"),
        ("\x1b[2J\x00\r", "\\x1b[2J\\x00\\x0d"),
        ("a\u3164\ufe0f\U000e0101\u2800", "a\\u3164\\ufe0f\\U000e0101\\u2800"),
        ("\U000e0041\ud800", "\\U000e0041\\ud800"),
        ("grün, 漢字, é", "grün, 漢字, é"),
    ],
)
def test_what_nobody_sees_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(max_size=50))
def test_nothing_is_left_that_moves_a_terminal(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(text, keep="\n").replace("\n", "").isprintable()
