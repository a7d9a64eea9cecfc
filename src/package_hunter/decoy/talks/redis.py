"""Redis (RESP2, RESP3, inline commands): a server without a password that takes any.

Facts: redis.io/docs/latest/develop/reference/protocol-spec; errors as Redis 7.4 words them.
"""

from __future__ import annotations

import asyncio

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.bounded import line, take
from package_hunter.decoy.talks.redis_replies import Session

_LINE = 64 << 10  # of an inline command, or of a length
_ARGUMENTS = 1 << 20
_BULK = 512 << 20
_KEPT = 64 << 10  # of one command's arguments
_WORDS = 4_096


class BrokenCommandError(Exception):
    """What came is no command; its text is what Redis answers."""


async def command(reader: asyncio.StreamReader) -> list[bytes]:
    """The next command's words, the first 64 KiB of them; none for an empty line. BrokenCommandError where there is
    no telling where it ends."""
    first = await line(reader, _LINE)
    if first[:1] != b"*":
        return first.split()
    count = _number(first[1:], _ARGUMENTS, "invalid multibulk length")
    words: list[bytes] = []
    room = _KEPT
    for _ in range(max(0, count)):
        head = await line(reader, _LINE)
        if head[:1] != b"$":
            shown = chr(head[0]) if head and 32 <= head[0] < 127 else "?"
            raise BrokenCommandError(f"expected '$', got '{shown}'")
        size = _number(head[1:], _BULK, "invalid bulk length")
        if size < 0:
            raise BrokenCommandError("invalid bulk length")
        word = await take(reader, size, room)
        await take(reader, 2, 0)
        if room and len(words) < _WORDS:
            words.append(word)
        room -= len(word)
    return words


def _number(text: bytes, most: int, complaint: str) -> int:
    if not text.removeprefix(b"-").isdigit() or len(text) > 12 or (value := int(text)) > most:
        raise BrokenCommandError(complaint)
    return value


async def play(table: Table) -> None:
    """Commands and their answers, until the client quits."""
    session = Session()
    while not session.over:
        try:
            words = await command(table.reader)
        except BrokenCommandError as error:
            table.writer.write(f"-ERR Protocol error: {error}\r\n".encode())
            await table.writer.drain()
            return
        if words:
            table.writer.write(session.reply(words))
            await table.writer.drain()
