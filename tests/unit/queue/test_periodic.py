"""Chores: each when it is due, one after the other, whatever becomes of the others."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.queue import periodic
from package_hunter.queue.periodic import Periodic, due, perform
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import ChoreRow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    settings = Settings(data_dir=tmp_path, min_free_bytes=0)
    prepare_folders(settings)
    made = Store(settings)
    made.migrate()
    yield made
    made.close()


def last(store: Store, name: str, done: int | None = None) -> ChoreRow | None:
    with store.write() as session:
        row = session.get(ChoreRow, name)
        if row is not None and done is not None:
            row.done = done
        return row


def chore(every: float, run: Callable[[], bool]) -> Periodic:
    return Periodic("x", every, run)


def test_it_is_done_when_its_time_has_come(store: Store) -> None:
    done: list[int] = []
    weekly = chore(7 * 86_400, lambda: bool(done.append(1)))
    stop = threading.Event()
    assert perform(store, weekly, stop)
    assert not perform(store, weekly, stop), "a restart does not repeat it"
    last(store, "x", now_ms() - 6 * 86_400_000)
    assert not due(store, weekly)
    last(store, "x", now_ms() - 8 * 86_400_000)
    assert perform(store, weekly, stop), "one that was missed is made up for"
    last(store, "x", now_ms() + 86_400_000)
    assert perform(store, weekly, stop), "a clock that was wrong does not put it off"
    assert len(done) == 3


def test_what_has_more_to_do_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "HASTE_SECONDS", 0.0)
    left = [True, True, False, True]
    perform(store, chore(60, lambda: left.pop(0)), threading.Event())
    assert left == [True]


def test_one_that_never_ends_leaves_the_others_their_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "HASTE_SECONDS", 0.0)
    monkeypatch.setattr(periodic, "MOST_SECONDS", 0.05)
    assert perform(store, chore(60, lambda: True), threading.Event())


def test_a_stop_is_heeded_between_steps(store: Store) -> None:
    stop = threading.Event()

    def run() -> bool:
        stop.set()
        return True

    assert perform(store, chore(60, run), stop)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (HostError("The mirror is down.", "Start it."), "The mirror is down. Start it."),
        (ValueError("secret"), "Package Hunter itself failed (ValueError)."),
    ],
)
def test_one_that_fails_is_told_and_tried_when_it_is_due(store: Store, error: Exception, said: str) -> None:
    def run() -> bool:
        if failing:
            raise error
        return False

    failing = True
    perform(store, chore(60, run), threading.Event())
    row = last(store, "x", 1)
    assert row is not None
    assert row.error == said
    failing = False
    perform(store, chore(60, run), threading.Event())
    row = last(store, "x")
    assert row is not None
    assert row.error is None


def test_the_runner_does_all_until_it_is_told_to_stop(store: Store) -> None:
    done = []

    def second() -> bool:
        done.append("second")
        os.kill(os.getpid(), signal.SIGTERM)
        return False

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    chores = [Periodic("first", 60, lambda: bool(done.append("first"))), Periodic("second", 60, second)]
    try:
        assert periodic.run(store, [*chores, Periodic("third", 60, lambda: bool(done.append("third")))]) == 0
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
    assert done == ["first", "second"]
