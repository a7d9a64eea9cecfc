"""Every TCP connection of the box, whatever its address and port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.http import Conversation, Respond
from package_hunter.decoy.line import Line
from package_hunter.decoy.raw import RawTalk
from package_hunter.decoy.record import now
from package_hunter.decoy.sniff import client_hello_name, protocol
from package_hunter.decoy.socks import handshake, is_socks
from package_hunter.decoy.talks.host import Host
from package_hunter.decoy.talks.table import greeted, opened
from package_hunter.decoy.tunnel import carry, destination, inner_peer
from package_hunter.decoy.web import Peer, Talk
from package_hunter.model.observation import Connection

_UCRED = struct.Struct("iII")  # pid, uid, gid: unix(7)
_SILENCE_SECONDS = 1.5  # seconds after which a silent client is taken to wait for the server's first words
_GREETING_SECONDS = 0.3  # the same on a port whose server is known to speak first
_INSIDE_SECONDS = 3.0  # the same inside TLS, whose handshake keeps a busy client
_SPLIT_SECONDS = 0.02  # between two looks at first bytes that do not tell yet what they are
_HANDSHAKE_SECONDS = 15.0  # seconds for a TLS handshake
_DEEPEST = 4  # proxies in proxies
_CLOSING_SECONDS = 2.0  # seconds for the last bytes of a connection that ends


@dataclass(slots=True, eq=False)
class _OpenConnection:
    """A connection being served."""

    sock: socket.socket
    task: asyncio.Task[None] | None
    touched: float
    depth: int = 0  # proxies around it


class TcpServer:
    """Accepts, sniffs, serves and records connections within the limits."""

    def __init__(self, world: DecoyContext, respond: Respond, dns: object, talks: Host) -> None:
        self._world, self._respond, self._dns, self._talks = world, respond, dns, talks
        self._limits = world.spec.limits
        self._open: dict[_OpenConnection, None] = {}
        self._accepted = 0
        self._left = self._limits.inbound_bytes

    def listen(self, listener: socket.socket, local: str = "") -> None:
        """Serve what arrives there; ``local`` is the path of a socket of the file system."""
        asyncio.get_running_loop().add_reader(listener, self._accept, listener, local)

    def _accept(self, listener: socket.socket, local: str) -> None:
        for _ in range(64):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of descriptors
                self._evict()
                return
            self._accepted += 1
            if self._accepted > self._limits.accepted or self._left <= 0:
                self._world.record.count_cut("connections_refused")
                sock.close()
                continue
            if len(self._open) >= self._limits.connections:
                self._evict()
            sock.setblocking(False)
            entry = _OpenConnection(sock, None, time.monotonic())
            self._open[entry] = None
            serving = self._serve_local(entry, local) if local else self._serve(entry, address[1])
            entry.task = asyncio.get_running_loop().create_task(serving)

    def _evict(self) -> None:
        """Drop the connection that has been idle the longest: slow ones must not keep the others out."""
        if not self._open:
            return
        victim = min(self._open, key=lambda entry: entry.touched)
        self._world.record.count_cut("connections_dropped")
        del self._open[victim]
        if victim.task:
            victim.task.cancel()

    async def _serve(self, entry: _OpenConnection, peer_port: int) -> None:
        sock = entry.sock
        peer: Peer | None = None
        talk = Talk()
        try:
            address, port = sock.getsockname()[:2]
            peer = Peer(address, port, peer_port, self._world.names.name(address), started_ns=now())
            if peer.name and self._world.markers.is_marker(peer.name):
                self._world.markers.seen(peer.name, peer_port)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._talk(entry, peer, talk)
        except Exception as error:  # one broken conversation must not end the others
            self._ended(error)
        finally:
            self._open.pop(entry, None)
            sock.close()
            if peer is not None:
                self._note(peer, talk)

    def _ended(self, error: Exception) -> None:
        """A connection's own end is an ordinary thing; a fault of ours (a file that cannot be had is one, too) is
        counted, never hidden."""
        ours = isinstance(error, OSError) and error.filename is not None
        if ours or not isinstance(error, (OSError, EOFError)):
            self._world.record.count_cut("gateway_errors")
            traceback.print_exception(error)

    def _note(self, peer: Peer, talk: Talk) -> None:
        self._world.record(
            "connection",
            Connection(
                peer.started_ns, "tcp", peer.address, peer.port, peer.peer_port, peer.name, peer.sni,
                peer.bytes_out, peer.bytes_in, talk.kind, None, talk.head, peer.sent_ns,
            ),
        )  # fmt: skip

    async def _serve_local(self, entry: _OpenConnection, path: str) -> None:
        """A connection to a socket of the box's file system: its client is known by its pid."""
        try:
            credentials = entry.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
            pid = _UCRED.unpack(credentials)[0]
            peer = Peer(path, 0, -pid, None, started_ns=now(), local=path)
            await self._talk(entry, peer, Talk())
        except Exception as error:  # as above
            self._ended(error)
        finally:
            self._open.pop(entry, None)
            entry.sock.close()

    async def _talk(self, entry: _OpenConnection, peer: Peer, talk: Talk) -> None:
        speaks, first = await self._sniff(entry.sock, peer)
        talk.kind = speaks
        if peer.local and speaks != "http":
            return
        context = None
        if speaks == "tls":
            context = self._world.certificates.context(_certifiable(peer.sni or peer.name or peer.address))
            peer.tls = True
        reader, writer, raw = await self._streams(entry, peer, context, first)
        line = Line(reader, writer, raw, self._limits)
        try:
            if peer.tls:
                secured = writer.get_extra_info("ssl_object")
                peer.sni = getattr(secured, "asked_name", peer.sni)
                await self._speak(entry, peer, reader, line, None, talk)
            else:
                await self._speak(entry, peer, reader, line, first, talk)
        finally:
            await _close(writer)

    async def _streams(
        self, entry: _OpenConnection, peer: Peer, context: ssl.SSLContext | None, first: bytes
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Transport]:
        """Reader, writer, and the transport of the bytes on the wire."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=1 << 18)
        protocol_ = asyncio.StreamReaderProtocol(reader)
        if context is None:
            raw, _ = await loop.connect_accepted_socket(lambda: protocol_, entry.sock)
            return reader, asyncio.StreamWriter(raw, protocol_, reader, loop), raw
        raw, _ = await loop.connect_accepted_socket(_NotYet, entry.sock)
        try:
            transport = await loop.start_tls(
                raw, protocol_, context, server_side=True,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS, ssl_shutdown_timeout=_CLOSING_SECONDS / 2,
            )  # fmt: skip
        except ssl.SSLError as error:
            self._world.record.count_cut("failed_tls")
            sink = self._world.watch.raw(peer, "tls")
            sink.feed(first)
            sink.close()
            raise OSError("handshake failed") from error
        if transport is None:  # it ended while the handshake did
            raise OSError("handshake failed")
        protocol_.connection_made(transport)
        return reader, asyncio.StreamWriter(transport, protocol_, reader, loop), raw

    async def _sniff(self, sock: socket.socket, peer: Peer) -> tuple[str, bytes]:
        """What it speaks and its first bytes, left in the socket's buffer."""
        deadline = time.monotonic() + self._limits.head_seconds
        silence = time.monotonic() + self._patience(peer, _SILENCE_SECONDS)
        data = b""
        while time.monotonic() < (deadline if not data else min(deadline, silence)):
            seen = await _peek(sock, 16_640, (silence if not data else deadline) - time.monotonic())
            if seen is None:
                if not data:
                    return "silent", b""
                break
            if seen == data:
                await asyncio.sleep(_SPLIT_SECONDS)  # the rest of a split first record is on its way
            else:
                silence = time.monotonic() + self._limits.unfinished_seconds
            data = seen
            speaks = protocol(data)
            if speaks == "tls":
                peer.sni, complete = client_hello_name(data)
                if not complete:
                    continue
            if speaks or not data:
                return speaks or "raw", data
        return protocol(data) or "raw", data

    async def _speak(
        self,
        entry: _OpenConnection,
        peer: Peer,
        reader: asyncio.StreamReader,
        line: Line,
        first: bytes | None,
        talk: Talk,
    ) -> None:
        """``first`` is what was seen of the box's first words, b"" of a silent one, None where it is still to be
        seen, inside TLS."""

        def spent(amount: int) -> None:
            entry.touched = time.monotonic()
            self._left -= amount
            if self._left <= 0:
                self._world.record.count_cut("inbound_bytes")
                raise EOFError

        if first is None:
            first = await self._first_inside(reader, self._patience(peer, _INSIDE_SECONDS))
            _unread(reader, first)
        speaks = protocol(first) if first else "silent"
        second = self._talks.take(peer.address, peer.port)
        if second:  # what a conversation waits for is its own, whatever the content begins like
            name, talk.kind = second
            if await self._talks.play(name, peer, line, spent, talk):
                return
            speaks = "raw" if talk.head else speaks  # as below
        elif speaks == "http":
            talk.kind = "http"
            conversation = Conversation(self._world, peer, line, self._respond, spent)
            await conversation.run()
            _unread(reader, conversation.rest)
            peer.bytes_out -= len(conversation.rest)  # is read again
            if conversation.tunnel:
                await self._tunnel(entry, peer, line, destination(conversation.tunnel, peer))
                return
            if not conversation.upgraded or await self._talks.play("websocket", peer, line, spent, talk):
                return
            speaks = "raw"
        elif not peer.local and is_socks(first):
            talk.kind = "socks"
            await self._tunnel(entry, peer, line, await self._socks(peer, reader, line, spent))
            return
        elif not peer.local and (play := self._play(peer, first)):
            if await self._talks.play(play, peer, line, spent, talk):
                return
            speaks = "raw" if talk.head else speaks  # it broke off: heard out
        raw = RawTalk(self._world, peer, line, self._dns, spent, talk)
        await raw.run(speaks == "silent" and not self._is_registry(peer))

    async def _socks(
        self, peer: Peer, reader: asyncio.StreamReader, line: Line, spent: Callable[[int], None]
    ) -> tuple[str, int]:
        sink = self._world.watch.raw(peer, "tls" if peer.tls else "tcp")

        def heard(data: bytes) -> None:
            peer.sent(len(data))
            sink.feed(data)
            spent(len(data))

        try:
            async with asyncio.timeout(self._limits.head_seconds):
                return await handshake(reader, line.say, heard)
        finally:
            sink.close()

    async def _tunnel(self, entry: _OpenConnection, peer: Peer, line: Line, where: tuple[str, int]) -> None:
        """What is inside a proxy's connection is served as a connection of its own."""
        inner, talk = inner_peer(peer, *where), Talk()
        outer, served = socket.socketpair()
        for sock in (outer, served):
            sock.setblocking(False)
        inside = _OpenConnection(served, None, time.monotonic(), entry.depth + 1)

        def count(amount: int) -> None:
            entry.touched = time.monotonic()
            peer.sent(amount)

        def said(amount: int) -> None:
            peer.bytes_in += amount

        carried = asyncio.get_running_loop().create_task(carry(line, outer, count, said))
        try:
            if inside.depth > _DEEPEST:
                raise EOFError("proxies in proxies")
            await self._talk(inside, inner, talk)
            served.close()
            await carried
        finally:
            carried.cancel()
            await asyncio.gather(carried, return_exceptions=True)
            served.close()
            self._note(inner, talk)

    def _patience(self, peer: Peer, usual: float) -> float:
        """Seconds that a client may be silent until our side speaks (or hangs up: see ``_is_registry``)."""
        if self._is_registry(peer):
            return self._limits.head_seconds
        known = greeted(peer.port) or self._talks.expected(peer.address, peer.port)
        return _GREETING_SECONDS if known else usual

    def _is_registry(self, peer: Peer) -> bool:
        """Whether it is a registry that was asked. Its clients speak first, and no one else's words are for them: a
        package manager that opens many connections and unpacks meanwhile may be silent for seconds."""
        return peer.name is not None and self._world.names.is_registry(peer.name)

    def _play(self, peer: Peer, first: bytes) -> str | None:
        """The conversation that is played on a connection that is neither HTTP nor TLS."""
        return opened(first, peer.port) if first else greeted(peer.port)

    async def _first_inside(self, reader: asyncio.StreamReader, seconds: float) -> bytes:
        data = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not data or (not protocol(data) and not reader.at_eof()):
                    more = await reader.read(1 << 16)
                    if not more:
                        break
                    data += more
        return data

    async def close(self) -> None:
        """End every connection; each is recorded."""
        tasks = [entry.task for entry in self._open if entry.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _NotYet(asyncio.Protocol):
    """Of a connection whose TLS is about to begin: nothing is read before."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()


def _unread(reader: asyncio.StreamReader, data: bytes) -> None:
    reader._buffer[:0] = data  # type: ignore[attr-defined]  # asyncio offers no way to look without taking


def _certifiable(name: str) -> str:
    try:
        name.encode("ascii")
    except UnicodeEncodeError:
        return "localhost"
    return name if 0 < len(name) <= 253 else "localhost"


async def _peek(sock: socket.socket, size: int, timeout: float) -> bytes | None:
    """What lies in the buffer, without taking it; b"" at the end, None at the timeout."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(max(timeout, 0.001)):
            while True:
                ready: asyncio.Future[None] = loop.create_future()
                loop.add_reader(sock, _fulfil, ready)
                try:
                    await ready
                finally:
                    loop.remove_reader(sock)
                with contextlib.suppress(BlockingIOError):  # woken for nothing: select(2), BUGS
                    return sock.recv(size, socket.MSG_PEEK)
    except TimeoutError:
        return None


def _fulfil(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _close(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
        writer.close()
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await writer.wait_closed()
        finally:
            writer.transport.abort()
