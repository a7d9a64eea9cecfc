"""What a conversation is given, and what it gives back.

A conversation plays the server's side of one connection. It runs in a process of its own, which is started when the
first one is needed: a broken parser ends that process at worst, and what was sent is searched all the same.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom the box believes to talk to: ``name`` as it was resolved or asked for in TLS (None: an address only),
    ``tls`` where the connection began with it."""

    name: str | None
    address: str
    port: int
    tls: bool


class Table(Protocol):
    """One connection: where the conversation sits. ``reader`` and ``writer`` are what is said after TLS that the
    connection began with."""

    guest: Guest
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def heard(self, data: bytes) -> None:
        """What the box said and the wire does not show in the clear (inside STARTTLS or SSH, base64 of a login that
        was taken apart): searched for canaries like everything else. What was read from ``reader`` before ``secure``
        is searched by the gateway already."""
        ...

    def mark(self, kind: str, detail: str, said: str = "") -> None:
        """An act worth a finding of its own (``DecoyMark.kind``)."""
        ...

    async def secure(self) -> None:
        """STARTTLS: ``reader`` and ``writer`` are the secured ones afterwards, and what is read from them is heard
        without a further word. OSError where the handshake fails."""
        ...

    async def expect(self, play: Play) -> int:
        """A port of the same address on which the client will call for a second connection (FTP's data); ``play``
        has that one."""
        ...

    async def ask(self, play: Play) -> None:
        """A connection to the gateway itself, on which ``play`` is the client: what it asks in HTTP/1.1 is searched,
        recorded and answered as the box's own request."""
        ...


class Play(Protocol):
    """A conversation: until its end. OSError, EOFError, TimeoutError, IncompleteReadError and LimitOverrunError end
    it quietly; a client that breaks the protocol is told so as the real server would, then hung up on."""

    async def __call__(self, table: Table) -> None: ...
