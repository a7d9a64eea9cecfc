"""The talker's side of one connection (``base.Table``)."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

from package_hunter.decoy.talks import frames
from package_hunter.decoy.talks.base import Guest, Play
from package_hunter.decoy.tls import Certificates

_LIMIT = 1 << 18  # bytes of a reader's buffer
_HANDSHAKE_SECONDS = 15.0
_WORDS = 2_000  # characters of a mark's texts
_HANDSHAKE = b"\x16\x03"  # how TLS begins


class _HeardReader(asyncio.StreamReader):
    """Tells what it is fed."""

    tell: Callable[[bytes], None] | None = None

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        if self.tell is not None:
            self.tell(bytes(data))
        super().feed_data(data)


class _Notes(asyncio.StreamReaderProtocol):
    """While the gateway takes no more of what was heard, the box is not read either."""

    def __init__(self, reader: asyncio.StreamReader, source: asyncio.Transport) -> None:
        super().__init__(reader)
        self.source = source

    def pause_writing(self) -> None:
        super().pause_writing()
        self.source.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.source.is_closing():
            self.source.resume_reading()


class Seat:
    """One connection; ``keep`` remembers a play that is to have a second one, and gives its number."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def __init__(self, guest: Guest, certificates: Certificates, keep: Callable[[Play], int]) -> None:
        self.guest, self._certificates, self._keep = guest, certificates, keep

    async def open(self, data: socket.socket, notes: socket.socket) -> None:
        """Take the two sockets that the gateway gave: the conversation's, and the one beside it."""
        loop = asyncio.get_running_loop()
        self.reader = self._heard_reader = _HeardReader(limit=_LIMIT)
        self._protocol = asyncio.StreamReaderProtocol(self.reader)
        transport, _ = await loop.create_connection(lambda: self._protocol, sock=data)
        self.writer = asyncio.StreamWriter(transport, self._protocol, self.reader, loop)
        answers = asyncio.StreamReader(limit=_LIMIT)
        beside, protocol = await loop.create_connection(lambda: _Notes(answers, transport), sock=notes)
        self._beside, self._answers = asyncio.StreamWriter(beside, protocol, answers, loop), answers
        self._tell(frames.SEATED)

    async def close(self, well: bool) -> None:
        """The end; not ``well`` where it is the conversation's own fault."""
        if well:
            self._tell(frames.DONE)
        for writer in (self.writer, self._beside):
            writer.close()

    def heard(self, data: bytes) -> None:
        for at in range(0, len(data), frames.PIECE):
            self._tell(frames.HEARD, bytes(data[at : at + frames.PIECE]))

    def mark(self, kind: str, detail: str, said: str = "") -> None:
        words = {"kind": kind[:_WORDS], "detail": detail[:_WORDS], "said": said[:_WORDS]}
        self._tell(frames.MARK, json.dumps(words).encode())

    async def secure(self) -> None:
        loop = asyncio.get_running_loop()
        context = self._certificates.context(self.guest.name or self.guest.address)
        await self.writer.drain()
        early = bytes(self._heard_reader._buffer)  # type: ignore[attr-defined]
        self._heard_reader._buffer.clear()  # type: ignore[attr-defined]
        self._heard_reader.tell = self.heard  # before: the handshake's last packet may bring the first words
        raw = self.writer.transport
        raw.pause_reading()  # type: ignore[attr-defined]
        begun = loop.create_task(
            loop.start_tls(
                raw, self._protocol, context, server_side=True, ssl_handshake_timeout=_HANDSHAKE_SECONDS
            )
        )
        # What was said in the clear behind the word was searched; as after a real server's, it counts no more. But
        # MySQL's clients begin their handshake without waiting for one.
        if early.startswith(_HANDSHAKE):
            await _begin(raw, early)
        transport = await begun
        if transport is None:
            raise OSError("handshake failed")
        # Python 3.11 has start_tls for a writer, but leaves the reader on the old transport
        parts: tuple[Any, ...] = (self._protocol, self.reader, self.writer)
        for one in parts:
            one._transport = transport
        self._protocol._over_ssl = True  # type: ignore[attr-defined]

    async def expect(self, play: Play) -> int:
        self._tell(frames.EXPECT, str(self._keep(play)).encode())
        kind, data = await frames.read(self._answers)
        if kind != frames.PORT:
            raise OSError("no port was given")
        return int(data)

    async def ask(self, play: Play) -> None:
        self._tell(frames.ASK, str(self._keep(play)).encode())

    def _tell(self, kind: bytes, data: bytes = b"") -> None:
        self._beside.write(frames.pack(kind, data))


async def _begin(raw: asyncio.WriteTransport, early: bytes) -> None:
    """Give TLS, which is about to take ``raw`` over, what was read from it too early."""
    loop = asyncio.get_running_loop()
    turn: asyncio.Future[None] = loop.create_future()
    loop.call_soon(turn.set_result, None)
    await turn  # the task ran, and its protocol is connected, but nothing more was read
    inner = raw.get_protocol()
    assert isinstance(inner, asyncio.BufferedProtocol)
    while early:
        room: Any = inner.get_buffer(len(early))
        count = min(len(early), len(room))
        room[:count], early = early[:count], early[count:]
        inner.buffer_updated(count)
