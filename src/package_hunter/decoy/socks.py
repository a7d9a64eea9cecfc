"""SOCKS 4, 4a and 5 (RFC 1928, 1929): the handshake of a proxy that connects to everything."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable

_WORD = 255  # bytes of a name or user
Say = Callable[[bytes], Awaitable[object]]


def is_socks(first: bytes) -> bool:
    """Whether a client's first bytes begin a handshake and are nothing else."""
    if first[:1] == b"\x05":
        return len(first) > 2 and len(first) == 2 + first[1]
    return first[:2] == b"\x04\x01" and len(first) >= 9 and first[-1] == 0


async def handshake(
    reader: asyncio.StreamReader, say: Say, heard: Callable[[bytes], None]
) -> tuple[str, int]:
    """Where the client wants to go; ``heard`` gets every byte. EOFError where it ends or says what is no SOCKS."""
    take = _Taking(reader, heard)
    version = await take(1)
    return await (_five(take, say) if version == b"\x05" else _four(take, say))


class _Taking:
    """Exactly so many bytes, which are heard."""

    def __init__(self, reader: asyncio.StreamReader, heard: Callable[[bytes], None]) -> None:
        self._reader, self._heard = reader, heard

    async def __call__(self, size: int) -> bytes:
        data = await self._reader.readexactly(size)
        self._heard(data)
        return data

    async def counted(self) -> bytes:
        """A length of one byte, and so many."""
        return await self((await self(1))[0])

    async def word(self) -> bytes:
        """Up to a zero."""
        word = b""
        while (byte := await self(1)) != b"\0":
            word += byte
            if len(word) > _WORD:
                raise EOFError("no word of SOCKS")
        return word


async def _four(take: _Taking, say: Say) -> tuple[str, int]:
    await take(1)
    port, address = int.from_bytes(await take(2), "big"), await take(4)
    await take.word()
    named = address[:3] == b"\0\0\0" and address[3]
    host = (await take.word()).decode("latin-1") if named else str(ipaddress.IPv4Address(address))
    await say(b"\0\x5a" + bytes(6))
    return host, port


async def _five(take: _Taking, say: Say) -> tuple[str, int]:
    methods = await take.counted()
    if b"\0" in methods or b"\x02" not in methods:
        await say(b"\x05\0")
    else:  # user and password, which are taken whatever they are
        await say(b"\x05\x02")
        await take(1)
        await take.counted()
        await take.counted()
        await say(b"\x01\0")
    head = await take(4)
    if head[:2] != b"\x05\x01":
        await say(b"\x05\x07\0\x01" + bytes(6))
        raise EOFError("only CONNECT is played")
    host = await _host(take, head[3])
    port = int.from_bytes(await take(2), "big")
    await say(b"\x05\0\0\x01" + bytes(6))
    return host, port


async def _host(take: _Taking, kind: int) -> str:
    if kind == 3:
        return (await take.counted()).decode("latin-1")
    if kind not in (1, 4):
        raise EOFError("no such kind of address")
    return str(ipaddress.ip_address(await take(4 if kind == 1 else 16)))
