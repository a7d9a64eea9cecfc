"""PostgreSQL, protocol 3: TLS by upgrade, the password in the clear, and success for whatever is asked.

Facts: PostgreSQL documentation, chapters "Message Flow" and "Message Formats".
"""

from __future__ import annotations

import asyncio

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.bounded import take
from package_hunter.decoy.talks.postgres_replies import Session, complaint, message, ready

_KEPT = 64 << 10  # of one message
_LONGEST = 1 << 30
_START = 10_000  # bytes of a startup packet, as the real server has it
_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_CLEARTEXT = message(b"R", (3).to_bytes(4, "big"))
_SETTINGS = {
    b"server_version": b"16.6 (Debian 16.6-1.pgdg120+1)", b"server_encoding": b"UTF8", b"client_encoding": b"UTF8",
    b"DateStyle": b"ISO, MDY", b"IntervalStyle": b"postgres", b"TimeZone": b"Etc/UTC", b"integer_datetimes": b"on",
    b"standard_conforming_strings": b"on", b"is_superuser": b"on", b"default_transaction_read_only": b"off",
    b"in_hot_standby": b"off",
}  # fmt: skip


async def play(table: Table) -> None:
    """Startup, login, queries, until the client ends."""
    version = await _greet(table)
    if version is None:
        return
    if version >> 16 != 3:
        await _say(
            table,
            complaint(b"FATAL", b"0A000", f"unsupported frontend protocol {version >> 16}.{version & 65535}"),
        )
        return
    hello = b"" if version & 65535 == 0 else message(b"v", bytes(8))  # we speak 3.0
    await _say(table, hello + _CLEARTEXT)
    kind, password = await _message(table.reader)
    if kind != b"p":
        await _say(table, complaint(b"FATAL", b"08P01", "expected password response"))
        return
    table.heard(password.rstrip(b"\0"))
    await _say(table, _welcome())
    await _talk(table)


async def _greet(table: Table) -> int | None:
    """The protocol's version that the client wants; None where it wants no conversation."""
    secured = table.guest.tls
    for _ in range(4):
        size = int.from_bytes(await table.reader.readexactly(4), "big")
        if not 8 <= size <= _START:
            await _say(table, complaint(b"FATAL", b"08P01", "invalid length of startup packet"))
            return None
        code = int.from_bytes(await table.reader.readexactly(4), "big")
        await take(table.reader, size - 8, 0)
        if code == _SSL and not secured:
            await _say(table, b"S")
            await table.secure()
            secured = True
        elif code in (_SSL, _GSS):
            await _say(table, b"N")
        else:
            return None if code == _CANCEL else code
    return None


def _welcome() -> bytes:
    told = b"".join(message(b"S", name + b"\0" + value + b"\0") for name, value in _SETTINGS.items())
    key = message(b"K", (4711).to_bytes(4, "big") + b"\x5e\x11\x9a\x02")
    return message(b"R", bytes(4)) + told + key + ready(b"I")


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A message's type and the first 64 KiB of it; the type is empty where its length is none."""
    kind = await reader.readexactly(1)
    size = int.from_bytes(await reader.readexactly(4), "big")
    if not 4 <= size <= _LONGEST:
        return b"", b""
    return kind, await take(reader, size - 4, _KEPT)


async def _talk(table: Table) -> None:
    session = Session()
    while not session.over:
        kind, data = await _message(table.reader)
        if not kind:
            await _say(table, complaint(b"FATAL", b"08P01", "invalid message length"))
            return
        await _say(table, session.reply(kind, data))


async def _say(table: Table, data: bytes) -> None:
    table.writer.write(data)
    await table.writer.drain()
