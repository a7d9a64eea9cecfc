"""HTTP/1.1 with the box, in the clear or inside TLS: read a request, answer it, record it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus

import h11

from package_hunter.decoy.record import now
from package_hunter.decoy.web import Answer, Ask, Peer
from package_hunter.decoy.world import World
from package_hunter.model.observation import Request

METHODS = (
    b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"OPTIONS ", b"CONNECT ", b"TRACE ",
    b"PROPFIND ", b"MKCOL ", b"SEARCH ", b"REPORT ",
)  # fmt: skip
_CHUNK = 256 << 10

Respond = Callable[[Ask], Awaitable[Answer]]


class Conversation:
    """The requests of one connection, one after the other."""

    def __init__(
        self,
        world: World,
        peer: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        respond: Respond,
        spent: Callable[[int], None],
    ) -> None:
        self._world, self._peer, self._respond = world, peer, respond
        self._reader, self._writer, self._spent = reader, writer, spent
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=64 << 10)
        self.tunnel = False  # after CONNECT: the connection goes on as another

    async def run(self) -> None:
        """Until the box or a limit ends it."""
        while await self._one():
            pass

    async def _one(self) -> bool:
        try:
            async with asyncio.timeout(self._world.spec.limits.head_seconds + 40):
                event = await self._next()
        except (TimeoutError, h11.RemoteProtocolError) as error:
            if isinstance(error, TimeoutError) and not self._http.trailing_data[0]:
                return False  # kept alive, and nothing more came
            return await self._refuse(error)
        if not isinstance(event, h11.Request):
            return False
        ask = self._ask(event)
        started = now()
        try:
            size = await self._body(ask)
        except (TimeoutError, h11.RemoteProtocolError) as error:
            self._note(started, ask, -1, 400, False)
            return await self._refuse(error)
        if not self._peer.local:  # nothing of that leaves the machine
            self._world.watch.request(ask)
        answer = await self._respond(ask)
        self._note(started, ask, size, answer.status, answer.registry)
        if ask.method == "CONNECT" and answer.status == 200:
            self._writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.tunnel = True
            return False
        await self._send(ask, answer)
        if self._http.our_state is h11.MUST_CLOSE or self._http.our_state is h11.CLOSED:
            return False
        self._http.start_next_cycle()
        return True

    async def _next(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            if self._http.they_are_waiting_for_100_continue:
                reply = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._writer.write(self._http.send(reply) or b"")
            data = await self._reader.read(_CHUNK)
            self._peer.bytes_out += len(data)
            self._spent(len(data))
            self._http.receive_data(data)

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

    async def _body(self, ask: Ask) -> int:
        kept, size = bytearray(), 0
        limit = self._world.spec.limits.body_bytes
        sink = None
        while True:
            async with asyncio.timeout(self._world.spec.limits.idle_seconds):
                event = await self._next()
            if not isinstance(event, h11.Data):
                break
            if sink is None and not self._peer.local:
                sink = self._world.watch.body(ask)
            data = bytes(event.data)
            size += len(data)
            if len(kept) < limit:
                kept += data[: limit - len(kept)]
            if sink is not None:
                sink.feed(data)
        if sink is not None:
            sink.close()
        ask.body = bytes(kept)
        if size > len(kept):
            ask.cut = True
            self._world.record.count_cut("body_bytes", size - len(kept))
        return size

    def _note(self, started: int, ask: Ask, size: int, status: int, registry: bool) -> None:
        if self._peer.local:
            return
        headers = tuple((name[:256], value[:8192]) for name, value in list(ask.headers.items())[:100])
        size = len(ask.body) if size < 0 else size
        self._world.record(
            "request",
            Request(
                started, ask.method, ask.url[:16_384], headers, ask.body, size, status, self._peer.peer_port,
                registry,
            ),
        )  # fmt: skip

    async def _refuse(self, error: Exception) -> bool:
        if isinstance(error, h11.RemoteProtocolError):
            self._world.record.count_cut("malformed_http")
        else:
            self._world.record.count_cut("slow_connections")
        self._writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        return False

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
        self._peer.bytes_in += len(data)
        self._writer.write(data)
        async with asyncio.timeout(self._world.spec.limits.idle_seconds):
            await self._writer.drain()


async def _parts(body: object) -> AsyncIterator[bytes]:
    if hasattr(body, "__aiter__"):
        async for part in body:
            yield part
        return
    with body as file:  # type: ignore[attr-defined]
        while part := file.read(_CHUNK):
            yield part
