"""A conversation without a gateway: on loopback for stock clients, or on given bytes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from package_hunter.decoy.talks.base import Guest, Play
from package_hunter.decoy.tls import Certificates, make_ca

QUIET = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError)


class LoopTable:
    """A Table over one connection; what is heard of all of them is put into ``heard``."""

    def __init__(
        self,
        guest: Guest,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heard: bytearray,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.guest, self.reader, self.writer = guest, reader, writer
        self._heard, self._context = heard, context
        self.secured = 0

    def heard(self, data: bytes) -> None:
        self._heard += b"\n" + data

    def mark(self, kind: str, detail: str, said: str = "") -> None:
        raise AssertionError(kind)

    async def secure(self) -> None:
        assert self._context is not None
        self.secured += 1
        loop, raw = asyncio.get_running_loop(), self.writer.transport
        assert isinstance(raw, asyncio.Transport)
        protocol = raw.get_protocol()
        raw.pause_reading()
        early = bytes(self.reader._buffer)  # type: ignore[attr-defined]
        self.reader._buffer.clear()  # type: ignore[attr-defined]
        begun = loop.create_task(loop.start_tls(raw, protocol, self._context, server_side=True))
        await asyncio.sleep(0)  # the task runs, and asks for its protocol to be connected
        await asyncio.sleep(0)  # which it is now
        if early:  # MySQL's client begins its handshake without waiting for a word
            inner = raw.get_protocol()
            assert isinstance(inner, asyncio.BufferedProtocol)
            inner.get_buffer(len(early))[: len(early)] = early  # type: ignore[index]
            inner.buffer_updated(len(early))
        secured = await begun
        for one in (protocol, self.reader, self.writer):
            one._transport = secured  # type: ignore[union-attr]
        protocol._over_ssl = True  # type: ignore[union-attr]

    async def expect(self, play: Play) -> int:
        raise AssertionError("no second connection")


class _Sent(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True


class _Flow(asyncio.Protocol):
    async def _drain_helper(self) -> None:
        return


async def _play_on(play: Play, data: bytes, tls: bool, heard: bytearray) -> bytes:
    reader, sent = asyncio.StreamReader(limit=1 << 16), _Sent()
    reader.feed_data(data)
    reader.feed_eof()
    writer = asyncio.StreamWriter(sent, _Flow(), reader, asyncio.get_running_loop())
    table = LoopTable(Guest("db.example", "192.0.2.1", 1, tls), reader, writer, heard)
    with contextlib.suppress(*QUIET):
        await asyncio.wait_for(play(table), 20)
    writer.close()
    return bytes(sent.data)


def said_to(play: Play, data: bytes, heard: bytearray | None = None) -> bytes:
    """What the conversation answers to a client that says ``data``, inside TLS, and ends."""
    return asyncio.run(_play_on(play, data, True, bytearray() if heard is None else heard))


class Served:
    """A conversation on a port of loopback."""

    def __init__(self, port: int, ca: Path, heard: bytearray, tables: list[LoopTable]) -> None:
        self.port, self.ca, self.heard, self.tables = port, ca, heard, tables


@contextlib.contextmanager
def served(play: Play, folder: Path, tls: bool = False) -> Iterator[Served]:
    """The conversation, served in a thread of its own; ``tls``: from the connection's beginning."""
    cert, key = make_ca()
    (folder / "ca.pem").write_bytes(cert)
    context = Certificates(cert, key, folder).context("localhost")
    heard, tables = bytearray(), list[LoopTable]()
    ready, stop = threading.Event(), asyncio.Event()
    port, loops = list[int](), list[asyncio.AbstractEventLoop]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        table = LoopTable(Guest("localhost", "127.0.0.1", port[0], tls), reader, writer, heard, context)
        tables.append(table)
        with contextlib.suppress(*QUIET):
            await play(table)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context if tls else None)
        port.append(server.sockets[0].getsockname()[1])
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait(20)
    try:
        yield Served(port[0], folder / "ca.pem", heard, tables)
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(20)
