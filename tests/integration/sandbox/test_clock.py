"""Programs under the library that hurries time, on this machine: each waits for ten minutes, and ends soon.

Nothing is said of how soon: each test waits until the program has ended, within a limit that is far from ten minutes,
and asks what the program itself believes.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.sandbox import leftover
from package_hunter.sandbox.base import CgroupPaths
from package_hunter.sandbox.clock import build
from package_hunter.sandbox.clock.pacer import Pacer
from package_hunter.sandbox.clock.page import Page, at_rest
from package_hunter.sandbox.waitcalls import calls
from tests.support.requires import needs_program

_LIMIT = 240.0  # seconds; far from the 600 that each waits, and enough for a machine with much to do
_FAST = 1_200  # ten minutes in half a second: tests are not to last longer than they must
_PYTHON = (sys.executable, "-I", "-S", "-c")
_NUMBERS = {call.name: number for number, call in calls().items()}
_CONDITION = r"""
#include <pthread.h>
#include <stdio.h>
#include <time.h>
int main(void)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c;
    pthread_condattr_t a;
    struct timespec t;
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&c, &a);
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += 600;
    pthread_mutex_lock(&m);
    puts("600");
    fflush(stdout);
    while (pthread_cond_timedwait(&c, &m, &t) == 0)
        ;
    puts("601");
    return 0;
}
"""


class Hurried:
    def __init__(self, library: Path, file: Path) -> None:
        self.library, self.file = library, file
        self.file.write_bytes(at_rest())
        self.page = Page(self.file)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        env = {**os.environ, "LD_PRELOAD": str(self.library)}
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ends(self, *argv: str, before: Callable[[], None] = lambda: None) -> str:
        """What a program says. It is started at rest, and hurried when it has said a word."""
        with self.start(*argv) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            before()
            self.page.set(_FAST)
            try:
                said, _ = process.communicate(timeout=_LIMIT)
            finally:
                process.kill()
            assert process.returncode == 0
            return first + said


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The library and the page that it reads."""
    needs_program("clang")
    folder = tmp_path_factory.mktemp("clock")
    return build.library_path(folder, str(folder / "page")), folder / "page"


@pytest.fixture
def hurried(library: tuple[Path, Path]) -> Iterator[Hurried]:
    made = Hurried(*library)
    yield made
    made.page.close()


@pytest.mark.parametrize(
    "code",
    [
        "time.sleep(600)",
        "for _ in range(600): time.sleep(1)",
        "import select; select.poll().poll(600000)",
        "import select; select.select([], [], [], 600)",
        "import select; select.epoll().poll(600)",
        "import signal; signal.sigtimedwait([10], 600)",
        "import threading; threading.Event().wait(600)",
        "import threading; t = threading.Timer(600, int); t.start(); t.join()",
        "import signal; signal.signal(14, lambda *_: 0); signal.alarm(600); signal.pause()",
        "import signal; signal.signal(14, lambda *_: 0); signal.setitimer(0, 600); signal.pause()",
        "import signal as s; s.pthread_sigmask(0, [14]); s.setitimer(0, 600); s.sigwait([14])",
        "import signal as s; s.pthread_sigmask(0, [14]); s.setitimer(0, 300, 300); s.sigwait([14]); s.sigwait([14])",
        "import ctypes as c; v = (c.c_long * 2)(600, 0); c.CDLL(None).syscall({futex}, c.byref(c.c_int(0)), 128, 0, v)",
        "import ctypes as c; v = (c.c_long * 2)(int(time.monotonic()) + 600, 10**9 - 1);"
        "c.CDLL(None).syscall({futex}, c.byref(c.c_int(0)), 137, 0, v, None, -1)",
        "import ctypes as c; v = (c.c_long * 2)(600, 0); c.CDLL(None).syscall({nanosleep}, v, None)",
        "import ctypes as c; v = (c.c_long * 2)(600, 0); c.CDLL(None).syscall({clock_nanosleep}, 1, 0, v, None)",
        "import ctypes as c, signal as s; l = c.CDLL(None); s.pthread_sigmask(0, [14]); t = c.c_void_p();"
        "l.timer_create(1, None, c.byref(t)); v = (c.c_long * 4)(0, 0, 600, 0);"
        "l.timer_settime(t, 0, v, None); s.sigwait([14])",
        "import asyncio; asyncio.run(asyncio.sleep(600))",
        "while time.time() < begun + 600: pass",
    ],
)
def test_ten_minutes_pass_for_python(hurried: Hurried, code: str) -> None:
    for name, number in _NUMBERS.items():
        code = code.replace(f"{{{name}}}", str(number))
    program = f"import time; begun = time.time(); print(1, flush=True)\n{code}\nprint(time.time() - begun)"
    _, passed = hurried.ends(*_PYTHON, program).split()
    assert 599 < float(passed) < 599 + _FAST * _LIMIT


def test_they_pass_for_a_condition_of_the_other_clock_and_kernel_timers(
    hurried: Hurried, tmp_path: Path
) -> None:
    source, program = tmp_path / "c.c", tmp_path / "c"
    source.write_text(_CONDITION)
    subprocess.run(["clang", "-pthread", "-o", program, source], check=True)
    assert hurried.ends(str(program)).split() == ["600", "601"]
    timerfd = (
        "import ctypes; c = ctypes.CDLL(None); fd = c.timerfd_create(1, 0); v = (ctypes.c_long * 4)(0, 0, 600, 0);"
        "c.timerfd_settime(fd, 0, v, None); print(1, flush=True); c.read(fd, v, 8); print(v[0])"
    )
    assert hurried.ends(*_PYTHON, timerfd).split() == ["1", "1"]


