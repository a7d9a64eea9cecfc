"""What test_hostile.py runs in the box's network: clients of every conversation that mean no good. Not imported."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys
import time
from typing import NamedTuple

GIGABYTE = 1 << 30
HELD = 400  # of the many connections at a time
PIECE = 1 << 20  # what follows a lie, and what a client asks that reads no answer


class Client(NamedTuple):
    """``hello`` begins the conversation, ``again`` is answered as often as it is asked, ``lie`` announces a gigabyte,
    or as much as the protocol has room for."""

    port: int
    hello: bytes
    again: bytes
    lie: bytes


def _frame(kind: int, size: int) -> bytes:
    return size.to_bytes(3, "big") + bytes((kind, 0)) + bytes(4)


_SMB = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ16s", 64, 1, 0, 13, 1, 0, 0, 1, 0, 0, 0, b"") + b"\4\0\0\0"
_HELLO = b"\x13\0\0\0\x10hello\0\1\0\0\0\0"
_MONGO = struct.pack("<iiii", 21 + len(_HELLO), 1, 0, 2013) + bytes(5) + _HELLO
_START = b"\0\0\0\x0f\0\3\0\0user\0a\0"
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: w.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLIENTS = {
    "ssh": Client(22, b"SSH-2.0-x\r\n", b"", GIGABYTE.to_bytes(4, "big") + b"\4\x14"),
    "smtp": Client(
        25, b"EHLO x\r\n", b"NOOP\r\n", b"MAIL FROM:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nBDAT %d\r\n" % GIGABYTE
    ),
    "imap": Client(143, b"a LOGIN a b\r\n", b"a NOOP\r\n", b"a APPEND INBOX {%d+}\r\n" % GIGABYTE),
    "pop3": Client(110, b"USER a\r\nPASS b\r\n", b"NOOP\r\n", b"TOP 1 %d\r\nLIST " % GIGABYTE),
    "ftp": Client(21, b"USER a\r\nPASS b\r\n", b"NOOP\r\n", b"ALLO %d\r\nSTOR x\r\n" % GIGABYTE),
    "ldap": Client(
        389,
        b"\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0",
        b"\x30\5\2\1\2\x4a\0",
        b"\x30\x84" + GIGABYTE.to_bytes(4, "big") + b"\2\1\3\x68",
    ),
    "smb": Client(
        445,
        len(_SMB).to_bytes(4, "big") + _SMB,
        len(_SMB).to_bytes(4, "big") + _SMB,
        b"\0\xff\xff\xff\xfeSMB",
    ),
    "redis": Client(
        6379,
        b"*1\r\n$4\r\nPING\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"*2\r\n$3\r\nSET\r\n$%d\r\n" % (GIGABYTE // 2),
    ),
    "mongo": Client(27017, _MONGO, _MONGO, struct.pack("<iiii", 48_000_000, 2, 0, 2013) + bytes(5)),
    "postgres": Client(
        5432,
        _START + b"p\0\0\0\6a\0",
        b"Q\0\0\0\x0dselect 1\0",
        b"Q" + GIGABYTE.to_bytes(4, "big") + b"insert",
    ),
    "mysql": Client(3306, b"", b"", b"\xff\xff\xff\1" + bytes(32)),
    "mqtt": Client(1883, b"\x10\x0e\0\4MQTT\4\2\0\0\0\2id", b"\xc0\0", b"\x30\xff\xff\xff\x7f\0\1a"),
    "h2": Client(
        80, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0), _frame(6, 8) + bytes(8), _frame(0, 0xFFFFFF)
    ),
    "websocket": Client(
        80, _UPGRADE, b"\x89\x84\0\0\0\0ping", b"\x82\xff" + GIGABYTE.to_bytes(8, "big") + bytes(4)
    ),
    "echo": Client(7, b"", b"again\n", b"%d" % GIGABYTE),
    "http": Client(
        80,
        b"",
        b"GET / HTTP/1.1\r\nHost: h.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: %d\r\n\r\n" % GIGABYTE,
    ),
    "dns": Client(53, b"", b"\0\x11\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", b"\xff\xff\0\1"),
    "tls": Client(443, b"", b"", b"\x16\3\1\xff\xff\1\0\xff\xff"),
    "socks": Client(1080, b"\5\1\0", b"", b"\5\1\0\3\xff"),
}


def connect(number: int, client: Client) -> socket.socket:
    """A connection that is not waited for."""
    made = socket.socket()
    made.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        made.connect((f"192.0.2.{1 + number % 250}", client.port))
    return made


def push(sock: socket.socket, data: bytes) -> int:
    """As much as goes without waiting; nothing is read."""
    sent = 0
    with contextlib.suppress(OSError):
        while sent < len(data):
            sent += sock.send(data[sent : sent + 65536])
    return sent


def many(count: int) -> None:
    """Connections that say hello, and go."""
    clients = list(CLIENTS.values())
    kept: list[tuple[socket.socket, bytes]] = []
    for number in range(count):
        client = clients[number % len(clients)]
        kept.append((connect(number, client), client.hello))
        if len(kept) >= HELD:
            _say(kept)
            kept = []
    _say(kept)


def _say(kept: list[tuple[socket.socket, bytes]]) -> None:
    with selectors.DefaultSelector() as ready:
        for sock, hello in kept:
            ready.register(sock, selectors.EVENT_WRITE, hello)
        until = time.monotonic() + 5
        while ready.get_map() and time.monotonic() < until:
            for key, _ in ready.select(0.5):
                ready.unregister(key.fileobj)
                push(key.fileobj, key.data)
    for sock, _ in kept:
        sock.close()


def main() -> None:
    """Slow ones, deaf ones and liars stay while the many come and go."""
    count = int(sys.argv[1])
    slow = [(connect(n, one), one.hello + one.again + one.lie) for n, one in enumerate(CLIENTS.values())]
    deaf = [(connect(n, one), one) for n, one in enumerate(CLIENTS.values())]
    liars = [(connect(n, one), one) for n, one in enumerate(CLIENTS.values())]
    time.sleep(1)  # servers that speak first have spoken
    for sock, one in deaf + liars:
        push(sock, one.hello)
    time.sleep(0.5)
    for sock, one in deaf:
        push(sock, one.again * (PIECE // max(1, len(one.again))))
    for sock, one in liars:
        push(sock, one.lie + b"x" * PIECE)
    for at in range(8):
        for sock, said in slow:
            push(sock, said[at : at + 1])
        many(count // 8)
    for sock, _ in liars:
        push(sock, b"x" * PIECE)
    print(sum(push(sock, b"\0") for sock, _ in slow), "slow ones are still there")


main()
