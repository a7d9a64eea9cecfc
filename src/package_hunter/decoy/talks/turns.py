"""Protocols of lines: a state machine says what is answered, ``converse`` does the reading and the writing.

A line has a limit, a message none: it is heard as it passes and never gathered. What was read before STARTTLS and
stands behind it is dropped, as careful servers do; the gateway has searched it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Literal, Protocol

from package_hunter.decoy.talks.base import Table

LINE_BYTES = 16 << 10  # a command; a token in AUTH is the longest there is
_PIECE = 64 << 10
_COMMANDS = 10_000  # of one connection
_IDLE_SECONDS = 60.0  # of silence between two lines or two pieces of a message
_WHOLE_SECONDS = 600.0  # one conversation
_DOT = re.compile(rb"\n\.\r?\n")  # the end of a message (RFC 5321 4.1.1.4), bare line feeds forgiven
_DOT_BYTES = 4  # the longest form of it


@dataclass(frozen=True, slots=True)
class Turn:
    """What a server does after a line: says something, then reads a line, a message that ends with a dot, or
    ``size`` bytes; or begins TLS, or hangs up. ``heard`` is what the line said in a wrapping."""

    say: bytes = b""
    then: Literal["line", "dotted", "counted", "secure", "close"] = "line"
    size: int = 0
    heard: bytes = b""


class Machine(Protocol):
    """The server's side of one connection, without a socket."""

    def greeting(self) -> bytes: ...

    def line(self, line: bytes) -> Turn:
        """A line without its end, at most LINE_BYTES long. Any bytes are answered; raises nothing."""
        ...

    def taken(self) -> Turn:
        """The message that was asked for has come whole."""
        ...

    def too_long(self) -> bytes:
        """What is said of a line that is longer than LINE_BYTES; then the connection ends."""
        ...


class LineReader:
    """Lines and messages of a table. EOFError at the end, TimeoutError after a minute of silence."""

    def __init__(self, table: Table) -> None:
        self._table, self._left = table, bytearray()

    async def line(self) -> bytes | None:
        """The next line without its end; None where it is too long."""
        seen = 0
        while (end := self._left.find(b"\n", seen)) < 0:
            if len(self._left) > LINE_BYTES:
                return None
            seen = len(self._left)
            await self._more()
        line = bytes(self._left[:end])
        del self._left[: end + 1]
        return line.removesuffix(b"\r") if len(line) <= LINE_BYTES else None

    async def dotted(self) -> None:
        """Past the line that is a dot alone."""
        self._left[:0] = b"\n"  # the message begins on a line of its own
        while (end := _DOT.search(self._left)) is None:
            del self._left[: max(0, len(self._left) - _DOT_BYTES)]
            await self._more()
        del self._left[: end.end()]

    async def counted(self, size: int) -> None:
        """Past so many bytes."""
        while size > len(self._left):
            size -= len(self._left)
            self._left.clear()
            await self._more()
        del self._left[:size]

    async def secure(self) -> None:
        """TLS from here on."""
        self._left.clear()
        await self._table.secure()

    async def _more(self) -> None:
        async with asyncio.timeout(_IDLE_SECONDS):
            data = await self._table.reader.read(_PIECE)
        if not data:
            raise EOFError
        self._left += data


async def say(table: Table, data: bytes) -> None:
    """Send; TimeoutError where the client takes nothing of it."""
    if data:
        table.writer.write(data)
        async with asyncio.timeout(_IDLE_SECONDS):
            await table.writer.drain()


async def converse(table: Table, machine: Machine) -> None:
    """Play the machine until either side ends."""
    reader = LineReader(table)
    async with asyncio.timeout(_WHOLE_SECONDS):
        await say(table, machine.greeting())
        for _ in range(_COMMANDS):
            line = await reader.line()
            if line is None:
                await say(table, machine.too_long())
                return
            turn = machine.line(line)
            if not await _follow(table, reader, machine, turn):
                return


async def _follow(table: Table, reader: LineReader, machine: Machine, turn: Turn) -> bool:
    """Do what the turn says; False at the end of the conversation."""
    while True:
        if turn.heard:
            table.heard(turn.heard + b"\n")
        await say(table, turn.say)
        if turn.then == "dotted":
            await reader.dotted()
        elif turn.then == "counted":
            await reader.counted(turn.size)
        elif turn.then == "secure":
            await reader.secure()
            return True
        else:
            return turn.then == "line"
        turn = machine.taken()
