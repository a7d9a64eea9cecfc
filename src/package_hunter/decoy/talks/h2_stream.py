"""One request of HTTP/2, asked of the gateway in HTTP/1.1 and answered with what the gateway says."""

from __future__ import annotations

import asyncio
import contextlib

import h11
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from package_hunter.decoy.talks.base import Table

STREAMS = 100  # at the same time, which is what servers announce
_PIECE = 64 << 10
_EMPTY_MESSAGE = b"\0\0\0\0\0"  # gRPC: not compressed, length 0
_STALLED_SECONDS = 60.0  # of a client that opens no window
_OF_A_CONNECTION = (b"connection", b"transfer-encoding", b"keep-alive", b"proxy-connection", b"upgrade")

Headers = list[tuple[bytes, bytes]]


class Outlet:
    """What all streams of a connection write to."""

    def __init__(self, connection: H2Connection, writer: asyncio.StreamWriter) -> None:
        self.connection, self._writer = connection, writer
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something came: a window may have opened."""
        self._news.set()
        self._news = asyncio.Event()

    def flush(self) -> None:
        self._writer.write(self.connection.data_to_send())

    async def send(self, number: int, data: bytes) -> None:
        """As the client's windows allow. TimeoutError where they stay shut, ProtocolError where it is gone."""
        while data:
            room = self.connection.local_flow_control_window(number)
            room = min(room, self.connection.max_outbound_frame_size)
            if room <= 0:
                news = self._news
                async with asyncio.timeout(_STALLED_SECONDS):
                    await news.wait()
                continue
            self.connection.send_data(number, data[:room])
            data = data[room:]
            self.flush()
            await self._writer.drain()


class Stream:
    """``body`` is fed with what comes, with its size in the window, and None at its end."""

    def __init__(self, outer: Table, outlet: Outlet, number: int, headers: Headers, has_body: bool) -> None:
        self._outer, self._outlet, self._number = outer, outlet, number
        self._headers, self._has_body = headers, has_body
        self.body: asyncio.Queue[tuple[bytes, int] | None] = asyncio.Queue()  # the window bounds it
        self.done = asyncio.Event()
        self.over = False  # takes no more of the body
        self._asking: asyncio.Task[None] | None = None
        self._stopped = False

    def stop(self) -> None:
        """The client wants no answer."""
        self._stopped = True
        self.body.put_nowait(None)

    async def play(self, table: Table) -> None:
        """``table`` is the connection to the gateway."""
        try:
            await self._exchange(table)
        except (OSError, EOFError, ProtocolError, h11.ProtocolError):
            with contextlib.suppress(ProtocolError):  # it, or the whole connection, has ended
                self._outlet.connection.reset_stream(self._number, ErrorCodes.INTERNAL_ERROR)
        finally:
            self.over = True
            self._drop()
            self.done.set()

    async def _exchange(self, table: Table) -> None:
        http = h11.Connection(h11.CLIENT)
        try:
            head = http.send(request(self._headers, self._has_body))
        except h11.LocalProtocolError:  # nothing that HTTP/1.1 can say
            self._outer.heard(b"".join(name + b": " + value + b"\n" for name, value in self._headers))
            self._answer([(b":status", b"400")], end=True)
            return
        with contextlib.suppress(OSError):  # it was refused before its end: the answer says how
            table.writer.write(head or b"")
            await self._pour(table, http)
        if not self._stopped:
            await self._reply(table, http)

    async def _pour(self, table: Table, http: h11.Connection) -> None:
        while (piece := await self.body.get()) is not None:
            data, size = piece
            table.writer.write(http.send(h11.Data(data=data)) or b"")
            await table.writer.drain()
            self._acknowledge(size)
        if self._stopped:
            raise EOFError
        table.writer.write(http.send(h11.EndOfMessage()) or b"")
        await table.writer.drain()

    async def _reply(self, table: Table, http: h11.Connection) -> None:
        grpc = dict(self._headers).get(b"content-type", b"").startswith(b"application/grpc")
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                http.receive_data(await table.reader.read(_PIECE))
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                raise EOFError
            elif grpc:
                continue
            elif isinstance(event, h11.Response):
                self._answer(_response(event))
            elif isinstance(event, h11.Data):
                await self._outlet.send(self._number, bytes(event.data))
        if grpc:
            self._answer([(b":status", b"200"), (b"content-type", b"application/grpc")])
            await self._outlet.send(self._number, _EMPTY_MESSAGE)
            self._answer([(b"grpc-status", b"0")], end=True)
        else:
            self._outlet.connection.end_stream(self._number)
            self._outlet.flush()

    def _answer(self, headers: Headers, end: bool = False) -> None:
        self._outlet.connection.send_headers(self._number, headers, end_stream=end)
        self._outlet.flush()

    def _acknowledge(self, size: int) -> None:
        with contextlib.suppress(ProtocolError):  # the connection has ended
            self._outlet.connection.acknowledge_received_data(size, self._number)
            self._outlet.flush()

    def _drop(self) -> None:
        """What the gateway did not take is heard all the same."""
        while not self.body.empty():
            if (piece := self.body.get_nowait()) is not None:
                self._outer.heard(piece[0])
                self._acknowledge(piece[1])


def request(headers: Headers, has_body: bool) -> h11.Request:
    """The same request in HTTP/1.1. LocalProtocolError where there is none."""
    pseudo = {name: value for name, value in headers if name.startswith(b":")}
    plain = [(n, v) for n, v in headers if not n.startswith(b":") and n not in (*_OF_A_CONNECTION, b"cookie")]
    names = {name for name, _ in plain}
    if b":authority" in pseudo:
        plain = [(b"host", pseudo[b":authority"]), *((n, v) for n, v in plain if n != b"host")]
    if cookies := [value for name, value in headers if name == b"cookie"]:
        plain.append((b"cookie", b"; ".join(cookies)))
    if has_body and b"content-length" not in names:
        plain.append((b"transfer-encoding", b"chunked"))
    target = pseudo.get(b":path") or pseudo.get(b":authority", b"")
    return h11.Request(method=pseudo.get(b":method", b""), target=target, headers=plain)


def _response(event: h11.Response) -> Headers:
    kept = [(name, value) for name, value in event.headers if name not in _OF_A_CONNECTION]
    return [(b":status", str(event.status_code).encode()), *kept]
