"""Work on untrusted data in a child process without rights: no file, no network, no other process; limits on its
processor time, its memory and the time that anybody waits for it.

The child is forked from this process, which has everything loaded, so it starts within milliseconds and keeps what
it made for later questions. What it must know of files it asks its parent for, which opens and reads them and looks
at none of their content. Both ends speak in frames of bytes; what the child says is no more trusted than what it
read: its parent checks it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from package_hunter import ended
from package_hunter.confine import ProcessLimits, confine
from package_hunter.errors import HelperDiedError, HunterError, IncompleteScanError
from package_hunter.stopping import breakable

Ask = Callable[[bytes], bytes]
_HEAD = 5  # a frame: one byte that says what it is, four for its length
_MAX_FRAME = 128 << 20
_NO_MEMORY = b"needs more memory than it may have"
_END_SECONDS = 2.0  # for a process whose line is closed to be gone


class StoppedError(IncompleteScanError):
    """The child came to no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a child may use: processor time in its whole life, wall time for one answer, and memory beyond what
    this process has already."""

    cpu_seconds: int = 60
    seconds: float = 90.0
    memory_bytes: int = 1 << 30


class ConfinedChild:
    """A child that answers questions. ``make`` is called in it, after its rights are gone, with a function that asks
    the parent; it gives the function that answers. ``name`` is for messages ("Planning app")."""

    def __init__(self, name: str, make: Callable[[Ask], Ask], allowed: Allowance | None = None) -> None:
        self._name, self._allowed = name, allowed or Allowance()
        self._over: HunterError | None = None
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _live(theirs, make, self._allowed, parent)
        theirs.close()
        self._socket = ours

    def ask(
        self,
        question: bytes,
        answer: Ask = lambda _: b"",
        deadline: float | None = None,
        where: Callable[[], str] = lambda: "",
    ) -> bytes:
        """The child's answer. ``answer`` answers what it asks meanwhile; ``deadline`` is one of
        ``time.monotonic()``; ``where`` names what it was at (a file), should it not come to an end.

        Raises, now and for every later question: StoppedError (its limits were reached, it crashed, or the time
        was over), or HelperDiedError (it was killed from outside, which is no fault of what it read).
        """
        if self._over is not None:
            raise self._over
        end = time.monotonic() + self._allowed.seconds
        end = end if deadline is None else min(end, deadline)
        if end <= time.monotonic():  # the child is not to blame, and can be asked again
            raise StoppedError("The scan's time was over.")
        try:
            return self._talk(question, answer, end)
        except TimeoutError:
            over: HunterError = self._stopped("did not come to an end in time", where())
        except _WentWrongError as error:
            over = self._stopped(str(error), where())
        except (OSError, EOFError):
            over = self._how_it_ended(where())
        self._over = over
        self.close()
        raise over

    def _talk(self, question: bytes, answer: Ask, end: float) -> bytes:
        _send(self._socket, b"Q", question, end)
        while True:
            kind, payload = _receive(self._socket, end)
            if kind == b"q":
                _send(self._socket, b"A", _answered(answer, payload), end)
            elif kind == b"a":
                return payload
            else:
                raise _WentWrongError(payload.decode("utf-8", "replace")[:600])

    def _stopped(self, why: str, where: str) -> StoppedError:
        place = f" (it was at {where})" if where else ""
        return StoppedError(f"{self._name} was given up: it {why}{place}.", _ADVICE)

    def _how_it_ended(self, where: str) -> HunterError:
        """Why it says no more. It is told apart who killed it: its limits, itself by a crash, or somebody else."""
        if self._pid <= 0:
            return self._stopped("had ended", where)
        if not self._ends():
            return self._stopped("closed its line", where)
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        number, most = -os.waitstatus_to_exitcode(status), self._allowed.cpu_seconds
        if number == signal.SIGXCPU:
            return self._stopped(f"took more than {most} s of processor time", where)
        if not ended.from_outside(-number):
            return self._stopped("ended unexpectedly" + (f" by signal {number}" if number > 0 else ""), where)
        return HelperDiedError(
            f"{self._name} broke off: its process was killed from outside (signal {number}).",
            "Perhaps this host had no memory left; try it again.",
        )

    def _ends(self) -> bool:
        """Whether it ends by itself now that its line is closed; whoever lives on is no longer ours."""
        pidfd = os.pidfd_open(self._pid)
        try:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            return bool(poll.poll(_END_SECONDS * 1_000))
        finally:
            os.close(pidfd)

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._pid > 0

    def close(self) -> None:
        """End the child; may be called at any time, and again."""
        self._socket.close()
        if self._pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0


_ADVICE = "Scan the part that matters by itself, or without the file that is named here."


def _answered(answer: Ask, question: bytes) -> bytes:
    try:
        return answer(question)
    except (ValueError, LookupError, RecursionError):
        raise _WentWrongError("asked for what there is not") from None


class _WentWrongError(Exception):
    """The child says that it failed."""


def _live(sock: socket.socket, make: Callable[[Ask], Ask], allowed: Allowance, parent: int) -> None:
    """The child's whole life. Never returns."""
    try:
        _give_up_rights(sock, allowed, parent)
        answer = make(lambda question: _ask_parent(sock, question))
        while True:
            kind, question = _receive(sock, None)
            if kind != b"Q":
                break
            try:
                reply = b"a", answer(question)
            except MemoryError:
                reply = b"e", _NO_MEMORY
            except RecursionError:
                reply = b"e", b"met something that is nested too deep"
            except Exception as error:
                reply = b"e", _error_as_bytes(error)
            _send(sock, *reply, None)
    except BaseException:  # the parent is gone, or nothing can be said any more
        os._exit(1)
    finally:
        os._exit(0)


