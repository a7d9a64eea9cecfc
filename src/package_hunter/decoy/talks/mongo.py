"""MongoDB's wire protocol: a server on its own that lets in whoever says a password, and takes whatever comes.

Facts: mongodb.com/docs/manual/reference/mongodb-wire-protocol; specifications "OP_MSG", "Wire Compression".
"""

from __future__ import annotations

import struct
import zlib

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.bounded import pour, take
from package_hunter.decoy.talks.mongo_replies import Session

_LONGEST = 48_000_000 + 16
_KEPT = 64 << 10  # of one message
_REPLY, _QUERY, _COMPRESSED, _MESSAGE = 1, 2004, 2012, 2013
_ZLIB = 2
_OUT = 64 << 20  # bytes that come out of one compressed message, at most


class Inflated:
    """What comes out of a compressed message: heard piece by piece, its first bytes kept."""

    def __init__(self, table: Table) -> None:
        self._table, self._stream = table, zlib.decompressobj()
        self._left = _OUT
        self.kept = b""

    def feed(self, data: bytes) -> None:
        """The next compressed bytes; what follows a broken stream is not looked into, it was searched as it came."""
        while data and self._left > 0:
            try:
                out = self._stream.decompress(data, min(_KEPT, self._left))
            except zlib.error:
                self._left = 0
                return
            data = self._stream.unconsumed_tail
            self._left -= len(out)
            self.kept += out[: max(0, _KEPT - len(self.kept))]
            self._table.heard(out)
            if not out:
                return


async def play(table: Table) -> None:
    """Messages and their answers, until the client is gone."""
    session = Session()
    while True:
        size, number, _, kind = struct.unpack("<iiii", await table.reader.readexactly(16))
        if not 16 <= size <= _LONGEST:
            return  # as mongod does
        if kind == _COMPRESSED and size >= 25:
            kind, body = await _compressed(table, size - 16)
        else:
            body = await take(table.reader, size - 16, _KEPT)
        if kind == _MESSAGE:
            answer = session.message(body)
        elif kind == _QUERY:
            answer = session.query(body)
        else:
            answer = b""  # inserts and the like of old clients, which nobody answers
        if answer:
            reply = _REPLY if kind == _QUERY else _MESSAGE
            table.writer.write(
                struct.pack("<iiii", 16 + len(answer), number + 1 & 0x7FFFFFFF, number, reply) + answer
            )
            await table.writer.drain()


async def _compressed(table: Table, size: int) -> tuple[int, bytes]:
    """The inner message's kind and first 64 KiB."""
    kind, _, how = struct.unpack("<iiB", await table.reader.readexactly(9))
    if how == 0:
        return kind, await take(table.reader, size - 9, _KEPT)
    inflated = Inflated(table)
    await pour(table.reader, size - 9, inflated.feed if how == _ZLIB else _ignore)
    return kind, inflated.kept


def _ignore(data: bytes) -> None:
    """Compressed in a way that was not offered."""
