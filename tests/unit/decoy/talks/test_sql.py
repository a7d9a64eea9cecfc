from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.talks.sql import bare, placeholders, statements


def test_semicolons_in_quotes_and_comments_end_nothing() -> None:
    text = b"""a ';' ";" `;` ; /* ; */ b -- ;
    ; $x$ ; $x$ c;; d '' ' '"""
    assert [bare(one) for one in statements(text)] == ["A ';' \";\" `;`", "B", "$X$ ; $X$ C", "D '' ' '"]


@given(st.text(alphabet="ab'\"`;$-/*\\? \n"))
def test_any_text_is_read(text: str) -> None:
    assert all(statements(text.encode())) and 0 <= placeholders(text.encode()) <= len(text)


def test_no_text_takes_long() -> None:
    for piece in (b"$a", b"'", b"/*", b"--", b"$x$", b'"', b"\\'", b"'\\"):
        statements(piece * 30_000)
