"""What the threads of a process wait for, and for how long: read from /proc, at one moment.

All of it is the box's to write (its memory holds the timeouts, its descriptors the timers): it is read within limits,
and nothing follows from it but how long the box is watched and what a sentence says.

Sources: /proc/PID/task/TID/syscall, /proc/PID/mem, fdinfo of timerfd, /proc/PID/timers and timens_offsets: proc(5),
time_namespaces(7). Not to be read anywhere: what alarm(2) and setitimer(2) were told. Where a handler for their signal
is set, the process may go on at any time.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from package_hunter.model.scan import Wait
from package_hunter.sandbox.boxtime import BoxTime, ticks_to_seconds
from package_hunter.sandbox.waitcalls import Call, Form, calls

_MAX_THREADS = 64  # of a process
_MAX_FDS = 1024
_MAX_TIMERS = 32
_TIMER_LINK = "anon_inode:[timerfd]"
_VALUE = re.compile(rb"^it_value: \((\d{1,12}), (\d{1,9})\)", re.M)
_CAUGHT = re.compile(rb"^SigCgt:\s*([0-9a-f]{16})", re.M)
_SIGALRM = 14
_PAIR = struct.Struct("=qq")  # timespec and timeval, of both architectures
_FUTEX_OP, _FUTEX_REALTIME = 0x7F, 256
_FUTEX_RELATIVE, _FUTEX_ABSOLUTE, _FUTEX_PI = 0, (9, 11), (6, 13)
_TIMER_ABSTIME = 1
_REALTIME, _MONOTONIC = 0, 1
UNKNOWN = Wait("unknown", None, 0.0)


def waits_of(proc: int) -> tuple[Wait, ...]:
    """Of a process, by a descriptor of its folder in /proc: one for each thread and each timer of its own."""
    found = list(itertools.islice(_threads(proc), _MAX_THREADS + 1))
    if len(found) > _MAX_THREADS:
        found[_MAX_THREADS:] = [UNKNOWN]
    return (*found, *itertools.islice(_timers(proc), _MAX_TIMERS))


def soonest(waits: tuple[Wait, ...]) -> float:
    """In how many seconds a process may go on by itself; infinity: never."""
    return min((wait.soonest for wait in waits), default=0.0)


def _threads(proc: int) -> Iterator[Wait]:
    try:
        tids = [entry.name for entry in Path(_sub(proc, "task")).iterdir()]
    except OSError:
        return
    clock = BoxTime.told_by(read(proc, "timens_offsets", 512))
    for tid in tids[: _MAX_THREADS + 1]:
        yield _thread(proc, tid, clock)


def _thread(proc: int, tid: str, clock: BoxTime) -> Wait:
    words = read(proc, f"task/{tid}/syscall", 512).split()
    stat = read(proc, f"task/{tid}/stat", 4096).rpartition(b")")[2].split()
    if words[:1] == [b"running"] or stat[:1] not in ([b"S"], [b"T"]):  # D: at work with a disk
        return Wait("work", None, 0.0)
    try:
        number, arguments = int(words[0]), tuple(int(word, 16) for word in words[1:7])
    except (ValueError, IndexError):
        return UNKNOWN
    call = calls().get(number)
    if call is None or len(arguments) < 6:
        return UNKNOWN  # stopped, or in a call of which nothing is known
    return _wait(proc, call, arguments, clock, _age(stat))


def _wait(proc: int, call: Call, arguments: tuple[int, ...], clock: BoxTime, age: float) -> Wait:
    seconds, rest = _length(proc, call, arguments, clock)
    if seconds is None:
        return Wait(call.what, None, 0.0 if call.what in ("signal", "unknown") else math.inf, call.name)
    # When a relative wait began is not known: not before its thread.
    least = seconds if rest else max(0.0, seconds - age)
    return Wait("timer", seconds, least, call.name)


def _length(proc: int, call: Call, arguments: tuple[int, ...], clock: BoxTime) -> tuple[float | None, bool]:
    """How long a call waits, and whether that is the rest (or the whole, begun at a time unknown)."""
    value = arguments[call.timeout] if call.timeout >= 0 else 0
    if call.form is Form.NONE:
        return None, False
    if call.form is Form.MILLISECONDS:
        milliseconds = struct.unpack("=i", struct.pack("=I", value & 0xFFFFFFFF))[0]
        return (None, False) if milliseconds < 0 else (milliseconds / 1000, False)
    if value == 0:
        return None, False
    pair = _pair(proc, value)
    if pair is None:
        return 0.0, True  # not readable: it may end at any time
    if call.form is Form.TIMEVAL:
        return pair[0] + pair[1] / 1e6, False
    seconds = pair[0] + pair[1] / 1e9
    on = _absolute_clock(call, arguments)
    return (seconds, False) if on is None else (max(0.0, seconds - clock.now(on)), True)


def _absolute_clock(call: Call, arguments: tuple[int, ...]) -> int | None:
    """The clock of which a call was told the time of its end; None where it was told a length."""
    if call.form is Form.FUTEX:
        operation = arguments[1] & _FUTEX_OP
        if operation in _FUTEX_ABSOLUTE:
            return _REALTIME if arguments[1] & _FUTEX_REALTIME else _MONOTONIC
        return _REALTIME if operation in _FUTEX_PI else None
    if call.form is Form.CLOCK:
        return arguments[0] if arguments[1] & _TIMER_ABSTIME else None
    if call.form is Form.UNTIL:
        return arguments[call.clock] if call.clock >= 0 else _REALTIME
    return None


def _timers(proc: int) -> Iterator[Wait]:
    """Timers that no call shows: of timerfd_create, timer_create, and what alarm may have set."""
    for name in _timer_fds(proc):
        value = _VALUE.search(read(proc, f"fdinfo/{name}", 1024))
        if value is not None and (seconds := int(value[1]) + int(value[2]) / 1e9) > 0:
            yield Wait("timer", seconds, seconds, "timerfd")
    if read(proc, "timers", 16):
        yield Wait("timer", None, 0.0, "timer_create")
    caught = _CAUGHT.search(read(proc, "status", 8192))
    if caught is not None and int(caught[1], 16) >> (_SIGALRM - 1) & 1:
        yield Wait("signal", None, 0.0, "alarm")


def _timer_fds(proc: int) -> Iterator[str]:
    try:
        with os.scandir(_sub(proc, "fd")) as entries:
            names = [entry.name for entry in itertools.islice(entries, _MAX_FDS)]
    except OSError:
        return
    for name in names:
        try:
            if os.readlink(f"fd/{name}", dir_fd=proc) == _TIMER_LINK:
                yield name
        except OSError:
            continue


def _pair(proc: int, address: int) -> tuple[int, int] | None:
    """A timespec or timeval of a process; None where it cannot be read, or is none that the kernel would take."""
    try:
        memory = os.open("mem", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    except OSError:
        return None
    try:
        seconds, part = _PAIR.unpack(os.pread(memory, _PAIR.size, address))
    except (OSError, OverflowError, struct.error):
        return None
    finally:
        os.close(memory)
    return (seconds, part) if seconds >= 0 and 0 <= part < 1_000_000_000 else None


def _age(stat: list[bytes]) -> float:
    """For how many seconds a thread has lived, by the words of its stat from its state on; more than it may have
    where that is not known."""
    try:
        start = ticks_to_seconds(int(stat[19]) - 1)
    except (ValueError, IndexError):
        return math.inf
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - start)


def _sub(proc: int, name: str) -> str:
    return f"/proc/self/fd/{proc}/{name}"


def read(proc: int, name: str, limit: int) -> bytes:
    """The beginning of a file of a process; nothing where that has gone."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    except OSError:
        return b""
    try:
        return os.read(fd, limit)
    except OSError:
        return b""
    finally:
        os.close(fd)