def test_they_pass_for_node_and_a_shell(hurried: Hurried) -> None:
    assert hurried.ends("sh", "-c", "echo 1; sleep 600; timeout 600 tail -f /dev/null; echo $?") == "1\n124\n"
    if shutil.which("node"):
        code = "console.log(1); const t = Date.now(); setTimeout(() => console.log(Date.now() - t), 600000)"
        _, passed = hurried.ends("node", "-e", code).split()
        assert int(passed) >= 599_000
        code = (
            "console.log(1); const t = Date.now(); const a = new Int32Array(new SharedArrayBuffer(4));"
            "Atomics.wait(a, 0, 0, 600000); console.log(Date.now() - t)"
        )
        _, passed = hurried.ends("node", "-e", code).split()
        assert int(passed) >= 599_000


def test_at_rest_nothing_is_changed_and_errors_stay_errors(hurried: Hurried) -> None:
    code = (
        "import ctypes, errno, os, time, signal, select\n"
        "c = ctypes.CDLL(None, use_errno=True); v = (ctypes.c_long * 2)(0, -1)\n"
        "assert c.nanosleep(v, None) == -1 and ctypes.get_errno() == errno.EINVAL\n"
        "assert c.clock_nanosleep(0, 0, v, None) == errno.EINVAL\n"
        "t = c.timerfd_create(1, 0); v = (ctypes.c_long * 4)(0, 0, 100, 0)\n"
        "assert c.timerfd_settime(t, 0, v, None) == 0 and c.timerfd_settime(-1, 0, v, None) == -1\n"
        "assert signal.alarm(50) == 0 and 49 <= signal.alarm(0) <= 50\n"
        "assert select.select([], [], [], 0) == ([], [], []) and select.poll().poll(0) == []\n"
        "r, w = os.pipe(); os.write(w, b'x')\n"
        "assert select.select([r], [w], [], 600) == ([r], [w], [])\n"
        "assert abs(time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)) < 60\n"
        "print('right')"
    )
    with hurried.start(*_PYTHON, code) as process:
        assert process.communicate(timeout=_LIMIT)[0] == "right\n"


@pytest.mark.parametrize(
    "code",
    [
        "import signal; signal.pthread_sigmask(0, [14]); signal.alarm(600); print(1, flush=True); signal.sigwait([14])",
        "import ctypes; c = ctypes.CDLL(None); v = (ctypes.c_long * 4)(0, 0, 600, 0); fd = c.timerfd_create(1, 0)\n"
        "c.timerfd_settime(fd, 0, v, None); print(1, flush=True); c.read(fd, v, 8)",
    ],
)
def test_a_timer_goes_off_though_its_time_was_over_before_it_could_be_set_anew(
    hurried: Hurried, code: str
) -> None:
    """The program is stopped while the pace changes, as a busy machine does to it, and its ten minutes go by."""

    def stopped(process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGSTOP)
        hurried.page.set(1_000_000)
        threading.Event().wait(0.05)
        hurried.page.set(1)
        process.send_signal(signal.SIGCONT)

    with hurried.start(*_PYTHON, code) as process:
        assert process.stdout is not None and process.stdout.readline()
        stopped(process)
        assert process.wait(_LIMIT) == 0


def test_a_signal_still_interrupts(hurried: Hurried) -> None:
    code = (
        "import signal, time, sys\n"
        "signal.signal(10, lambda *_: sys.exit(print('heard')))\n"
        "print(1, flush=True); time.sleep(1e9)"
    )
    with hurried.start(*_PYTHON, code) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(10)
        assert process.communicate(timeout=_LIMIT)[0] == "heard\n"


def test_an_answer_of_half_a_second_comes_in_time(hurried: Hurried, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits ten seconds would at that pace have given up: while it is connected, time is held. The
    address is this machine's own, so that it counts as outside here, which loopback does not."""
    from package_hunter.sandbox import connections

    monkeypatch.setattr(connections, "_is_loopback", lambda remote: False)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(10)
                threading.Event().wait(0.5)
                client.sendall(b"answer")

        threading.Thread(target=answer, daemon=True).start()
        code = (
            "import socket, time\n"
            "print(1, flush=True); input()\n"
            f"s = socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=30)\n"
            "s.sendall(b'x'); print(s.recv(10).decode())"
        )
        with hurried.start(*_PYTHON, code) as process, Pacer(hurried.page, os.getpid(), tuple):
            assert process.communicate("\n", timeout=_LIMIT)[0] == "1\nanswer\n"


def test_a_child_that_works_ends_before_its_time_is_over(hurried: Hurried, tmp_path: Path) -> None:
    """Who gives a child sixteen seconds would at that pace end it after a quarter of one: while it works, time is
    held. What it works is more than that quarter on any machine, as it goes by its own processor time."""
    code = (
        "import subprocess, sys; print(1, flush=True); input()\n"
        "work = 'import time\\nwhile time.process_time() < 0.5: pass\\nprint(601)'\n"
        "subprocess.run([sys.executable, '-I', '-S', '-c', work], timeout=16)"
    )
    groups = CgroupPaths(None, None, tmp_path)
    with hurried.start(*_PYTHON, code) as process:

        def at_work() -> list[int]:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            (tmp_path / "cgroup.procs").write_text(f"{process.pid} {children}")
            return leftover.at_work(groups, process.pid)

        with Pacer(hurried.page, os.getpid(), at_work):
            assert process.communicate("\n", timeout=_LIMIT)[0] == "1\n601\n"
        assert process.returncode == 0


def test_without_its_file_the_library_changes_nothing(hurried: Hurried) -> None:
    hurried.file.unlink()
    hurried.page.set(_FAST)
    code = "import time; print(time.clock_gettime(0) > 0)"
    with hurried.start(*_PYTHON, code) as process:
        assert process.communicate(timeout=_LIMIT)[0] == "True\n"
