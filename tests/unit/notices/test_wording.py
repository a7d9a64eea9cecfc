"""What people read."""

from __future__ import annotations

import pytest

from package_hunter.notices.outbox import Event
from package_hunter.notices.wording import plain_text, sentences, title
from tests.support.receivers import HOSTILE, hostile_message, message


def test_all_that_is_asked_of_a_notice() -> None:
    assert plain_text(message()).splitlines() == [
        "What happened: A package read a token and sent it away.",
        "Who did it: left-pad 1.3.0, in its preinstall script",
        "How we know: The fake token was seen in a request to a host that is not its owner's.",
        "What to do: Do not install it; rotate npm tokens.",
        "Where to look: https://hunter.example/api/v1/scans/1",
        "",
        "2026-11-30 12:00 UTC, notice msg_0123456789abcdef",
    ]


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_a_title(event: Event) -> None:
    assert title(message(event)).startswith("Package Hunter: ")
    assert title(message(event)).endswith("in web/shop")


def test_what_is_not_said_has_no_line() -> None:
    assert [label for label, _ in sentences(message(who="", how=""))] == [
        "What happened",
        "What to do",
        "Where to look",
    ]


def test_hostile_text_is_shown_as_what_it_is() -> None:
    for _, text in sentences(hostile_message())[:4]:
        assert text.isprintable()
        for sign in ("\\u202e", "\\u200b", "\\x1b", "\\x00", "\\x0d\\x0a", "\\ud800"):
            assert sign in text
        assert "https://evil.example" not in text
        assert "hxxps://evil[.]example/steal" in text
        assert "www.evil.example" not in text


def test_long_text_is_cut_and_says_so() -> None:
    (_, text), *_ = sentences(message(what=HOSTILE * 100))
    assert len(text) < 6_000
    assert "more characters" in text
