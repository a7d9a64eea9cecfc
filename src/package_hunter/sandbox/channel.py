"""The host's end of the line to pid 1 of a box (the other end and its messages: boxinit.py)."""

from __future__ import annotations

import array
import contextlib
import marshal
import math
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from package_hunter import ended
from package_hunter.errors import SandboxError
from package_hunter.model.box import DOCKER_GID, UID
from package_hunter.sandbox.base import OnOutput
from package_hunter.stopping import breakable

TAIL_BYTES = 16 << 10
_CREDENTIALS = struct.Struct("=iII")  # struct ucred
_KILL_GRACE_SECONDS = 5.0
_CANNOT_START = 126  # the exit code that shells use for it
_MAX_THREADS = 2000
_MAX_STRETCH = 3.0  # times the deadline, where a command waited for a processor for most of it


def busiest(pid: int) -> tuple[float, float] | None:
    """Of the thread of a process, or of one below it, that wanted a processor most: for how many seconds it ran
    and for how many it waited for one. However busy the machine is, that tells a loop from a wait. None where
    nothing is known.

    Source: /proc/PID/task/TID/schedstat (ns on a processor, ns waiting for one; Documentation/scheduler).
    """
    most: tuple[int, int] | None = None
    seen, todo = 0, [pid] if pid > 0 else []
    while todo and seen < _MAX_THREADS:
        folder = Path(f"/proc/{todo.pop()}/task")
        with contextlib.suppress(OSError, ValueError):
            for task in list(folder.iterdir()):
                seen += 1
                ran, waited = map(int, (task / "schedstat").read_text().split()[:2])
                if most is None or ran + waited > sum(most):
                    most = (ran, waited)
                todo += [int(child) for child in (task / "children").read_text().split()]
    return None if most is None else (most[0] / 1e9, most[1] / 1e9)


class BoxEndedError(SandboxError):
    """The box's first process is gone, and with it every other."""


