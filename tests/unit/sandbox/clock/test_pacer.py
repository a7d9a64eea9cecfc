"""Time stands by for an answer, and for no longer than that."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.sandbox import connections
from package_hunter.sandbox.clock.pacer import RATE, Pacer


class FakePage:
    def __init__(self) -> None:
        self.rate = 1
        self.rates: list[int] = []

    def set(self, rate: int) -> None:
        self.rate = rate
        self.rates.append(rate)


def pacer(monkeypatch: pytest.MonkeyPatch, *inodes: int) -> Any:
    monkeypatch.setattr(connections, "under_way", lambda pid: frozenset(inodes))
    return Pacer(FakePage(), 1)  # type: ignore[arg-type]


def test_with_nothing_under_way_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not pacer(monkeypatch)._waits_for_an_answer(0.0)


def test_one_connection_holds_it_for_a_few_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pacer(monkeypatch, 5)
    assert [one._waits_for_an_answer(now) for now in (0.0, 5.9, 6.1, 100.0)] == [True, True, False, False]
    monkeypatch.setattr(connections, "under_way", lambda pid: frozenset({5, 6}))
    assert one._waits_for_an_answer(101.0), "another one is under way"


def test_many_connections_one_after_the_other_do_not_stop_time(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pacer(monkeypatch, 5)
    one.held = 20.1
    assert not one._waits_for_an_answer(0.0)


def test_the_pace_is_that_of_time_again_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    page = FakePage()
    monkeypatch.setattr(connections, "under_way", lambda pid: frozenset())
    with Pacer(page, 1):  # type: ignore[arg-type]
        while not page.rates:
            pass
    assert page.rates[0] == RATE and page.rate == 1
