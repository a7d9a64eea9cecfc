"""What is kept of the times of a scan's steps."""

from __future__ import annotations

import time

import pytest

from package_hunter.watching.stopwatch import MAX_LAPS, OTHER, STEPS, Stopwatch


def test_a_step_is_kept_with_its_times_in_the_order_of_the_ends() -> None:
    watch = Stopwatch()
    with watch("install"), watch("import"):
        pass
    with watch("judge"):
        pass
    assert [lap.step for lap in watch.laps] == ["import", "install", "judge"]
    for lap in watch.laps:
        assert watch.began <= lap.begin <= lap.end <= watch.now()
        assert not lap.failed


def test_a_step_that_an_error_ends_is_kept_as_such_and_the_error_goes_on() -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"), watch("fetch"):
        raise ValueError("no")
    assert [(lap.step, lap.failed) for lap in watch.laps] == [("fetch", True)]


@pytest.mark.parametrize("name", ["", "fetch\nx", "evil" * 1000, "../fetch", "FETCH"])
def test_a_name_that_is_none_of_ours_is_another_step(name: str) -> None:
    watch = Stopwatch()
    with watch(name):
        pass
    assert [lap.step for lap in watch.laps] == [OTHER]


def test_no_more_steps_are_kept_than_an_honest_scan_has() -> None:
    watch = Stopwatch()
    for _ in range(MAX_LAPS + 50):
        with watch(STEPS[0]):
            pass
    assert len(watch.laps) == MAX_LAPS


def test_a_clock_that_jumps_makes_no_step_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Stopwatch()
    with watch("box"):
        monkeypatch.setattr(time, "time_ns", lambda: watch.began + 86_400 * 10**9)
    assert watch.laps[0].seconds < 3_600
