"""A command's own last words: few lines, all of them fit to be shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.ecosystems.reasons import last_words
from package_hunter.ecosystems.reasons.words import MAX_LINE, MAX_LINES


def test_the_last_forty_lines_are_kept() -> None:
    assert last_words("\n".join(f"line {n}" for n in range(100))) == tuple(
        f"line {n}" for n in range(60, 100)
    )


def test_what_a_terminal_would_not_show_is_left_out() -> None:
    assert last_words("\x1b[31mred\x1b[0m\n\x1b]0;title\x07x\n10 %\r100 %\nab\x08c\n\n  \n") == (
        "red", "x", "100 %", "ac",
    )  # fmt: skip


def test_what_hides_or_reorders_is_shown_as_blanks() -> None:
    (line,) = last_words("a\u202eb\x00c\u200bd\ud800e")
    assert line == "a b c d e"


def test_passwords_in_addresses_are_left_out() -> None:
    (line,) = last_words("Looking in indexes: https://user:secret@index.example/simple")
    assert line == "Looking in indexes: https://…@index.example/simple"


@given(st.text())
def test_any_text_gives_few_printable_lines(text: str) -> None:
    found = last_words(text)
    assert len(found) <= MAX_LINES
    assert all(line.isprintable() and 0 < len(line) <= MAX_LINE + 1 for line in found)
