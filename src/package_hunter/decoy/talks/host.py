"""The gateway's side of conversations: gives a connection to the talker, hears all that is said on it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import socket
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, replace

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.http import Conversation, Respond
from package_hunter.decoy.line import Line
from package_hunter.decoy.talks.base import Guest
from package_hunter.decoy.talks.relay import Relay, Wishes
from package_hunter.decoy.web import Peer, Talk

_EXPECTED = 1_000  # second connections that are waited for
_FIRST_PORT, _PORTS = 30_000, 30_000
_FULL_SECONDS = 30.0  # of a talker that takes no further connection: it starts, or many came before
_WAIT_SECONDS = 0.01


class Host:
    """``start`` gives the control socket of a new talker, None where there is none to be had."""

    def __init__(
        self,
        world: DecoyContext,
        ca: tuple[bytes, bytes],
        start: Callable[[], socket.socket | None],
        respond: Respond,
    ) -> None:
        self._world, self._ca, self._start, self._respond = world, ca, start, respond
        self._control: socket.socket | None = None
        self._gone = False
        self._turn = asyncio.Lock()  # one connection at a time is given away; the others stand in line
        self._expected: OrderedDict[tuple[str, int], tuple[str, str]] = OrderedDict()

    def expected(self, address: str, port: int) -> tuple[str, str] | None:
        """Play and kind of a connection that a conversation waits for there."""
        return self._expected.get((address, port)) if self._expected else None

    async def play(self, play: str, peer: Peer, line: Line, spent: Callable[[int], None], talk: Talk) -> bool:
        """One conversation, until its end; False where it broke off: the connection is still to be heard out."""
        guest = Guest(peer.sni or peer.name, peer.address, peer.port, peer.tls)
        ends = await self._seat({"play": play, "guest": asdict(guest)})
        if ends is None:
            self._world.record.count_cut("gateway_errors")
            return False
        if not play.isdigit():
            talk.kind = play
        wishes = Wishes(
            lambda number: self._expect(peer, number, talk.kind),
            lambda number: self._serve(peer, guest, number),
        )
        relay = Relay(self._world, peer, line, spent, talk, wishes)
        well = await relay.run(*ends)
        if not well:
            self._world.record.count_cut("gateway_errors")
        return well

    def take(self, address: str, port: int) -> tuple[str, str] | None:
        """The same as ``expected``, which is fulfilled now."""
        return self._expected.pop((address, port), None)

    def close(self) -> None:
        """No more conversations."""
        if self._control is not None:
            self._control.close()
            self._control = None
        self._gone = True

    async def _serve(self, peer: Peer, guest: Guest, number: int) -> None:
        """Requests that the talker asks in the box's name; their bytes were counted where they came from."""
        ends = await self._seat({"play": str(number), "guest": asdict(guest)})
        if ends is None:
            return
        data, notes = ends
        with notes:
            reader, writer = await asyncio.open_connection(sock=data, limit=1 << 18)
            assert isinstance(writer.transport, asyncio.Transport)  # of a socket
            line = Line(reader, writer, writer.transport, self._world.spec.limits)
            try:
                await Conversation(self._world, replace(peer), line, self._respond, lambda _: None).run()
            finally:
                writer.close()

    def _expect(self, peer: Peer, number: int, kind: str) -> int:
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        self._expected[peer.address, port] = (str(number), f"{kind}-data")
        if len(self._expected) > _EXPECTED:
            self._expected.popitem(last=False)
        return port

    async def _seat(self, message: dict[str, object]) -> tuple[socket.socket, socket.socket] | None:
        data, theirs = socket.socketpair()
        notes, beside = socket.socketpair()
        with theirs, beside:
            for _ in range(2):  # the one that runs, and one in its place
                if self._control is None and not self._begin():
                    break
                if await self._send(json.dumps(message).encode(), (theirs.fileno(), beside.fileno())):
                    data.setblocking(False)
                    notes.setblocking(False)
                    return data, notes
                if self._control is not None:
                    break  # it is there, and did not come to it
        data.close()
        notes.close()
        return None

    def _begin(self) -> bool:
        if self._gone:
            return False
        self._expected.clear()  # they were the former one's
        self._control = self._start()
        if self._control is None:
            self._gone = True
            self._world.certificates.only_http_1()  # which is spoken here
            return False
        self._control.setblocking(False)
        cert, key = (base64.b64encode(part).decode() for part in self._ca)
        try:
            self._control.send(json.dumps({"ca": [cert, key]}).encode())
        except OSError:
            self._drop()
        return self._control is not None

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None

    async def _send(self, message: bytes, fds: tuple[int, ...]) -> bool:
        """Whether the talker took it. One that is busy keeps its conversations; one that is gone is forgotten."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FULL_SECONDS), self._turn:
                while (control := self._control) is not None:
                    try:
                        socket.send_fds(control, [message], list(fds))
                        return True
                    except BlockingIOError:
                        await asyncio.sleep(_WAIT_SECONDS)
                    except OSError:
                        self._drop()
        return False
