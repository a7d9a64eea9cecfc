"""A connection inside a proxy's: it is served as one to where the client asked the proxy to go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from package_hunter.decoy.line import Line
from package_hunter.decoy.record import now
from package_hunter.decoy.web import Peer

_PIECE = 256 << 10
_LAST_SECONDS = 5.0


def destination(target: str, peer: Peer) -> tuple[str, int]:
    """Host and port of CONNECT's target; what is none: the proxy's own."""
    host, _, port = target.rpartition(":")
    host = host.strip("[]").lower()
    if not host or not port.isdigit() or not 0 < int(port[:6]) < 65_536:
        return peer.host, peer.port
    return host[:253], int(port)


def inner_peer(peer: Peer, host: str, port: int) -> Peer:
    """The connection inside, as if it had come there itself; records of both are told apart by what they name."""
    return Peer(peer.address, port, peer.peer_port, host, started_ns=now())


async def carry(
    line: Line, outer: socket.socket, count: Callable[[int], None], said: Callable[[int], None]
) -> None:
    """Bytes between the proxy's connection and ``outer``, the other end of which is served; until both ended."""
    reader, writer = await asyncio.open_connection(sock=outer, limit=_PIECE)
    back = asyncio.get_running_loop().create_task(_back(reader, line, said))
    try:
        with contextlib.suppress(TimeoutError):
            while data := await line.hear(_PIECE, None if line.over else 60.0):
                count(len(data))
                with contextlib.suppress(OSError):
                    writer.write(data)
                    await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()
        await asyncio.wait({back}, timeout=_LAST_SECONDS)
    finally:
        back.cancel()
        writer.close()


async def _back(reader: asyncio.StreamReader, line: Line, said: Callable[[int], None]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_PIECE):
            said(await line.say(data))
        await line.hang_up()
