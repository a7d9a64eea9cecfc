"""Conversations on loopback sockets: a table like the gateway's, that keeps what it heard."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from package_hunter.decoy.talks.base import Guest, Play
from package_hunter.decoy.tls import Certificates, make_ca

QUIET = (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class House:
    """The server of one play: ``heard`` is what was said in wrappings or inside TLS, ``clear`` what the wire shows,
    ``faults`` what a play raised though it may not."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        cert, key = make_ca()
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(cert)
        self.certificates = Certificates(cert, key, folder)
        self.heard, self.clear = bytearray(), bytearray()
        self.faults: list[BaseException] = []
        self._servers: list[asyncio.Server] = []

    def context(self) -> ssl.SSLContext:
        return self.certificates.context(self._name)

    async def open(self, play: Play, tls: bool = False) -> int:
        """The port on which it is played."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            table = LoopbackTable(self, reader, writer, tls)
            try:
                await play(table)
            except QUIET:
                pass
            except Exception as error:
                self.faults.append(error)
            finally:
                with contextlib.suppress(*QUIET):
                    table.writer.close()
                    await table.writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self.context() if tls else None)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        for server in self._servers:
            server.close()


class _Heard(asyncio.StreamReader):
    """A reader that tells what came."""

    note: bytearray

    def feed_data(self, data: bytes) -> None:
        self.note += data
        super().feed_data(data)


class LoopbackTable:
    """One connection to a House."""

    def __init__(
        self, house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: bool
    ) -> None:
        self.house, self.reader, self.writer = house, reader, writer
        self.guest = Guest("mail.evil.example", "127.0.0.1", writer.get_extra_info("sockname")[1], tls)
        self.marks: list[tuple[str, str]] = []
        reader.__class__ = _Heard
        assert isinstance(reader, _Heard)
        reader.note = house.clear
        house.clear += bytes(reader._buffer)  # type: ignore[attr-defined]

    def heard(self, data: bytes) -> None:
        self.house.heard += data

    def mark(self, kind: str, detail: str, said: str = "") -> None:
        self.marks.append((kind, detail))

    async def secure(self) -> None:
        loop = asyncio.get_running_loop()
        reader = _Heard()
        reader.note = self.house.heard
        protocol = asyncio.StreamReaderProtocol(reader)
        early = bytes(self.reader._buffer)  # type: ignore[attr-defined]
        raw = self.writer.transport
        begun = loop.create_task(
            loop.start_tls(raw, protocol, self.house.context(), server_side=True, ssl_handshake_timeout=15)
        )
        if early:  # a client that did not wait
            while not isinstance(below := raw.get_protocol(), asyncio.BufferedProtocol):
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            below.get_buffer(len(early))[: len(early)] = early
            below.buffer_updated(len(early))
        transport = await begun
        if transport is None:
            raise OSError("handshake failed")
        protocol.connection_made(transport)
        self.reader, self.writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def expect(self, play: Play) -> int:
        return await self.house.open(play)


@contextlib.asynccontextmanager
async def playing(
    folder: Path, play: Play, tls: bool = False, name: str = "localhost"
) -> AsyncIterator[tuple[House, int]]:
    """A house with one play, and its port. At the end no play may have failed."""
    house = House(folder, name)
    port = await house.open(play, tls)
    try:
        yield house, port
    finally:
        house.close()
    assert not house.faults, house.faults


async def run(*command: str, stdin: bytes = b"", cwd: Path | None = None, **env: str) -> tuple[int, str]:
    """A stock client: its exit code and what it printed."""
    import os

    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd or "/nonexistent"), **env},
    )
    out, _ = await process.communicate(stdin)
    return process.returncode or 0, out.decode(errors="replace")