def _error_as_bytes(error: Exception) -> bytes:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" in {Path(last[0].filename).name}:{last[0].lineno}" if last else ""
    return f"failed ({type(error).__name__}{place})".encode("ascii", "backslashreplace")


def _give_up_rights(sock: socket.socket, allowed: Allowance, parent: int) -> None:
    for number in (signal.SIGTERM, signal.SIGUSR1):  # a worker's handlers are not for us
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us through the socket
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    gc.freeze()  # what is there stays: looking at it again and again would copy the parent's memory
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    limits = ProcessLimits(
        memory_bytes=pages * os.sysconf("SC_PAGE_SIZE") + allowed.memory_bytes,
        files=16,
        file_bytes=0,
        cpu_seconds=allowed.cpu_seconds,
    )
    confine("planner", keep_fds=(sock.fileno(),), limits=limits, parent=parent)
    sys.setrecursionlimit(1_000)


def _ask_parent(sock: socket.socket, question: bytes) -> bytes:
    _send(sock, b"q", question, None)
    kind, payload = _receive(sock, None)
    if kind != b"A":
        raise EOFError
    return payload


def _send(sock: socket.socket, kind: bytes, payload: bytes, end: float | None) -> None:
    if len(payload) > _MAX_FRAME:
        raise MemoryError
    _until(sock, end)
    sock.sendall(kind + len(payload).to_bytes(4, "big") + payload)


def _receive(sock: socket.socket, end: float | None) -> tuple[bytes, bytes]:
    head = _exactly(sock, _HEAD, end)
    size = int.from_bytes(head[1:], "big")
    if size > _MAX_FRAME:
        raise EOFError
    return bytes(head[:1]), bytes(_exactly(sock, size, end))


def _exactly(sock: socket.socket, size: int, end: float | None) -> bytearray:
    found = bytearray(size)
    view, have = memoryview(found), 0
    while have < size:
        _until(sock, end)
        with breakable():
            count = sock.recv_into(view[have:])
        if not count:
            raise EOFError
        have += count
    return found


def _until(sock: socket.socket, end: float | None) -> None:
    if end is None:
        return
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)