@dataclass(slots=True)
class Outcome:
    """How a command went: host pid of its first process, wait status (None: killed at the deadline)."""

    pid: int = 0
    box_pid: int = 0
    status: int | None = None
    timed_out: bool = False
    started_ns: int = 0
    ended_ns: int = 0
    tail: bytearray = field(default_factory=bytearray)
    ran_seconds: float | None = None  # of the busiest thread, where it was killed at the deadline
    starved_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a command is ended: after so many ``seconds`` (more where it had no processor), and never past ``until``
    (of ``time.monotonic()``). ``before`` is called before every process is killed."""

    seconds: float
    until: float = math.inf
    before: Callable[[], None] = lambda: None


class Channel:
    """Sends commands to pid 1 and hears how they end. One command at a time."""

    def __init__(self) -> None:
        self._host, self.box_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._host.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        program = resources.files("package_hunter.sandbox").joinpath("boxinit.py").read_bytes()
        self._host.send(program)
        self._needed: dict[int, tuple[str, bool]] = {}

    def need(self, pidfd: int, name: str, only_killed: bool = False) -> None:
        """A process that commands need: where it ends (``only_killed``: where somebody kills it), they are ended too.
        ``name`` is for the message ("gateway")."""
        self._needed[pidfd] = name, only_killed

    def close(self) -> None:
        """Hang up: pid 1 ends, and the box with it."""
        self._host.close()
        self.box_end.close()

    def wait_ready(self, seconds: float) -> None:
        """Wait until pid 1 takes commands."""
        self.box_end.close()  # held by pid 1 alone from now on, so that its end is heard
        self._host.settimeout(seconds)
        try:
            message, _ = self._receive()
        except TimeoutError:
            message = []
        if message != [b"ready"]:
            raise SandboxError(
                "The box's first process did not answer.",
                "Its image may be damaged: package-hunter image build --force",
            )

    def run(
        self,
        argv: tuple[str, ...],
        cwd: str,
        env: dict[str, str],
        end: Deadline,
        on_output: OnOutput | None,
    ) -> Outcome:
        """Run a command to its end or its deadline, when every process is killed. BoxEndedError where the box died
        meanwhile; SandboxError where a process that it needs did (then every process of the box is killed)."""
        if any("\0" in text for text in (*argv, cwd, *env, *env.values())):
            raise SandboxError(f"The command {argv[0]!r} cannot be run: it holds a NUL character.")
        outcome = Outcome(started_ns=time.time_ns())
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(writing, True)
        try:
            self._order(
                {
                    "argv": argv,
                    "cwd": cwd,
                    "env": env,
                    "uid": UID,
                    "gid": UID,
                    "groups": [UID, DOCKER_GID],
                },
                writing,
            )
            os.close(writing)
            writing = -1
            self._follow(outcome, reading, end, on_output)
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)
        return outcome

    def kill_commands(self) -> None:
        """Have pid 1 kill every other process of the box; BoxEndedError."""
        try:
            self._host.send(b"kill")
        except OSError as error:
            raise BoxEndedError("The box had ended before its processes could be.") from error

    def _order(self, order: dict[str, Any], output: int) -> None:
        memory = os.memfd_create("order", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(memory), "wb") as file:
                file.write(marshal.dumps(order, 2))  # version 2: every Python reads it
            fds = array.array("i", [memory, output]).tobytes()
            self._host.sendmsg([b"run"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        except OSError as error:
            raise BoxEndedError("The box ended before its command could run.") from error
        finally:
            os.close(memory)

    def _owed(self, outcome: Outcome, end: Deadline) -> float:
        """More seconds for a command that had no processor for much of its time; 0 where it had its share, or the
        scan has no more."""
        found = busiest(outcome.pid)
        if found is None:
            return 0.0
        outcome.ran_seconds, outcome.starved_seconds = found
        wall = (time.time_ns() - outcome.started_ns) / 1e9
        owed = min(
            end.seconds - (wall - outcome.starved_seconds),
            _MAX_STRETCH * end.seconds - wall,
            end.until - time.monotonic(),
        )
        return owed if owed > 0.05 * end.seconds else 0.0

    def _follow(
        self,
        outcome: Outcome,
        reading: int,
        end: Deadline,
        on_output: OnOutput | None,
    ) -> None:
        deadline = min(time.monotonic() + end.seconds, end.until)
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        poll.register(self._host, select.POLLIN)
        for pidfd in self._needed:
            poll.register(pidfd, select.POLLIN)  # readable once the process has ended
        while outcome.ended_ns == 0:
            left = deadline - time.monotonic()
            if left <= 0:
                if outcome.timed_out:
                    raise SandboxError("The box did not end its processes when told to.")
                if not outcome.timed_out and (more := self._owed(outcome, end)) > 0:
                    deadline = time.monotonic() + more
                    continue
                outcome.timed_out = True
                end.before()
                self.kill_commands()
                deadline = time.monotonic() + _KILL_GRACE_SECONDS
                continue
            with breakable():
                ready = poll.poll(left * 1000 + 1)
            for fd, _ in ready:
                if fd == reading:
                    if not _drain(reading, outcome.tail, on_output, 1 << 20):
                        poll.unregister(reading)
                elif fd in self._needed:
                    self._end_without(fd)
                    poll.unregister(fd)
                else:
                    self._hear(outcome)
        _drain(
            reading, outcome.tail, on_output, 1 << 20
        )  # what a process left behind still writes is not waited for

    def _end_without(self, pidfd: int) -> None:
        """A process that commands need has ended; nothing where that is one that may end by itself."""
        name, only_killed = self._needed[pidfd]
        if only_killed and not ended.killed(pidfd):
            del self._needed[pidfd]
            return
        self.kill_commands()
        raise SandboxError(f"The {name} ended while a command ran.")

    def _hear(self, outcome: Outcome) -> None:
        message, pid = self._receive()
        if not message:
            raise BoxEndedError("The box died while a command ran.")
        word, number = message[0], int(message[1])
        if word == b"forked":
            outcome.box_pid = number
        elif word == b"begin" and not outcome.pid:
            outcome.pid = pid
        elif word == b"end" and number == outcome.box_pid:
            outcome.status = None if outcome.timed_out else int(message[2])
            outcome.ended_ns = time.time_ns()
        elif word == b"fail":
            outcome.tail += f"cannot start a process: {os.strerror(number)}\n".encode()
            outcome.status, outcome.ended_ns = _CANNOT_START << 8, time.time_ns()

    def _receive(self) -> tuple[list[bytes], int]:
        """The words of a message and the host pid of its sender, as the kernel attests it."""
        try:
            data, ancillary, _, _ = self._host.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        except ConnectionError:
            return [], 0
        pid = 0
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                pid = _CREDENTIALS.unpack(payload[: _CREDENTIALS.size])[0]
        return data.split(), pid


def _drain(fd: int, tail: bytearray, on_output: OnOutput | None, most: int) -> bool:
    """Read what is there, at most ``most`` bytes; False at the end of the stream."""
    while most > 0:
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return True
        if not data:
            return False
        most -= len(data)
        tail += data
        del tail[:-TAIL_BYTES]
        if on_output is not None:
            on_output(data)
    return True
