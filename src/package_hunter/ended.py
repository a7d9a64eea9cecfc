"""How a process of ours ended: by what it did itself, or by a signal that somebody sent.

A helper that was killed from outside (by an administrator, by the kernel where the host has no memory left, by a test)
is our fault: the scan may go well another time. One that ended by what it computes or calls, or by its own limits, ends
so each time, and what it read brought that about.
"""

from __future__ import annotations

import os
import signal

# What a process brings upon itself. All else was sent by somebody.
BY_ITSELF = frozenset(
    {
        *(signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGPIPE, signal.SIGSEGV),
        *(signal.SIGSYS, signal.SIGTRAP, signal.SIGVTALRM, signal.SIGXCPU, signal.SIGXFSZ),
    }
)


def from_outside(code: int | None) -> bool:
    """Whether somebody's signal ended a process; ``code`` as ``os.waitstatus_to_exitcode`` has it (negative: the
    signal's number), None for one that has not ended."""
    return code is not None and code < 0 and -code not in BY_ITSELF


def killed(pidfd: int) -> bool:
    """The same of a child of this process, by a pidfd; it stays to be waited for. False where it lives, or is no child
    of ours (any more)."""
    try:
        found = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    if found is None or found.si_code == os.CLD_EXITED:
        return False
    return from_outside(-found.si_status)
