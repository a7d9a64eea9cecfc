"""The system calls in which a thread waits, and where each was told for how long (numbers: asm/unistd.h)."""

from __future__ import annotations

import enum
import platform
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple


class Form(enum.Enum):
    """How a call is told when its wait ends."""

    NONE = enum.auto()  # it is not
    MILLISECONDS = enum.auto()  # an int, negative: never
    TIMESPEC = enum.auto()  # a pointer to a length; NULL: never
    TIMEVAL = enum.auto()
    CLOCK = enum.auto()  # a timespec; clock and flags (TIMER_ABSTIME) are the first arguments
    UNTIL = enum.auto()  # a timespec, always a point in time
    FUTEX = enum.auto()  # a timespec, whose meaning its operation tells


class Call(NamedTuple):
    """``what`` it waits for where no end is set; ``timeout`` and ``clock`` are numbers of arguments (-1: none)."""

    name: str
    what: str
    form: Form = Form.NONE
    timeout: int = -1
    clock: int = -1
    x86_64: int = -1
    aarch64: int = -1


_CALLS = (
    Call("nanosleep", "timer", Form.TIMESPEC, 0, x86_64=35, aarch64=101),
    Call("clock_nanosleep", "timer", Form.CLOCK, 2, x86_64=230, aarch64=115),
    Call("poll", "data", Form.MILLISECONDS, 2, x86_64=7),
    Call("ppoll", "data", Form.TIMESPEC, 2, x86_64=271, aarch64=73),
    Call("select", "data", Form.TIMEVAL, 4, x86_64=23),
    Call("pselect6", "data", Form.TIMESPEC, 4, x86_64=270, aarch64=72),
    Call("epoll_wait", "data", Form.MILLISECONDS, 3, x86_64=232),
    Call("epoll_pwait", "data", Form.MILLISECONDS, 3, x86_64=281, aarch64=22),
    Call("epoll_pwait2", "data", Form.TIMESPEC, 3, x86_64=441, aarch64=441),
    Call("futex", "lock", Form.FUTEX, 3, x86_64=202, aarch64=98),
    Call("futex_waitv", "lock", Form.UNTIL, 3, 4, x86_64=449, aarch64=449),
    Call("futex_wait", "lock", Form.UNTIL, 4, 5, x86_64=455, aarch64=455),
    Call("rt_sigtimedwait", "signal", Form.TIMESPEC, 2, x86_64=128, aarch64=137),
    Call("rt_sigsuspend", "signal", x86_64=130, aarch64=133),
    Call("pause", "signal", x86_64=34),
    Call("semtimedop", "lock", Form.TIMESPEC, 3, x86_64=220, aarch64=192),
    Call("semop", "lock", x86_64=65, aarch64=193),
    Call("mq_timedreceive", "data", Form.UNTIL, 4, x86_64=243, aarch64=183),
    Call("mq_timedsend", "data", Form.UNTIL, 4, x86_64=242, aarch64=182),
    Call("msgrcv", "data", x86_64=70, aarch64=188),
    Call("io_getevents", "data", Form.TIMESPEC, 4, x86_64=208, aarch64=4),
    Call("recvmmsg", "unknown", Form.TIMESPEC, 4, x86_64=299, aarch64=243),
    # a socket may have a timeout of its own (SO_RCVTIMEO), which is not to be read
    Call("recvfrom", "unknown", x86_64=45, aarch64=207),
    Call("recvmsg", "unknown", x86_64=47, aarch64=212),
    Call("accept", "data", x86_64=43, aarch64=202),
    Call("accept4", "data", x86_64=288, aarch64=242),
    Call("connect", "unknown", x86_64=42, aarch64=203),
    Call("sendto", "unknown", x86_64=44, aarch64=206),
    Call("sendmsg", "unknown", x86_64=46, aarch64=211),
    Call("read", "data", x86_64=0, aarch64=63),
    Call("readv", "data", x86_64=19, aarch64=65),
    Call("write", "data", x86_64=1, aarch64=64),
    Call("splice", "data", x86_64=275, aarch64=76),
    Call("openat", "data", x86_64=257, aarch64=56),  # a named pipe without another end
    Call("wait4", "child", x86_64=61, aarch64=260),
    Call("waitid", "child", x86_64=247, aarch64=95),
    Call("flock", "lock", x86_64=73, aarch64=32),
    Call("fcntl", "lock", x86_64=72, aarch64=25),
    # what it goes on with is the kernel's; its arguments are no longer there
    Call("restart_syscall", "unknown", x86_64=219, aarch64=128),
)


@cache
def calls(machine: str = platform.machine()) -> Mapping[int, Call]:
    """By their numbers on a machine; a machine that is not known has none, and whatever waits there is unknown."""
    if machine not in ("x86_64", "aarch64"):
        return {}
    return {number: call for call in _CALLS if (number := getattr(call, machine)) >= 0}
