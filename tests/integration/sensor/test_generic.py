# ruff: noqa: E501  (a table of calls)
"""Calls that Falco's schema only names: our own parameter tells their result and arguments. Each is made to fail,
and to succeed where that does a test's host no harm."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
from pathlib import Path
from typing import Any

import pytest

from package_hunter.model.event import Extra
from package_hunter.sensor import table
from package_hunter.sensor.calls import GENERIC
from package_hunter.sensor.live import Probe
from tests.support.sensor_seen import LIBC, Sighting, run, syscall

HERE = [n for n in GENERIC if table.syscalls()[n].number(platform.machine()) is not None]
BAD = -1


def _calls(seen: list[Sighting]) -> dict[int, list[tuple[int, tuple[int, ...]]]]:
    """System call number -> (result, arguments) of each time."""
    found: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for event in seen:
        if event.name == "syscall" and Extra.CALL in event.extra:
            result, *arguments = struct.unpack("<q6Q", event.extra[Extra.CALL])
            found.setdefault(event.args["nativeID"], []).append((result, tuple(arguments)))
    return found


def test_each_fails_with_its_arguments_and_result(probe: Probe) -> None:
    results: dict[str, int] = {}
    reading, writing = os.pipe()

    def code() -> None:
        os.setsid()  # no terminal to hang up
        for name in HERE:
            results[name] = syscall(name, *[BAD] * 6)
        os.write(writing, repr(results).encode())

    calls = _calls(run(probe, code))
    results = eval(os.read(reading, 1 << 16), {"__builtins__": {}})
    os.close(reading)
    os.close(writing)
    whole = (1 << 64) - 1
    wrong = {}
    for name in HERE:
        seen = calls.get(table.syscalls()[name].number(platform.machine()) or 0, [])
        if (results[name], (whole,) * 6) not in seen:
            wrong[name] = (results[name], seen)
    assert not wrong
    assert sum(r < 0 for r in results.values()) > len(HERE) - 8  # the others take any argument


def _text(value: bytes) -> Any:
    return ctypes.create_string_buffer(value)


def _successes(folder: Path) -> list[tuple[str, list[Any]]]:
    """Calls that succeed, in this order; the folder holds a file `f`."""
    f = _text(os.fsencode(folder / "f"))
    long = ctypes.create_string_buffer(64)
    mask = ctypes.create_string_buffer(b"\x03", 8)
    fd = os.open(folder / "f", os.O_RDWR)
    _, writing = os.pipe()
    notify = LIBC.inotify_init()
    times = ctypes.create_string_buffer(struct.pack("<4q", 1, 0, 1, 0))
    word = _text(b"value")
    iov = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(word), 5))
    return [
        ("truncate", [f, 10]), ("ftruncate", [fd, 20]), ("fallocate", [fd, 0, 0, 4096]),
        ("utime", [f, None]), ("utimes", [f, None]), ("utimensat", [-100, f, times, 0]), ("futimesat", [-100, f, None]),
        ("fsopen", [_text(b"tmpfs"), 0]), ("open_tree", [-100, _text(b"/tmp"), 0]),
        ("personality", [0]), ("setgroups", [0, None]), ("setfsuid", [0]), ("setfsgid", [0]),
        ("setpriority", [0, 0, 0]), ("sched_setaffinity", [0, 8, mask]), ("vmsplice", [writing, iov, 1, 0]),
        ("inotify_add_watch", [notify, f, 2]), ("kcmp", [os.getpid(), os.getpid(), 1, 0, 0]),
        ("pidfd_send_signal", [os.pidfd_open(os.getpid()), 0, None, 0]), ("syslog", [10, None, 0]),
        ("settimeofday", [None, None]), ("adjtimex", [ctypes.create_string_buffer(208)]),
        ("io_setup", [4, long]), ("msgget", [0, 0o600]), ("shmget", [0, 4096, 0o600]),
        ("mq_open", [_text(b"sensor-test"), os.O_CREAT | os.O_RDWR, 0o600, None]), ("mq_unlink", [_text(b"sensor-test")]),
        ("landlock_create_ruleset", [None, 0, 1]), ("memfd_secret", [0]),
        ("rt_sigqueueinfo", [os.getpid(), signal.SIGCHLD, ctypes.create_string_buffer(struct.pack("<iii", 17, 0, -1), 128)]),
        ("fanotify_init", [0, 0]), ("sethostname", [_text(b"inner"), 5]), ("setdomainname", [_text(b"inner"), 5]),
        ("iopl", [0]), ("ioperm", [0x80, 1, 0]), ("vhangup", []),
    ]  # fmt: skip


@pytest.mark.skipif(platform.machine() != "x86_64", reason="calls of x86_64")
def test_those_that_do_no_harm_succeed(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(100))
    reading, writing = os.pipe()

    def code() -> None:
        os.setsid()
        assert syscall("unshare", 0x04000000 | 0x08000000) == 0  # names of the host and queues of its own
        said = {}
        for name, arguments in _successes(tmp_path):
            numbers = [
                0 if a is None else a if isinstance(a, int) else ctypes.addressof(a) for a in arguments
            ]
            said[name] = (syscall(name, *arguments), [n & (1 << 64) - 1 for n in numbers])
        os.write(writing, repr(said).encode())

    calls = _calls(run(probe, code))
    said = eval(os.read(reading, 1 << 16), {"__builtins__": {}})
    os.close(reading)
    os.close(writing)
    # What a kernel or its settings may lack: then the call fails, and is reported so.
    may_fail = {"memfd_secret", "landlock_create_ruleset", "fanotify_init", "iopl", "ioperm", "mq_open", "mq_unlink",
                "kcmp", "syslog", "msgget", "shmget", "adjtimex", "settimeofday"}  # fmt: skip
    for name, (result, arguments) in said.items():
        assert result >= 0 or name in may_fail, (name, result)
        seen = calls[table.syscalls()[name].x86_64 or 0]
        assert any(r == result and list(a[: len(arguments)]) == arguments for r, a in seen), (
            name,
            result,
            seen,
        )
    assert sum(result >= 0 for result, _ in said.values()) > len(said) - len(may_fail)
