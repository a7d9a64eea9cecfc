"""SMB 2 and 3 over TCP: everybody logs in as a guest, every file is taken; what is written is heard.

No library plays this server's side over a connection that is given to it: those that there are (impacket's
SimpleSMBServer) bring sockets, threads and a file system of their own.
Facts: MS-SMB2 2.1, RFC 1002 4.3 (the frames, and the session that port 139 begins with).
"""

from __future__ import annotations

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.bounded import take
from package_hunter.decoy.talks.smb_session import DATA_BYTES, SmbSession

_KEPT = DATA_BYTES + (4 << 10)  # of one message: what may be written at once, and what stands before it
_MESSAGE, _SESSION, _KEEPALIVE = 0x00, 0x81, 0x85
_SESSION_IS_THERE = b"\x82\0\0\0"


async def play(table: Table) -> None:
    """Messages and their answers, until the client is gone or speaks something else."""
    session = SmbSession(table.guest.name or table.guest.address, table.heard)
    while True:
        head = await table.reader.readexactly(4)
        body = await take(table.reader, int.from_bytes(head[1:], "big"), _KEPT)
        if head[0] == _SESSION:
            table.writer.write(_SESSION_IS_THERE)
        elif head[0] == _MESSAGE:
            try:
                for reply in session.replies(body):
                    if reply:
                        table.writer.write(len(reply).to_bytes(4, "big") + reply)
            except ValueError:
                return  # as servers do
        elif head[0] != _KEEPALIVE:
            return
        await table.writer.drain()
