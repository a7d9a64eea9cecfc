"""Time stands by for an answer, and for no longer than that."""

from __future__ import annotations

from collections.abc import Callable, Collection
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


def pacer(monkeypatch: pytest.MonkeyPatch, *inodes: int, at_work: Collection[int] = ()) -> Any:
    monkeypatch.setattr(connections, "under_way", lambda pid: frozenset(inodes))
    return Pacer(FakePage(), 1, lambda: at_work)  # type: ignore[arg-type]


def run_until(one: Any, enough: Callable[[list[int]], bool]) -> list[int]:
    """The paces that it set until then."""
    with one:
        while not enough(one._page.rates):
            pass
    rates: list[int] = one._page.rates
    return rates


def test_with_nothing_under_way_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not pacer(monkeypatch)._waits_for_an_answer(0.0)


def test_one_connection_holds_it_for_a_few_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pacer(monkeypatch, 5)
    assert [one._waits_for_an_answer(now) for now in (0.0, 5.9, 6.1, 100.0)] == [True, True, False, False]
    monkeypatch.setattr(connections, "under_way", lambda pid: frozenset({5, 6}))
    assert one._waits_for_an_answer(101.0), "another one is under way"


def test_what_works_holds_it_for_a_few_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = {7}
    one = pacer(monkeypatch, at_work=busy)
    assert [one._works(passed) for passed in (0.0, 2.9, 0.2, 9.0)] == [True, True, False, False]
    busy.add(8)
    assert one._works(0.1), "another process is at work"


def test_many_one_after_the_other_do_not_stop_time(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pacer(monkeypatch, 5, at_work=(7,))
    one.held = 12.1
    assert run_until(one, bool)[0] == RATE


@pytest.mark.parametrize(("inodes", "at_work"), [((5,), ()), ((), (7,))])
def test_time_is_held_for_either(
    monkeypatch: pytest.MonkeyPatch, inodes: tuple[int, ...], at_work: tuple[int, ...]
) -> None:
    assert run_until(pacer(monkeypatch, *inodes, at_work=at_work), bool)[0] == 1


def test_the_pace_is_that_of_time_again_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = run_until(pacer(monkeypatch), bool)
    assert rates[0] == RATE and rates[-1] == 1
