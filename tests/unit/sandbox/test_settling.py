"""How long a box is watched: no longer than anything may happen in it, and no longer than the budget."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from package_hunter.model.scan import Wait
from package_hunter.sandbox import connections, leftover, settling, waiting
from package_hunter.sandbox.base import CgroupPaths

GROUPS = CgroupPaths(None, None, Path("/nonexistent"))


class World:
    """A box whose clock moves only while it is waited for."""

    def __init__(
        self, ends: float = math.inf, waits: Any = lambda now: math.inf, connected: float = 0.0
    ) -> None:
        self.now, self.ends, self.waits, self.connected = 0.0, ends, waits, connected

    def living(self, groups: CgroupPaths, init_pid: int, own: Collection[int] = ()) -> list[int]:
        return [7] if self.now < self.ends else []

    @contextlib.contextmanager
    def opened(
        self, groups: CgroupPaths, init_pid: int, own: Collection[int] = ()
    ) -> Iterator[Mapping[int, int]]:
        yield {7: 3}

    def waits_of(self, proc: int) -> tuple[Wait, ...]:
        return (Wait("timer", None, self.waits(self.now)),)

    def under_way(self, init_pid: int) -> frozenset[int]:
        return frozenset({1}) if self.now < self.connected else frozenset()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def watched(monkeypatch: pytest.MonkeyPatch, world: World, seconds: float = 30.0) -> tuple[bool, float]:
    """Whether all had ended, and after how many seconds."""
    monkeypatch.setattr(settling.time, "monotonic", world.monotonic)
    monkeypatch.setattr(settling.time, "sleep", world.sleep)
    monkeypatch.setattr(leftover, "living", world.living)
    monkeypatch.setattr(leftover, "opened", world.opened)
    monkeypatch.setattr(waiting, "waits_of", world.waits_of)
    monkeypatch.setattr(connections, "under_way", world.under_way)
    return settling.watch(GROUPS, 1, seconds), world.now


def test_nothing_left_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, World(ends=0.0)) == (True, 0.0)
    ended, seconds = watched(monkeypatch, World(ends=0.1))
    assert ended and seconds < 0.2


def test_what_comes_later_than_the_budget_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for world in (World(), World(waits=lambda now: 600 - now)):
        ended, seconds = watched(monkeypatch, world)
        assert not ended and seconds < 1.0


def test_quiet_is_no_reason_to_stop_while_a_timer_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, seconds = watched(monkeypatch, World(ends=20.0, waits=lambda now: 20 - now))
    assert ended and 20 <= seconds < 20.5
    ended, seconds = watched(monkeypatch, World(waits=lambda now: 0.0))
    assert not ended and 30 <= seconds < 30.5


def test_one_calm_look_may_be_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = itertools.cycle((math.inf, 0.0))
    ended, seconds = watched(monkeypatch, World(waits=lambda now: next(turns)))
    assert not ended and seconds >= 30


def test_an_answer_may_still_come(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, seconds = watched(monkeypatch, World(connected=10.0))
    assert not ended and 10 <= seconds < 11


def test_no_budget_is_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, World(), 0.0) == (False, 0.0)
