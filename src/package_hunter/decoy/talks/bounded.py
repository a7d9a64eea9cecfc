"""Reading what a client announces, whatever length it claims: the first of it is kept, the rest goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_PIECE = 64 << 10


async def take(reader: asyncio.StreamReader, size: int, keep: int) -> bytes:
    """The first ``keep`` of the next ``size`` bytes, once all of them went by. IncompleteReadError where they end
    before."""
    kept = await reader.readexactly(min(size, keep))
    left = size - len(kept)
    while left:
        piece = await reader.read(min(left, _PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(kept, size)
        left -= len(piece)
    return kept


async def pour(reader: asyncio.StreamReader, size: int, into: Callable[[bytes], None]) -> None:
    """``size`` bytes, piece by piece, to ``into``; nothing is kept. IncompleteReadError as above."""
    left = size
    while left:
        piece = await reader.read(min(left, _PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        into(piece)


async def line(reader: asyncio.StreamReader, keep: int) -> bytes:
    """A line without its end, at most ``keep`` bytes of it. LimitOverrunError where it is longer,
    IncompleteReadError where there is none."""
    whole = await reader.readuntil(b"\n")
    if len(whole) > keep:
        raise asyncio.LimitOverrunError("a line without an end", len(whole))
    return whole.rstrip(b"\r\n")
