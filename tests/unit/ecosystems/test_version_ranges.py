"""Ranges as npm and poetry write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.ecosystems.version_ranges import allows

CASES = [
    (">=18", "18.0.0 20.1.0 24.19.0", "16.20.0"),
    ("^20 || >=22.1", "20.0.0 20.19.9 22.1.0 24.0.0", "21.0.0 22.0.9"),
    ("^18.12.0 || ^20.9.0", "18.12.0 20.20.2", "18.11.0 20.8.0 22.0.0"),
    ("18.x", "18.0.0 18.20.8", "19.0.0 17.9.0"),
    ("18", "18.20.8", "19.0.0"),
    ("1.2 - 2", "1.2.0 2.9.9", "1.1.9 3.0.0"),
    ("~3.11", "3.11.0 3.11.9", "3.12.0 3.10.9"),
    ("^3.12", "3.12.0 3.14.1", "3.11.9 4.0.0"),
    ("~3", "3.0.0 3.99.0", "4.0.0"),
    (">=3.10,<3.14", "3.10.0 3.13.9", "3.14.0 3.9.0"),
    (">=3.8, !=3.9.*", "3.8.0 3.10.0", "3.9.5"),
    (">16", "17.0.0", "16.9.9"),
    ("<=16", "16.9.9 12.0.0", "17.0.0"),
    ("> 16 < 20", "17.0.0 19.9.0", "16.5.0 20.0.0"),
    ("v20.1.0", "20.1.0", "20.1.1"),
    (">= 14.0.0-beta.1", "14.0.0", "13.0.0"),
    ("*", "1.0.0 99.0.0", ""),
    ("", "1.0.0", ""),
    ("3.12.*", "3.12.4", "3.13.0"),
    ("~=3.11", "3.11.0 3.13.0", "4.0.0 3.10.0"),
    ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
]


def numbers(text: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, one.split("."))) for one in text.split()]


@pytest.mark.parametrize(("text", "inside", "outside"), CASES)
def test_a_range_holds_what_its_tool_says(text: str, inside: str, outside: str) -> None:
    holds = allows(text)
    assert holds is not None
    assert [one for one in numbers(inside) if not holds(one)] == []
    assert [one for one in numbers(outside) if holds(one)] == []


@pytest.mark.parametrize("text", ["lts/*", ">=x<", "node >= 6", "1.2.3.4.5", ">>1", "9" * 600, "1.2 -", "&"])
def test_what_is_no_range_is_none(text: str) -> None:
    assert allows(text) is None


@given(st.text(alphabet="0123456789.xX*^~<>=! |-,v", max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    holds = allows(text)
    assert holds is None or isinstance(holds((3, 12, 1)), bool)
