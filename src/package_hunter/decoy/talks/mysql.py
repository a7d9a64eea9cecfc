"""MySQL and MariaDB: TLS by upgrade, a login that hands over the password, and success for whatever is asked.

The server asks by ``caching_sha2_password``: inside TLS the client then sends its password as it is, outside of it
encrypted with a key that the server gives it, ours. A client that knows only older ways is let in without.
Facts: MySQL source documentation, "Client/Server Protocol"; MariaDB knowledge base, "Connection" and "Result Set".
"""

from __future__ import annotations

import os

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.bounded import take
from package_hunter.decoy.talks.mysql_login import FULL_LOGIN, Login, greeting
from package_hunter.decoy.talks.mysql_replies import OK, Session, complaint

_KEPT = 64 << 10  # of one command
_WHOLE = 0xFFFFFF  # a packet of this size goes on in the next
_SSL = 0x800


class Packets:
    """Packets and their numbers, both ways."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.number = 0

    async def read(self) -> bytes:
        """The next packet, the first 64 KiB of it, however many pieces it comes in."""
        data, size = b"", _WHOLE
        while size == _WHOLE:
            head = await self._table.reader.readexactly(4)
            size, self.number = int.from_bytes(head[:3], "little"), head[3] + 1 & 255
            data += await take(self._table.reader, size, _KEPT - len(data))
        return data

    async def say(self, *payloads: bytes) -> None:
        """Send each as a packet."""
        for payload in payloads:
            self._table.writer.write(len(payload).to_bytes(3, "little") + bytes((self.number,)) + payload)
            self.number = self.number + 1 & 255
        await self._table.writer.drain()


async def play(table: Table) -> None:
    """Greeting, login, commands, until the client ends."""
    packets = Packets(table)
    if not await _log_in(table, packets):
        return
    session = Session()
    while not session.over:
        await packets.say(*session.reply(await packets.read()))


async def _log_in(table: Table, packets: Packets) -> bool:
    nonce = bytes(33 + byte % 90 for byte in os.urandom(20))
    await packets.say(greeting(nonce))
    said = await packets.read()
    if len(said) == 32 and int.from_bytes(said[:2], "little") & _SSL and not table.guest.tls:
        await table.secure()
        said, secured = await packets.read(), True
    else:
        secured = table.guest.tls
    login = Login(nonce, secured)
    if not login.understands(said):
        await packets.say(complaint(1043, "08S01", "Bad handshake"))
        return False
    if login.asks_password:
        await packets.say(FULL_LOGIN)
        answer = await packets.read()
        if (key := login.key(answer)) is not None:
            await packets.say(key())
            answer = await packets.read()
        table.heard(login.password(answer))
    await packets.say(OK)
    return True
