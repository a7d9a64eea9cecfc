"""What processes wait for, read from outside: programs of this machine, told to wait for long."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from package_hunter.model.scan import Wait
from package_hunter.sandbox.waiting import soonest, waits_of

_PATIENCE = 60.0  # for a program to start, on a machine that has much to do
_PYTHON = (sys.executable, "-I", "-S", "-c")
_BLOCKS = "import ctypes; libc = ctypes.CDLL(None); "


@contextlib.contextmanager
def waits(*argv: str, until: Callable[[tuple[Wait, ...]], bool]) -> Iterator[tuple[Wait, ...]]:
    """What a program waits for, once that is what the test is about."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        proc = os.open(f"/proc/{process.pid}", os.O_RDONLY | os.O_DIRECTORY)
        try:
            end = time.monotonic() + _PATIENCE
            while not until(found := waits_of(proc)) and time.monotonic() < end:
                time.sleep(0.05)
            yield found
        finally:
            os.close(proc)
            process.kill()


def call(name: str) -> Callable[[tuple[Wait, ...]], bool]:
    return lambda found: any(name in wait.call for wait in found)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import time; time.sleep(600)", "clock_nanosleep"),
        (f"{_BLOCKS}libc.sleep(600)", "nanosleep"),
        ("import select; select.poll().poll(600000)", "poll"),
        ("import select; select.epoll().poll(600)", "epoll"),
        ("import select; select.select([], [], [], 600)", "select"),
        ("import signal; signal.sigtimedwait([10], 600)", "rt_sigtimedwait"),
        ("import _thread; k = _thread.allocate_lock(); k.acquire(); k.acquire(timeout=600)", "futex"),
        (f"{_BLOCKS}fd = libc.timerfd_create(1, 0); v = (ctypes.c_long * 4)(0, 0, 600, 0); "
         "libc.timerfd_settime(fd, 0, v, None); libc.read(fd, v, 8)", "timerfd"),
    ],
)  # fmt: skip
def test_a_timer_is_read_with_its_length(code: str, name: str) -> None:
    with waits(*_PYTHON, code, until=call(name)) as found:
        (timer,) = [wait for wait in found if name in wait.call]
        assert timer.what == "timer" and timer.seconds is not None and 400 < timer.seconds <= 600
        assert 400 < soonest(found) <= 600


@pytest.mark.parametrize(
    ("code", "name", "what", "least"),
    [
        ("import sys; sys.stdin.read()", "read", "data", math.inf),
        ("import os; os.fork() or os.read(0, 1); os.wait()", "wait", "child", math.inf),
        ("import select; select.poll().poll()", "poll", "data", math.inf),
        ("import signal; signal.pause()", "", "signal", 0.0),
    ],
)
def test_what_has_no_timer(code: str, name: str, what: str, least: float) -> None:
    def there(found: tuple[Wait, ...]) -> bool:
        return any(wait.what == what and name in wait.call for wait in found)

    with waits(*_PYTHON, code, until=there) as found:
        assert there(found) and soonest(found) == least


@pytest.mark.parametrize(
    "code",
    [
        "import signal, time; signal.signal(14, print); signal.alarm(600); time.sleep(1000)",
        "import time\nwhile True: time.sleep(0.001)",
        "while True: pass",
    ],
)
def test_what_may_go_on_at_any_time_is_not_called_calm(code: str) -> None:
    def restless(found: tuple[Wait, ...]) -> bool:
        return any("sleep" in wait.call or wait.what == "work" for wait in found)

    with waits(*_PYTHON, code, until=restless) as found:
        assert soonest(found) == 0.0


def test_a_short_wait_in_a_loop_is_read_as_short() -> None:
    code = "import time\nwhile True: time.sleep(1)"
    with waits(*_PYTHON, code, until=call("sleep")) as found:
        assert soonest(found) <= 1.0


def test_pointers_to_nowhere_and_wild_numbers_are_no_error() -> None:
    syscall = f"{_BLOCKS}libc.syscall.argtypes = [ctypes.c_long] * 7\n"
    code = syscall + "while True: libc.syscall(271, 0, 0, 1, 0, 0, 0)"
    with waits(*_PYTHON, code, until=bool) as found:
        assert soonest(found) >= 0.0
    huge = f"{_BLOCKS}v = (ctypes.c_long * 2)(2**62, 0); libc.nanosleep(v, None)"
    with waits(*_PYTHON, huge, until=call("sleep")) as found:
        assert soonest(found) > 1e15


def test_a_process_that_has_gone_may_do_anything() -> None:
    process = subprocess.Popen(["true"])
    proc = os.open(f"/proc/{process.pid}", os.O_RDONLY | os.O_DIRECTORY)
    process.wait()
    try:
        assert soonest(waits_of(proc)) == 0.0
    finally:
        os.close(proc)


def test_many_threads_are_not_all_looked_at() -> None:
    code = (
        "import threading, time\n"
        "for _ in range(80): threading.Thread(target=time.sleep, args=(600,)).start()\n"
    )
    with waits(sys.executable, "-c", code, until=lambda found: len(found) > 64) as found:
        assert len(found) == 65 and soonest(found) == 0.0
