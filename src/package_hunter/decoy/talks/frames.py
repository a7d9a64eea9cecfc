"""What gateway and talker tell each other beside a conversation's bytes: a kind, a length, that many bytes.

The talker read what a box sent: the gateway trusts none of its frames.
"""

from __future__ import annotations

import asyncio
import struct

HEARD, MARK, EXPECT, PORT, SEATED, DONE, ASK = b"H", b"M", b"E", b"P", b"S", b"D", b"A"
PIECE = 256 << 10  # bytes of one frame, at most
_HEAD = struct.Struct("<cI")


def pack(kind: bytes, data: bytes = b"") -> bytes:
    """One frame; ``data`` is at most PIECE long."""
    return _HEAD.pack(kind, len(data)) + data


async def read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next frame. IncompleteReadError (an EOFError) at the end, ValueError where its length is a lie."""
    kind, size = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if size > PIECE:
        raise ValueError(f"a frame of {size} bytes, at most {PIECE} are sent")
    return kind, await reader.readexactly(size)
