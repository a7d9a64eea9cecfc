"""The talker's own faults: a conversation that raises ends alone, one that never comes back ends the process."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import socket
import subprocess
import sys

import pytest

from package_hunter.decoy.talks import frames
from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.process import Talker, plays
from package_hunter.decoy.talks.table import PLAYS
from package_hunter.decoy.tls import make_ca

_GUEST = {"name": "a.example", "address": "192.0.2.1", "port": 7, "tls": False}
_LOOP = """
import asyncio, socket, sys
from package_hunter.decoy.talks import process
process._STUCK_SECONDS = 0.3
async def play(table):
    while True:
        pass
control = socket.socket(fileno=int(sys.argv[1]))
control.setblocking(False)
asyncio.run(process.Talker(control, {"bad": play}).run())
"""


def _ask(control: socket.socket, play: str) -> tuple[socket.socket, socket.socket]:
    data, theirs = socket.socketpair()
    notes, beside = socket.socketpair()
    with theirs, beside:
        message = json.dumps({"play": play, "guest": _GUEST}).encode()
        socket.send_fds(control, [message], [theirs.fileno(), beside.fileno()])
    return data, notes


def _introduce(control: socket.socket) -> None:
    control.send(json.dumps({"ca": [base64.b64encode(part).decode() for part in make_ca()]}).encode())


async def _broken(table: Table) -> None:
    raise RuntimeError("a bug")


def test_a_conversation_that_raises_ends_alone(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)

    async def run() -> tuple[bytes, bytes]:
        task = asyncio.create_task(Talker(theirs, {"bad": _broken, **plays()}).run())
        _introduce(ours)
        said = []
        for play in ("bad", "echo"):
            data, notes = _ask(ours, play)
            data.shutdown(socket.SHUT_WR)
            reader, writer = await asyncio.open_connection(sock=notes)
            said.append(await reader.read())
            writer.close()
            data.close()
        ours.close()
        await task
        theirs.close()
        return said[0], said[1]

    bad, good = asyncio.run(run())
    assert bad == frames.pack(frames.SEATED)  # no word that all is done
    assert good == frames.pack(frames.SEATED) + frames.pack(frames.DONE)
    assert "a bug" in capsys.readouterr().err
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)  # nobody is ended for it any more


def test_a_conversation_that_never_comes_back_ends_the_process() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        talker = subprocess.Popen(
            [sys.executable, "-c", _LOOP, str(theirs.fileno())], pass_fds=(theirs.fileno(),)
        )
        _introduce(ours)
        data, notes = _ask(ours, "bad")
        with data, notes:
            assert talker.wait() == -signal.SIGVTALRM


def test_every_row_of_the_table_has_its_conversation() -> None:
    assert {"echo", "h2", "websocket"} <= set(PLAYS) == set(plays())
