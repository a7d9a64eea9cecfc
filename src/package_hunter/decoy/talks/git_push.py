"""git over SSH: a push is taken, and what its pack holds is heard; a fetch finds an empty repository."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from package_hunter.decoy.talks.packs import PackReader

_PIECE = 64 << 10
_REFS = 4_096  # updated by one push
_PKT = 65_520  # bytes of a pkt-line, at most
_NONE = b"0" * 40
_OFFERS = b"report-status delete-refs ofs-delta object-format=sha1 agent=git/2.39.5"
Hear = Callable[[bytes], None]


class Reader(Protocol):
    """The client's side, as much of it as is there."""

    async def read(self, n: int) -> bytes: ...


Say = Callable[[bytes], Awaitable[None]]


def packet(data: bytes) -> bytes:
    """A pkt-line (gitprotocol-common)."""
    return b"%04x%b" % (len(data) + 4, data)


class Packets:
    """Pkt-lines of a stream; ValueError where there are none, EOFError at the end."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.rest = b""  # read already, behind the last line

    async def next(self) -> bytes:
        """The next line, b"" for a flush."""
        head = await self._exactly(4)
        size = int(head, 16) if all(byte in b"0123456789abcdefABCDEF" for byte in head) else -1
        if size == 0:
            return b""
        if not 4 < size <= _PKT:
            raise ValueError("bad line length")
        return await self._exactly(size - 4)

    async def _exactly(self, size: int) -> bytes:
        while len(self.rest) < size:
            data = await self._reader.read(_PIECE)
            if not data:
                raise EOFError
            self.rest += data
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    async def pieces(self) -> AsyncIterator[bytes]:
        """What follows the last line, until its end."""
        if self.rest:
            yield self.rest
        while data := await self._reader.read(_PIECE):
            yield data


async def receive_pack(reader: Reader, say: Say, hear: Hear) -> None:
    """Take a push. ValueError where the client speaks something else, EOFError where it goes early."""
    await say(packet(_NONE + b" capabilities^{}\0" + _OFFERS + b"\n") + b"0000")
    packets = Packets(reader)
    names, packed = await _updates(packets)
    if not names:
        return
    if packed:
        await _unpack(packets, hear)
    report = packet(b"unpack ok\n") + b"".join(packet(b"ok %b\n" % name) for name in names)
    await say(report + b"0000")


async def _updates(packets: Packets) -> tuple[list[bytes], bool]:
    """The names of the refs that are to change, and whether a pack follows."""
    names: list[bytes] = []
    packed = False
    while line := await packets.next():
        _, new, name = (*line.partition(b"\0")[0].rstrip(b"\n").split(b" ", 2), b"", b"", b"")[:3]
        if len(names) >= _REFS or not name:
            raise ValueError("bad list of refs")
        names.append(name[:1024])
        packed = packed or new != _NONE
    return names, packed


async def _unpack(packets: Packets, hear: Hear) -> None:
    pack = PackReader()
    async for data in packets.pieces():
        for plain in pack.feed(data):
            hear(plain)
        if pack.done:
            return
    raise EOFError


async def upload_pack(reader: Reader, say: Say) -> None:
    """An empty repository to fetch from."""
    await say(packet(_NONE + b" capabilities^{}\0agent=git/2.39.5\n") + b"0000")
    await reader.read(_PIECE)
