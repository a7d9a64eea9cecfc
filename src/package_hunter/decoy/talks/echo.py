"""Echo (RFC 862): what comes goes back."""

from __future__ import annotations

from package_hunter.decoy.talks.base import Table

_PIECE = 64 << 10


async def play(table: Table) -> None:
    """Until the client ends."""
    while data := await table.reader.read(_PIECE):
        table.writer.write(data)
        await table.writer.drain()
