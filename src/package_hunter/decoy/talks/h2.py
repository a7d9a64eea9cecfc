"""HTTP/2 (RFC 9113), and gRPC over it: each request is answered, a call of any method with an empty message."""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from package_hunter.decoy.talks.base import Table

_PIECE = 64 << 10
_STREAMS = 100  # at the same time, which is what servers announce
_EMPTY_MESSAGE = b"\0\0\0\0\0"  # gRPC: not compressed, length 0
_BODY = b'{"ok":true}\n'


class _Session:
    """The server's side of one connection."""

    def __init__(self, table: Table) -> None:
        self._table = table
        config = H2Configuration(client_side=False, header_encoding=None)
        self.connection = H2Connection(config)
        self.connection.local_settings.max_concurrent_streams = _STREAMS
        self._calls: dict[int, bool] = {}  # stream: whether it is gRPC

    def take(self, event: Event) -> None:
        """Answer what is whole; everything said is heard (headers are packed on the wire)."""
        if isinstance(event, RequestReceived):
            headers = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
            self._table.heard(b"".join(name + b": " + value + b"\n" for name, value in headers))
            kind = dict(headers).get(b"content-type", b"")
            self._calls[event.stream_id or 0] = kind.startswith(b"application/grpc")
        elif isinstance(event, DataReceived):
            self._table.heard(event.data or b"")
            self.connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        elif isinstance(event, StreamEnded):
            self._answer(event.stream_id or 0)
        elif isinstance(event, StreamReset):
            self._calls.pop(event.stream_id or 0, None)

    def _answer(self, stream: int) -> None:
        grpc = self._calls.pop(stream, False)
        kind = "application/grpc" if grpc else "application/json"
        self.connection.send_headers(stream, [(":status", "200"), ("content-type", kind)])
        self.connection.send_data(stream, _EMPTY_MESSAGE if grpc else _BODY, end_stream=not grpc)
        if grpc:
            self.connection.send_headers(stream, [("grpc-status", "0")], end_stream=True)


async def play(table: Table) -> None:
    """Until the client ends, or breaks the protocol."""
    session = _Session(table)
    session.connection.initiate_connection()
    whole = True
    while whole:
        table.writer.write(session.connection.data_to_send())
        await table.writer.drain()
        data = await table.reader.read(_PIECE)
        if not data:
            return
        try:
            for event in session.connection.receive_data(data):
                session.take(event)
        except ProtocolError:  # told in a GOAWAY
            whole = False
    table.writer.write(session.connection.data_to_send())
    await table.writer.drain()
