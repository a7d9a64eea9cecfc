"""The worker's line to its gateway process: length-prefixed JSON over a socket pair, with descriptors."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_HEAD = struct.Struct("<I")
_MAX = 64 << 20


def send(sock: socket.socket, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
    """One message, blocking."""
    data = json.dumps(message).encode()
    socket.send_fds(sock, [_HEAD.pack(len(data))], list(fds))
    sock.sendall(data)


def receive(sock: socket.socket, max_fds: int = 0) -> tuple[dict[str, Any], list[int]]:
    """One message and the descriptors that came with it; EOFError where the other end is gone."""
    head, fds, _, _ = (
        socket.recv_fds(sock, _HEAD.size, max_fds) if max_fds else (sock.recv(_HEAD.size), [], 0, 0)
    )
    while head and len(head) < _HEAD.size:
        more = sock.recv(_HEAD.size - len(head))
        if not more:
            raise EOFError
        head += more
    if not head:
        raise EOFError
    (size,) = _HEAD.unpack(head)
    if size > _MAX:
        raise EOFError("message too large")
    parts = bytearray()
    while len(parts) < size:
        part = sock.recv(min(1 << 20, size - len(parts)))
        if not part:
            raise EOFError
        parts += part
    return json.loads(parts), fds
