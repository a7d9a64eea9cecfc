"""LDAP (RFC 4511): every bind succeeds, every search finds nothing, every change is done; StartTLS.

Of a message only its beginning is parsed; the rest passes, since the gateway searches what comes in the clear.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.ber import element, elements, head
from package_hunter.decoy.talks.turns import say

_HEAD_BYTES = 4 << 10  # of a message that are parsed
_PIECE = 64 << 10
_MESSAGES = 10_000  # of one connection
_IDLE_SECONDS = 60.0
_WHOLE_SECONDS = 600.0
_SEQUENCE, _INTEGER, _OCTETS, _ENUMERATED, _SET = 0x30, 0x02, 0x04, 0x0A, 0x31
_BIND, _UNBIND, _SEARCH, _EXTENDED = 0x60, 0x42, 0x63, 0x77
_ANSWERS = {0x60: 0x61, 0x63: 0x65, 0x66: 0x67, 0x68: 0x69, 0x4A: 0x6B, 0x6C: 0x6D, 0x6E: 0x6F, 0x77: 0x78}
_OID, _VALUE, _SASL, _ENTRY = 0x80, 0x8B, 0xA3, 0x64
_START_TLS, _WHO_AM_I = b"1.3.6.1.4.1.1466.20037", b"1.3.6.1.4.1.4203.1.11.3"
_SUCCESS, _PROTOCOL_ERROR, _NOT_SUPPORTED = 0, 2, 7
_ROOT = {
    b"namingContexts": b"dc=example,dc=com",
    b"supportedLDAPVersion": b"3",
    b"supportedExtension": _START_TLS,
}


class Message(NamedTuple):
    """``number`` as it was sent; ``body`` is the operation's, cut at the end of what is parsed."""

    number: bytes
    operation: int
    body: bytes


def parse(data: bytes) -> Message:
    """A message's beginning. ValueError where it is none."""
    outer = elements(data, 1)
    inner = elements(outer[0].body, 2) if outer and outer[0].tag == _SEQUENCE else []
    if len(inner) < 2 or inner[0].tag != _INTEGER or not 1 <= len(inner[0].body) <= 4:
        raise ValueError("no message")
    return Message(inner[0].body, inner[1].tag, inner[1].body)


def answer(message: Message, tls: bool) -> tuple[bytes, bool]:
    """What is answered, and whether TLS begins after it. ValueError where the operation's parts are broken."""
    told = b""
    code, more, secure = _SUCCESS, b"", False
    if message.operation == _BIND:
        way = elements(message.body, 3)
        code = _NOT_SUPPORTED if len(way) == 3 and way[2].tag == _SASL else _SUCCESS
    elif message.operation == _SEARCH:
        told = _found(message)
    elif message.operation == _EXTENDED:
        name = elements(message.body, 1)
        asked = name[0].body if name and name[0].tag == _OID else b""
        secure = asked == _START_TLS and not tls
        if secure:
            more = element(_OID, _START_TLS)
        elif asked == _WHO_AM_I:
            more = element(_VALUE, b"dn:cn=reader,dc=example,dc=com")
        else:
            code = _PROTOCOL_ERROR
    kind = _ANSWERS.get(message.operation)
    if kind is None:
        return b"", False
    return told + _message(message.number, element(kind, _result(code), more)), secure


def _found(message: Message) -> bytes:
    """The entry about the server itself, where that is asked for."""
    asked = elements(message.body, 2)
    if len(asked) < 2 or asked[0].body or asked[1].body != b"\0":
        return b""
    facts = [
        element(_SEQUENCE, element(_OCTETS, name), element(_SET, element(_OCTETS, value)))
        for name, value in _ROOT.items()
    ]
    return _message(message.number, element(_ENTRY, element(_OCTETS), element(_SEQUENCE, *facts)))


def _result(code: int) -> bytes:
    return element(_ENUMERATED, bytes((code,))) + element(_OCTETS) + element(_OCTETS)


def _message(number: bytes, operation: bytes) -> bytes:
    return element(_SEQUENCE, element(_INTEGER, number), operation)


class _Incoming:
    """Messages as they come: the beginning of each, the rest let by."""

    def __init__(self, table: Table) -> None:
        self.table, self._data = table, b""

    async def next(self) -> bytes:
        """The beginning of the next message. ValueError where there is none, EOFError at the end."""
        while (start := head(self._data)) is None:
            await self._more()
        size = start.head + start.size
        while len(self._data) < min(size, _HEAD_BYTES):
            await self._more()
        found = self._data[: min(size, _HEAD_BYTES)]
        while size > len(self._data):
            size -= len(self._data)
            self._data = b""
            await self._more()
        self._data = self._data[size:]
        return found

    async def _more(self) -> None:
        async with asyncio.timeout(_IDLE_SECONDS):
            data = await self.table.reader.read(_PIECE)
        if not data:
            raise EOFError
        self._data += data

    async def secure(self) -> None:
        self._data = b""
        await self.table.secure()


async def play(table: Table) -> None:
    """The server's side of a connection that speaks LDAP."""
    incoming, tls = _Incoming(table), table.guest.tls
    async with asyncio.timeout(_WHOLE_SECONDS):
        for _ in range(_MESSAGES):
            try:
                message = parse(await incoming.next())
                said, secure = answer(message, tls)
            except ValueError:
                notice = element(0x78, _result(_PROTOCOL_ERROR), element(0x8A, b"1.3.6.1.4.1.1466.20036"))
                await say(table, _message(b"\0", notice))
                return
            if message.operation == _UNBIND:
                return
            await say(table, said)
            if secure:
                await incoming.secure()
                tls = True
