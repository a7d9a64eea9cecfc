"""Our side of a connection: what is said on it, how long is waited, and its end.

A server that has said all closes its side at once, and hears the other side to its end: so a program that never
reads its answer is not held, and what it sends late is still seen.
"""

from __future__ import annotations

import asyncio
import socket

from package_hunter.decoy.spec import Limits

_LOOK_SECONDS = 0.01  # between two looks at what still waits to be sent


class Line:
    """``raw`` is the transport of the bytes on the wire: below TLS, where that is spoken, else the writer's own."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        raw: asyncio.Transport,
        limits: Limits,
    ) -> None:
        self._reader, self._writer, self._raw, self._limits = reader, writer, raw, limits
        self.over = False  # our side is closed: nothing is said any more

    async def hear(self, size: int, seconds: float | None = None) -> bytes:
        """What comes next, at most ``size`` bytes; b"" at the end. After ``seconds`` (``idle_seconds``) of silence
        our side is closed; TimeoutError after ``patience_seconds`` more of it."""
        if not self.over:
            try:
                async with asyncio.timeout(self._limits.idle_seconds if seconds is None else seconds):
                    return await self._reader.read(size)
            except TimeoutError:
                await self.hang_up()
        async with asyncio.timeout(self._limits.patience_seconds):
            return await self._reader.read(size)

    async def say(self, data: bytes) -> int:
        """Send; how many bytes went (none once our side is closed). TimeoutError where nothing of it is taken
        for ``patience_seconds``."""
        if self.over:
            return 0
        self._writer.write(data)
        async with asyncio.timeout(self._limits.patience_seconds):
            await self._writer.drain()
        return len(data)

    async def hang_up(self) -> None:
        """Close our side, once all that was said is on its way; the other side is still heard."""
        if self.over:
            return
        self.over = True
        if await self._flushed():
            try:
                self._raw.get_extra_info("socket").shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the other end is gone already

    async def _flushed(self) -> bool:
        """Waits for what still is to be sent; False where none of it is taken for ``idle_seconds``."""
        loop = asyncio.get_running_loop()
        left, since = self._unsent(), loop.time()
        while left:
            await asyncio.sleep(_LOOK_SECONDS)
            now = self._unsent()
            if now < left:
                since = loop.time()
            elif loop.time() - since > self._limits.idle_seconds:
                return False
            left = now
        return not self._raw.is_closing()

    def _unsent(self) -> int:
        own = self._writer.transport
        above = own.get_write_buffer_size() if own is not self._raw else 0
        return self._raw.get_write_buffer_size() + above
