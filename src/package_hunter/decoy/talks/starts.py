"""The worker's side of talkers: starts one when the gateway asks, and ends it.

The kernel kills a talker when the thread that started it ends: it is the one that answers the gateway.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from typing import IO

from package_hunter import ended
from package_hunter.confine import UIDS
from package_hunter.decoy import control

_STARTS = 2  # a scan: the first one, and one in its place
_PROGRAM = "package_hunter.decoy.talks.process"


class Talkers:
    """At most one at a time. ``errors`` is where it says why it ended."""

    def __init__(self, errors: IO[bytes]) -> None:
        self._errors = errors
        self._left = _STARTS
        self._process: subprocess.Popen[bytes] | None = None
        self.killed = False  # one of them, from outside

    def give(self, line: socket.socket) -> None:
        """Answer with the control socket of a new one, or without where there were enough."""
        self.end()
        if self._left <= 0:
            control.send(line, {"talker": False})
            return
        self._left -= 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            with contextlib.suppress(OSError, ValueError):  # not started: the gateway finds nobody there
                self._process = self._start(theirs)
            control.send(line, {"talker": True}, (ours.fileno(),))

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        uid = UIDS["talker"] if os.geteuid() == 0 else 0
        return subprocess.Popen(
            [sys.executable, "-m", _PROGRAM, str(theirs.fileno()), str(uid)],
            pass_fds=(theirs.fileno(),),
            cwd="/",
            env={name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    def end(self) -> None:
        """Kill the one that runs."""
        if self._process is not None:
            self.killed = self.killed or ended.from_outside(self._process.poll())
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Talkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
