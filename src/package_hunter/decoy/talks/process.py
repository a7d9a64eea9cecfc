"""The talker: the process that plays conversations, one a gateway, started when the first is needed.

``python -m package_hunter.decoy.talks.process FD UID`` (UID 0: stay who you are). All conversations are imported
before the process gives up its rights. One that does not come back to the loop ends the process by its own clock.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections import OrderedDict

from package_hunter.confine import ProcessLimits, confine
from package_hunter.decoy.talks.base import Guest, Play
from package_hunter.decoy.talks.seat import Seat
from package_hunter.decoy.talks.table import PLAYS
from package_hunter.decoy.tls import Certificates

MESSAGE = 64 << 10  # bytes of a message on the control socket
_MEMORY = 1 << 30
_FILES = 8_192
_EXPECTED = 1_000  # plays that wait for a second connection
_STUCK_SECONDS = 5.0  # of processor time without a look at other connections
_LOOK_SECONDS = 1.0
_QUIET = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError)


class Talker:
    """All conversations of one gateway."""

    def __init__(self, control: socket.socket, plays: dict[str, Play]) -> None:
        self._control, self._plays = control, plays
        self._expected: OrderedDict[int, Play] = OrderedDict()
        self._given = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._certificates: Certificates | None = None

    async def run(self) -> None:
        """Until the gateway is gone."""
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        loop.add_reader(self._control, self._receive, over)
        _alive(loop)
        try:
            await over
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _receive(self, over: asyncio.Future[None]) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, MESSAGE, 2)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            asyncio.get_running_loop().remove_reader(self._control)
            over.set_result(None)
            return
        message = json.loads(data)
        if "ca" in message:
            cert, key = (base64.b64decode(part) for part in message["ca"])
            self._certificates = Certificates(cert, key, None)
            return
        task = asyncio.get_running_loop().create_task(self._play(message, *map(_socket, fds)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, message: dict[str, object], data: socket.socket, notes: socket.socket) -> None:
        assert self._certificates is not None  # the gateway's first message
        seat = Seat(Guest(**message["guest"]), self._certificates, self._keep)  # type: ignore[arg-type]
        await seat.open(data, notes)
        well = False
        try:
            await self._called(str(message["play"]))(seat)
            well = True
        except _QUIET:
            well = True
        except Exception:  # a bug of ours ends one conversation; the gateway counts it and hears the box out
            traceback.print_exc()
        finally:
            await seat.close(well)

    def _called(self, play: str) -> Play:
        return self._expected.pop(int(play)) if play.isdigit() else self._plays[play]

    def _keep(self, play: Play) -> int:
        self._given += 1
        self._expected[self._given] = play
        if len(self._expected) > _EXPECTED:
            self._expected.popitem(last=False)
        return self._given


def _socket(fd: int) -> socket.socket:
    made = socket.socket(fileno=fd)
    made.setblocking(False)
    return made


def _alive(loop: asyncio.AbstractEventLoop) -> None:
    """The loop goes round: only a conversation that holds it up is ended, with the process, by the kernel."""
    signal.setitimer(signal.ITIMER_VIRTUAL, _STUCK_SECONDS)
    loop.call_later(_LOOK_SECONDS, _alive, loop)


def plays() -> dict[str, Play]:
    """Every conversation of the table, imported."""
    return {name: importlib.import_module(f"{__package__}.{name}").play for name in PLAYS}


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control.setblocking(False)
    known = plays()
    if uid := int(sys.argv[2]):
        limits = ProcessLimits(_MEMORY, files=_FILES, file_bytes=1 << 20)
        confine("talker", uid, keep_fds=(control.fileno(),), limits=limits)
    gc.freeze()
    asyncio.run(Talker(control, known).run())
    os._exit(0)


if __name__ == "__main__":
    main()
