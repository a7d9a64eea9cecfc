"""HTTP/2 (RFC 9113), and gRPC over it: a request is asked of the gateway in HTTP/1.1, on a connection of its own.

So it is searched, recorded and answered as any other. A call of gRPC is recorded too; its answer is an empty message.
"""

from __future__ import annotations

import asyncio

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.h2_stream import STREAMS, Outlet, Stream

_PIECE = 64 << 10
_HEADER_BYTES = 64 << 10  # of one request, unpacked: what HTTP/1.1 may have as well
_UNREAD_BYTES = 4 << 20  # of answers that the client does not take
_LAST_SECONDS = 5.0  # for requests that are whole, after the client's end


class _Session:
    """The server's side of one connection."""

    def __init__(self, table: Table) -> None:
        self._table = table
        config = H2Configuration(client_side=False, header_encoding=None)
        self.connection = H2Connection(config)
        self.connection.local_settings.max_concurrent_streams = STREAMS
        self.connection.local_settings.max_header_list_size = _HEADER_BYTES
        self.outlet = Outlet(self.connection, table.writer)
        self._streams: dict[int, Stream] = {}

    async def take(self, event: Event) -> bool:
        """Pass on what came; False at the end."""
        if isinstance(event, ConnectionTerminated):
            return False
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, RequestReceived):
            return await self._begin(event)
        if isinstance(event, DataReceived):
            self._data(stream, event)
        elif isinstance(event, StreamEnded) and stream:
            stream.body.put_nowait(None)
        elif isinstance(event, StreamReset) and stream:
            stream.stop()
        self.outlet.wake()
        return True

    def _data(self, stream: Stream | None, event: DataReceived) -> None:
        size = event.flow_controlled_length or 0
        if stream is None or stream.over:  # answered already
            self._table.heard(event.data or b"")
            self.connection.acknowledge_received_data(size, event.stream_id or 0)
        else:
            stream.body.put_nowait((event.data or b"", size))

    async def _begin(self, event: RequestReceived) -> bool:
        self._streams = {number: one for number, one in self._streams.items() if not one.done.is_set()}
        number = event.stream_id or 0
        headers = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
        stream = Stream(self._table, self.outlet, number, headers, event.stream_ended is None)
        if len(self._streams) >= 2 * STREAMS:  # begun and reset, faster than they can be ended
            self._table.heard(b"".join(name + b": " + value + b"\n" for name, value in headers))
            self.connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            return False
        self._streams[number] = stream
        await self._table.ask(stream.play)
        return True

    async def end(self) -> None:
        """Requests that are whole are still asked, the others have ended here."""
        for stream in self._streams.values():
            stream.body.put_nowait(None)
        waiting = [asyncio.ensure_future(one.done.wait()) for one in self._streams.values()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=_LAST_SECONDS)
            for task in late:
                task.cancel()


async def play(table: Table) -> None:
    """Until the client ends, or breaks the protocol."""
    session = _Session(table)
    session.connection.initiate_connection()
    try:
        await _listen(table, session)
    except ProtocolError:  # told in a GOAWAY
        pass
    finally:
        session.outlet.flush()
        await session.end()
    await table.writer.drain()


async def _listen(table: Table, session: _Session) -> None:
    while table.writer.transport.get_write_buffer_size() < _UNREAD_BYTES:
        session.outlet.flush()
        data = await table.reader.read(_PIECE)
        if not data:
            return
        for event in session.connection.receive_data(data):
            if not await session.take(event):
                return
