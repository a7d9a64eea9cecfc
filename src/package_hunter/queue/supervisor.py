"""Keeps child processes running: the server and its workers, started by fork, started again when they die.

Fork, not exec: the API process gives up root at once, and may then not even be able to read this program's
files (a checkout under /root). The supervisor itself opens no database and starts no thread.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from package_hunter.errors import HunterError

log = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1
_FIRST_DELAY, _LAST_DELAY = 0.2, 10.0  # seconds before a child that died is started again
_STABLE_SECONDS = 30.0  # who lived so long starts afresh, without delay
_STOP_SECONDS = 20.0  # from SIGTERM to SIGKILL, beyond what workers may need for what they run


@dataclass(slots=True)
class Child:
    """A process to keep. ``main`` runs in it and returns its exit code; ``vital``: without it, all end."""

    name: str
    main: Callable[[], int]
    pid: int = 0
    started: float = 0.0
    start_at: float = 0.0
    delay: float = field(default=_FIRST_DELAY)


class Supervisor:
    """Runs children until SIGTERM or SIGINT."""

    def __init__(
        self,
        children: Sequence[Child],
        on_stop: Callable[[], None] = lambda: None,
        drain_seconds: float = 0.0,
    ) -> None:
        self._on_stop = on_stop
        self._patience = drain_seconds + _STOP_SECONDS
        self._children = list(children)
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        """Start all, keep them, stop all; 0 after SIGTERM, 130 after SIGINT.

        A child that fails its very first start with a usage error (exit code 2) would never do better:
        all are stopped, and its code is returned.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        code = 0
        while not self._stopping:
            self._start_due()
            code = self._reap()
            if code:
                break
            time.sleep(0.1)
        self._stop_all()
        return code or self._code

    def _start_due(self) -> None:
        for child in self._children:
            if not child.pid and time.monotonic() >= child.start_at:
                _start(child)

    def _reap(self) -> int:
        for child in self._children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                child.pid = 0
                if code == 2:
                    return code
                self._plan_restart(child, code)
        return 0

    def _plan_restart(self, child: Child, code: int) -> None:
        now = time.monotonic()
        if now - child.started > _STABLE_SECONDS:
            child.delay = _FIRST_DELAY
        child.start_at = now + child.delay
        log.warning("process died, starting it again", process=child.name, code=code, seconds=child.delay)
        child.delay = min(child.delay * 2, _LAST_DELAY)

    def _stop_all(self) -> None:
        self._on_stop()
        alive = [c for c in self._children if c.pid]
        _signal_all(alive, signal.SIGTERM)
        deadline = time.monotonic() + self._patience
        while alive and time.monotonic() < deadline:
            alive = [c for c in alive if not os.waitpid(c.pid, os.WNOHANG)[0]]
            time.sleep(0.05)
        _signal_all(alive, signal.SIGKILL)
        for child in alive:
            log.error("process did not stop, killed", process=child.name)
            os.waitpid(child.pid, 0)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._code = 130 if number == signal.SIGINT else 0
        if self._stopping:  # asked twice: pass the impatience on
            _signal_all([c for c in self._children if c.pid], signal.SIGTERM)
        self._stopping = True


def _signal_all(children: Sequence[Child], number: signal.Signals) -> None:
    for child in children:
        try:
            os.kill(child.pid, number)
        except ProcessLookupError:
            pass


def _start(child: Child) -> None:
    supervisor = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    child.started = time.monotonic()
    child.pid = os.fork()
    if child.pid:
        log.info("process started", process=child.name, pid=child.pid)
        return
    os._exit(_child_main(child, supervisor))


def _child_main(child: Child, supervisor: int) -> int:
    """In the child: its exit code. Nothing of the supervisor's own stack may run here."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    faulthandler.register(signal.SIGUSR2)  # where a process hangs: kill -USR2, and its stacks are on stderr
    os.setpgid(0, 0)  # Ctrl-C goes to the supervisor alone, which stops all in order
    die_with_parent(supervisor)
    try:
        code = child.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    except HunterError as error:
        log.error("process failed", process=child.name, error=str(error))  # noqa: TRY400 - a sentence says it
        code = error.exit_code
    except BaseException:
        log.exception("process failed", process=child.name)
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def die_with_parent(parent: int) -> None:
    """End with SIGTERM when ``parent`` dies. Dropping privileges clears this: set it again afterwards."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(70)
