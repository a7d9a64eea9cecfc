"""HTTP/1.1 with the box, in the clear or inside TLS: read a request, answer it, record it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus

import h11

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.line import Line
from package_hunter.decoy.record import now
from package_hunter.decoy.web import Answer, Ask, Peer
from package_hunter.model.observation import Request

METHODS = (
    b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"OPTIONS ", b"CONNECT ", b"TRACE ",
    b"PROPFIND ", b"MKCOL ", b"SEARCH ", b"REPORT ",
)  # fmt: skip
_CHUNK = 256 << 10
_WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

Respond = Callable[[Ask], Awaitable[Answer]]


class Conversation:
    """The requests of one connection, one after the other.

    A stranger's connection ends with the answer, a registry's is kept. What still comes after the end is heard,
    searched and recorded like the rest, and not answered.
    """

    def __init__(
        self, world: DecoyContext, peer: Peer, line: Line, respond: Respond, spent: Callable[[int], None]
    ) -> None:
        self._world, self._peer, self._respond = world, peer, respond
        self._line, self._spent = line, spent
        self._limits = world.spec.limits
        self._http = _server()
        self._unread = b""  # what came and was no whole request yet
        self._begun = False  # of a request something has come, not all
        self._kept = False  # a package manager's connection to a registry: it may ask again
        self.tunnel = ""  # after CONNECT: where to; the connection goes on as another
        self.upgraded = False  # to WebSocket

    async def run(self) -> None:
        """Until the box or a limit ends it."""
        try:
            while await self._one():
                pass
        except (
            BaseException
        ):  # the end came in the middle, also by the end of the scan: nothing goes unsearched
            self._search(self._unread)
            raise

    async def _one(self) -> bool:
        try:
            event = await self._head()
        except (TimeoutError, h11.RemoteProtocolError) as error:
            if isinstance(error, TimeoutError) and not self._begun:
                return False  # nothing more came
            return await self._refuse(error)
        if not isinstance(event, h11.Request):
            return False
        ask, started = self._ask(event), now()
        try:
            await self._take(ask, started)
        except (TimeoutError, h11.RemoteProtocolError) as error:
            return await self._refuse(error)
        answer = await self._respond(ask)
        self._note(started, ask, answer.status, answer.registry)
        if ask.method == "CONNECT" and answer.status == 200:
            await self._line.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.tunnel = ask.target
            return False
        if accept := _websocket(ask):
            await self._write(accept)
            self.upgraded = True
            return False
        self._kept = answer.registry and ask.by_manager
        answer.close = answer.close or not answer.registry
        await self._send(ask, answer)
        return await self._go_on()

    async def _take(self, ask: Ask, started: int) -> None:
        """The body of a request; what came of it is searched and noted, even where the rest never does."""
        whole = False
        try:
            await self._body(ask)
            whole = True
        finally:
            if not self._peer.local:  # nothing of that leaves the machine
                self._world.watch.request(ask)
            if not whole:
                self._note(started, ask, 400, False)

    async def _go_on(self) -> bool:
        """After an answer: wait for the next request, or end our side where this was the last."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._begun = bool(self._http.trailing_data[0])
            return True
        came, ended = self._http.trailing_data
        self._http, self._begun = _server(), bool(came.strip(b"\r\n"))
        if came:  # asked before our answer could be read
            self._http.receive_data(came)
        if ended:
            self._http.receive_data(b"")
        if not self._begun:
            await self._line.hang_up()
        return True

    async def _head(self) -> h11.Event:
        """The next request's head, which must be whole in time once it has begun."""
        if not self._begun:
            await self._read()
        async with asyncio.timeout(self._limits.patience_seconds):
            return await self._next()

    async def _next(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                if not isinstance(event, h11.Data):
                    self._unread = self._http.trailing_data[0]
                return event  # type: ignore[return-value]
            if self._http.they_are_waiting_for_100_continue and not self._line.over:
                reply = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                await self._line.say(self._http.send(reply) or b"")
            await self._read()

    async def _read(self) -> None:
        """More bytes, or the end."""
        left = self._http.trailing_data[0]
        data = await self._line.hear(_CHUNK, self._quiet_seconds())
        self._unread = left + data
        self._begun = True
        self._peer.sent(len(data))
        self._spent(len(data))
        self._http.receive_data(data)

    def _quiet_seconds(self) -> float:
        """How long the box may say nothing before our side ends."""
        if self._begun:
            return self._limits.unfinished_seconds
        return self._limits.patience_seconds if self._kept else self._limits.idle_seconds

    def _ask(self, event: h11.Request) -> Ask:
        headers: dict[str, str] = {}
        for name, value in event.headers:
            headers[name.decode("latin-1")] = value.decode("latin-1")
        host = headers.get("host", "").rsplit("@")[-1].strip().lower()
        if host.startswith("["):
            host = host[1:].partition("]")[0]
        elif host.count(":") == 1:
            host = host.partition(":")[0]
        return Ask(
            event.method.decode("latin-1"), event.target.decode("latin-1"), host or self._peer.host, headers,
            self._peer,
        )  # fmt: skip

    async def _body(self, ask: Ask) -> None:
        kept, limit = bytearray(), self._limits.body_bytes
        sink = None if self._peer.local else self._world.watch.body(ask)
        try:
            while isinstance(event := await self._next(), h11.Data):
                data = bytes(event.data)
                ask.size += len(data)
                kept += data[: max(0, limit - len(kept))]
                if sink is not None:
                    sink.feed(data)
        finally:
            if sink is not None:
                sink.close()
            ask.body, ask.cut = bytes(kept), ask.size > len(kept)
            if ask.cut:
                self._world.record.count_cut("body_bytes", ask.size - len(kept))

    def _note(self, started: int, ask: Ask, status: int, registry: bool) -> None:
        if self._peer.local:
            return
        headers = tuple((name[:256], value[:8192]) for name, value in list(ask.headers.items())[:100])
        self._world.record(
            "request",
            Request(
                started, ask.method, ask.url[:16_384], headers, ask.body, ask.size, status,
                self._peer.peer_port, registry, None, self._peer.sent_ns,
            ),
        )  # fmt: skip

    async def _refuse(self, error: Exception) -> bool:
        """What came is no request, or was not whole in time: searched as it is, with all that still comes."""
        if isinstance(error, h11.RemoteProtocolError):
            self._world.record.count_cut("malformed_http")
        else:
            self._world.record.count_cut("slow_connections")
        await self._line.say(_BAD_REQUEST)
        await self._line.hang_up()
        sink = None if self._peer.local else self._world.watch.raw(self._peer, self._channel)
        data, self._unread = self._unread, b""
        try:
            while data:
                if sink is not None:
                    sink.feed(data)
                data = await self._line.hear(_CHUNK)
                self._peer.sent(len(data))
                self._spent(len(data))
        except TimeoutError:
            pass
        finally:
            if sink is not None:
                sink.close()
        return False

    @property
    def rest(self) -> bytes:
        """What came behind the request after which the connection goes on as another."""
        return self._http.trailing_data[0]

    def _search(self, data: bytes) -> None:
        if data and not self._peer.local:
            sink = self._world.watch.raw(self._peer, self._channel)
            sink.feed(data)
            sink.close()

    @property
    def _channel(self) -> str:
        return "tls" if self._peer.tls else "tcp"

    async def _send(self, ask: Ask, answer: Answer) -> None:
        headers = [("date", formatdate(usegmt=True))]
        if not any(n.lower() == "server" for n, _ in answer.headers):
            headers.append(("server", "nginx"))
        headers += [(n, v) for n, v in answer.headers if n.lower() != "content-length"]
        if not any(n.lower() == "content-type" for n, _ in headers):
            headers.append(("content-type", answer.type))
        length = len(answer.body) if isinstance(answer.body, bytes) else answer.length
        if hasattr(answer.body, "fileno"):
            import os

            length = os.fstat(answer.body.fileno()).st_size
        headers.append(
            ("content-length", str(length)) if length is not None else ("transfer-encoding", "chunked")
        )
        if answer.close:
            headers.append(("connection", "close"))
        reason = HTTPStatus(answer.status).phrase if answer.status in HTTPStatus._value2member_map_ else ""
        head = self._http.send(h11.Response(status_code=answer.status, headers=headers, reason=reason))
        data = [head or b""]
        if isinstance(answer.body, bytes):
            if ask.method != "HEAD" and answer.body:
                data += self._http.send_with_data_passthrough(h11.Data(data=answer.body)) or []
            data.append(self._http.send(h11.EndOfMessage()) or b"")
            await self._write(b"".join(data))
            return
        await self._write(b"".join(data))
        if ask.method != "HEAD":
            async for part in _parts(answer.body):
                await self._write(b"".join(self._http.send_with_data_passthrough(h11.Data(data=part)) or []))
        await self._write(self._http.send(h11.EndOfMessage()) or b"")

    async def _write(self, data: bytes) -> None:
        self._peer.bytes_in += await self._line.say(data)


def _websocket(ask: Ask) -> bytes:
    """The answer that upgrades (RFC 6455 4.2.2); b"" where nothing else was asked for."""
    key = ask.headers.get("sec-websocket-key", "")
    if (
        not key
        or ask.method != "GET"
        or ask.headers.get("upgrade", "").lower() != "websocket"
        or ask.peer.local
    ):
        return b""
    digest = hashlib.sha1((key + _WEBSOCKET).encode("latin-1"), usedforsecurity=False).digest()
    accept = base64.b64encode(digest).decode()
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()


def _server() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=64 << 10)


async def _parts(body: object) -> AsyncIterator[bytes]:
    if hasattr(body, "__aiter__"):
        async for part in body:
            yield part
        return
    with body as file:  # type: ignore[attr-defined]
        while part := file.read(_CHUNK):
            yield part
