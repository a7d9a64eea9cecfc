"""Who had a pid when: intervals, reuse, and what nobody had."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.model.observation import Process
from package_hunter.model.processes import END_SLACK_NS, START_SLACK_NS, Pids
from package_hunter.model.scan import Command, CommandRun

SECOND = 1_000_000_000


def _process(key: int, started: int, ended: int | None, pid: int = 7) -> Process:
    return Process(key, None, pid, pid, "p", "/p", "p", "/", 1000, started, ended, None)


def test_a_pid_that_is_used_again_belongs_to_who_has_it_then() -> None:
    pids = Pids([_process(2, 20 * SECOND, None), _process(1, 10 * SECOND, 15 * SECOND)])
    assert [p and p.key for p in (pids.process_at(7, s * SECOND) for s in (10, 14, 20, 99))] == [1, 1, 2, 2]


def test_what_nobody_had_is_unknown() -> None:
    pids = Pids([_process(1, 10 * SECOND, 15 * SECOND), _process(2, 40 * SECOND, 41 * SECOND)])
    assert pids.process_at(8, 10 * SECOND) is None  # no such pid
    assert pids.process_at(7, 5 * SECOND) is None  # before the first
    assert pids.process_at(7, 25 * SECOND) is None  # between two
    assert pids.process_at(7, 50 * SECOND) is None  # after the last


def test_clocks_beside_the_events_do_not_make_a_process_unknown() -> None:
    pids = Pids([_process(1, 10 * SECOND, 15 * SECOND)])
    assert pids.process_at(7, 10 * SECOND - START_SLACK_NS) is not None
    assert pids.process_at(7, 10 * SECOND - START_SLACK_NS - 1) is None
    assert pids.process_at(7, 15 * SECOND + END_SLACK_NS - 1) is not None
    assert pids.process_at(7, 15 * SECOND + END_SLACK_NS) is None


def test_a_new_owner_ends_the_slack_of_the_old_one() -> None:
    pids = Pids([_process(1, 10 * SECOND, 15 * SECOND), _process(2, 15 * SECOND, None)])
    found = pids.process_at(7, 15 * SECOND)
    assert found is not None
    assert found.key == 2


def test_a_command_s_first_process_is_the_one_whose_start_is_nearest() -> None:
    pids = Pids([_process(1, 10 * SECOND, 15 * SECOND), _process(2, 20 * SECOND, None)])
    run = CommandRun("install", "", Command(("true",), "/"), 7, 19 * SECOND, 30 * SECOND, 0, "")
    found = pids.first_of(run)
    assert found is not None
    assert found.key == 2
    assert pids.first_of(run, but={2}) is None
    assert pids.first_of(replace(run, pid=8)) is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=8), st.integers(-5, 80))
def test_the_answer_had_the_pid_and_was_the_last_to_get_it(spans: list[tuple[int, int]], at: int) -> None:
    made = [_process(i, a * SECOND, (a + d) * SECOND) for i, (a, d) in enumerate(spans)]
    found = Pids(made).process_at(7, at * SECOND)
    started = [p for p in made if p.started_ns <= at * SECOND]
    if found is not None:
        assert found.started_ns == max(p.started_ns for p in started)
        assert found.ended_ns is not None
        assert at * SECOND < found.ended_ns + END_SLACK_NS
    else:  # nobody at all, or of those that started last one at least was gone
        last = [p for p in started if p.started_ns == max(q.started_ns for q in started)]
        assert not last or any(p.ended_ns is not None and p.ended_ns < at * SECOND for p in last)
