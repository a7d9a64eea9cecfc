"""Who gives connections to the talker: to one that is busy in turn, to a new one where it is gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from package_hunter.decoy.talks import host as host_module
from package_hunter.decoy.talks.host import Host

Pair = tuple[socket.socket, socket.socket]


class _World:
    """As much of one as a host asks before a conversation begins."""

    def __init__(self) -> None:
        self.certificates = self
        self.http_1 = 0

    def only_http_1(self) -> None:
        self.http_1 += 1


def _host(start: Callable[[], socket.socket | None]) -> tuple[Host, _World]:
    world: Any = _World()
    nothing: Any = None
    return Host(world, (b"cert", b"key"), start, nothing), world


def _pair() -> Pair:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 10)
    return ours, theirs


def _taken(theirs: socket.socket) -> list[bytes]:
    """What lies there; the sockets that come with it are closed."""
    theirs.setblocking(False)
    found = []
    try:
        while True:
            message, fds, _, _ = socket.recv_fds(theirs, 1 << 16, 2)
            for fd in fds:
                socket.close(fd)
            found.append(message)
    except BlockingIOError:
        return found


def _end(seats: list[Pair | None]) -> int:
    there = [seat for seat in seats if seat is not None]
    for data, notes in there:
        data.close()
        notes.close()
    return len(there)


def test_a_talker_that_is_not_there_yet_gets_all_of_a_burst() -> None:
    ours, theirs = _pair()
    starts: list[int] = []

    def start() -> socket.socket:
        starts.append(1)
        return ours

    async def run() -> None:
        host, _ = _host(start)
        waiting = [asyncio.ensure_future(host._seat({"play": "echo", "number": n})) for n in range(100)]
        await asyncio.sleep(0.2)
        assert not all(one.done() for one in waiting)  # its socket is full
        found: list[bytes] = []
        while not all(one.done() for one in waiting):
            found += _taken(theirs)
            await asyncio.sleep(0.01)
        found += _taken(theirs)
        assert _end([await one for one in waiting]) == 100
        assert len(found) == 101 and starts == [1]
        host.close()

    asyncio.run(run())
    theirs.close()


def test_one_that_never_comes_to_it_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "_FULL_SECONDS", 0.2)
    ours, theirs = _pair()

    async def run() -> None:
        host, world = _host(lambda: ours)
        seats = [await host._seat({"play": "echo"}) for _ in range(20)]
        while (seat := await host._seat({"play": "echo"})) is not None:
            seats.append(seat)
        assert world.http_1 == 0
        _taken(theirs)
        seats.append(await host._seat({"play": "echo"}))
        assert seats[-1] is not None
        _end(seats)
        host.close()

    asyncio.run(run())
    theirs.close()


def test_where_there_is_no_talker_any_more_http_2_is_not_offered() -> None:
    ours, theirs = _pair()
    given = iter((ours, None))

    async def run() -> None:
        host, world = _host(lambda: next(given))
        assert _end([await host._seat({"play": "h2"})]) == 1 and world.http_1 == 0
        theirs.close()
        assert [await host._seat({"play": "h2"}) for _ in range(3)] == [None] * 3
        assert world.http_1 == 1
        host.close()

    asyncio.run(run())
