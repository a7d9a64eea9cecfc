"""One conversation's bytes, to the talker and back: counted, kept and searched on their way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.line import Line
from package_hunter.decoy.talks import frames
from package_hunter.decoy.web import Peer, Talk

_PIECE = 256 << 10
_START_SECONDS = 60.0  # for the talker to be there: a busy machine starts it slowly
_DEAF_SECONDS = (
    5.0  # a conversation that takes nothing for so long is told no more; the box is heard all the same
)
_LAST_SECONDS = 5.0  # for the conversation's end after the box's
_WORDS = 2_000
_ASKED = 256  # requests of one connection at the same time


class Wishes(NamedTuple):
    """What a talker may want of the gateway. ``expect`` gives a port to the second connection that it numbers so;
    ``ask`` serves the requests of the one it numbers so."""

    expect: Callable[[int], int]
    ask: Callable[[int], Awaitable[None]]


class Relay:
    """One conversation's two sides."""

    def __init__(
        self,
        world: DecoyContext,
        peer: Peer,
        line: Line,
        spent: Callable[[int], None],
        talk: Talk,
        wishes: Wishes,
    ) -> None:
        self._world, self._peer, self._line = world, peer, line
        self._spent, self._talk = spent, talk
        self._expect, self._ask = wishes
        self._asked: set[asyncio.Task[None]] = set()
        self._sink = world.watch.raw(peer, "tls" if peer.tls else "tcp")
        self._inner = world.watch.raw(peer, f"over {talk.kind}")  # what the wire shows only as cipher
        self._heard = b""  # the first of that
        self._seated = asyncio.Event()
        self._deaf = False

    async def run(self, data: socket.socket, notes: socket.socket) -> bool:
        """Until the end; False where the conversation broke off, by a fault of its own or of the talker's."""
        answers, self._writer = await asyncio.open_connection(sock=data, limit=1 << 18)
        told, self._beside = await asyncio.open_connection(sock=notes, limit=1 << 18)
        loop = asyncio.get_running_loop()
        down = loop.create_task(self._down(answers))
        ended = loop.create_task(self._notes(told))
        up = loop.create_task(self._up())
        try:
            await asyncio.wait({up, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                if not ended.result():
                    return False
                await self._settle(down)
                await self._line.hang_up()
            await up
            await self._settle(ended)
            await self._settle(down)
            return not ended.done() or ended.result()
        finally:
            if self._asked:
                await asyncio.wait(self._asked, timeout=_LAST_SECONDS)
            tasks = (up, down, ended, *self._asked)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in (self._writer, self._beside):
                writer.close()
            self._sink.close()
            self._inner.close()
            self._talk.head = self._heard or self._talk.head  # what was said, not how it looked

    async def _settle(self, task: asyncio.Task[bool] | asyncio.Task[None]) -> None:
        await asyncio.wait({task}, timeout=_LAST_SECONDS)

    async def _up(self) -> None:
        """What the box says, to its end."""
        async with asyncio.timeout(_START_SECONDS):
            await self._seated.wait()
        limits = self._world.spec.limits
        with contextlib.suppress(TimeoutError):
            while data := await self._line.hear(_PIECE, limits.unfinished_seconds):
                self._note(data, limits.head_bytes)
                await self._pass_on(data)
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write_eof()

    def _note(self, data: bytes, head_bytes: int) -> None:
        self._peer.sent(len(data))
        self._talk.head += data[: max(0, head_bytes - len(self._talk.head))]
        self._sink.feed(data)
        self._spent(len(data))

    async def _pass_on(self, data: bytes) -> None:
        if self._deaf:
            return
        self._writer.write(data)
        try:
            async with asyncio.timeout(_DEAF_SECONDS):
                await self._writer.drain()
        except OSError:  # TimeoutError is one
            self._deaf = True

    async def _down(self, answers: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await answers.read(_PIECE):
                self._peer.bytes_in += await self._line.say(data)

    async def _notes(self, told: asyncio.StreamReader) -> bool:
        """What the talker tells, to the word that all is done."""
        try:
            while True:
                kind, data = await frames.read(told)
                if kind == frames.DONE:
                    return True
                self._obey(kind, data)
        except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError):
            return False

    def _obey(self, kind: bytes, data: bytes) -> None:
        if kind == frames.SEATED:
            self._seated.set()
        elif kind == frames.HEARD:
            self._inner.feed(data)
            self._heard += data[: max(0, self._world.spec.limits.head_bytes - len(self._heard))]
        elif kind == frames.MARK:
            words = {name: str(value)[:_WORDS] for name, value in json.loads(data).items()}
            self._world.mark(words["kind"], self._peer, words["detail"], said=words["said"])
        elif kind == frames.EXPECT:
            self._beside.write(frames.pack(frames.PORT, str(self._expect(int(data))).encode()))
        elif kind == frames.ASK and len(self._asked) < _ASKED:
            task = asyncio.ensure_future(self._serve(int(data)))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)
        else:
            raise ValueError("no such frame")

    async def _serve(self, number: int) -> None:
        with contextlib.suppress(OSError, EOFError):  # as a connection of the box's own ends
            await self._ask(number)
