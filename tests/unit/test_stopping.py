"""A scan is broken off where it waits, and nowhere else."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from package_hunter import stopping
from package_hunter.stopping import ScanStopped, breakable


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, lambda *_: stopping.ask())
    stopping.begin()
    yield
    stopping.begin()
    signal.signal(signal.SIGUSR1, before)


def _ask_soon() -> threading.Timer:
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    return timer


def test_a_wait_ends_at_once() -> None:
    timer = _ask_soon()
    with pytest.raises(ScanStopped), breakable():
        time.sleep(60)
    timer.join()
    assert not stopping.asked()


def test_what_is_no_wait_is_not_torn_apart() -> None:
    timer, done = _ask_soon(), False
    time.sleep(0.3)  # as a mount, or clean-up, would take
    done = True
    timer.join()
    assert done and stopping.asked()
    with pytest.raises(ScanStopped), breakable():
        pytest.fail("the next wait is not begun")


def test_once_only_so_that_clean_up_can_wait() -> None:
    timer = _ask_soon()
    try:
        with breakable():
            time.sleep(60)
    except ScanStopped:
        with breakable():  # of clean-up
            time.sleep(0.01)
    timer.join()


def test_a_wait_within_a_wait() -> None:
    with breakable():
        with breakable():
            time.sleep(0)
        timer = _ask_soon()
        with pytest.raises(ScanStopped):
            time.sleep(60)
    timer.join()


def test_a_new_scan_knows_nothing_of_what_the_last_one_was_asked() -> None:
    stopping.ask()
    stopping.begin()
    with breakable():
        time.sleep(0)
