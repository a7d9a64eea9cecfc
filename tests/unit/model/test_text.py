"""Text in sentences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.model.text import shortened


@given(st.text(max_size=50), st.integers(1, 60))
def test_no_name_is_longer_than_asked_and_a_short_one_is_itself(text: str, most: int) -> None:
    found = shortened(text, most)
    assert found == text if len(text) <= most else found.startswith(text[:most])
    assert len(found) <= most + 20


def test_it_says_how_long_it_was() -> None:
    assert shortened("a" * 100_000, 3) == "aaa… (100000 characters)"
