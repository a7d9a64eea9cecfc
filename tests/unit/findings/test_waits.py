"""What is waited for, in words."""

from __future__ import annotations

import math

import pytest

from package_hunter.findings.waits import duration, in_order, plain, waiting
from package_hunter.model.scan import Wait

LOCK = Wait("lock", None, math.inf, "futex")
LONG, SHORT = Wait("timer", 3_900.0, 3_900.0), Wait("timer", 1.0, 0.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.5, "0.5 s"),
        (1.0, "1 s"),
        (59.97, "1 min"),
        (90.0, "1 min 30 s"),
        (596.4, "10 min"),
        (600.0, "10 min"),
        (3_900.0, "1 h 5 min"),
        (1e9, "11574 d 1 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_next_timer_is_told_and_what_says_most_comes_first() -> None:
    assert waiting((LOCK, LONG, SHORT)) == "waiting for a timer of 1 s"
    assert in_order((LOCK, LONG, SHORT)) == [SHORT, LONG, LOCK]
    assert waiting((LOCK, LONG)) == "waiting for a timer with 1 h 5 min to go"
    assert waiting((LOCK, Wait("work", None, 0.0))) == "at work"
    assert waiting((LOCK, Wait("timer", None, 0.0))) == "waiting for a timer, whose length cannot be told"


@pytest.mark.parametrize("what", ["work", "signal", "unknown", "child", "data", "lock", "something new"])
def test_each_has_words(what: str) -> None:
    assert waiting((Wait(what, None, 0.0),))


def test_as_data() -> None:
    assert plain(LOCK) == {"for": "lock", "seconds": None, "call": "futex"}
