"""What a connection speaks, from the first bytes that the box sends."""

from __future__ import annotations

from package_hunter.decoy.http import METHODS


def protocol(head: bytes) -> str:
    """``tls``, ``http`` or ``raw``; ``""`` while the bytes could still become either."""
    if head[:1] == b"\x16":
        return "tls" if head[1:2] in (b"", b"\x03") else "raw"
    if any(head.startswith(method) for method in METHODS):
        return "http"
    if len(head) < 10 and any(method.startswith(head) for method in METHODS):
        return ""
    return "raw"


def client_hello_name(data: bytes) -> tuple[str | None, bool]:
    """The server name in a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), and whether the record is complete.

    Broken or unusual hellos give (None, True): the TLS library will judge them.
    """
    if len(data) < 5:
        return None, False
    if len(data) < 5 + int.from_bytes(data[3:5], "big"):
        return None, False
    try:
        at = 5 + 4 + 2 + 32
        at += 1 + data[at]  # session id
        at += 2 + int.from_bytes(data[at : at + 2], "big")  # cipher suites
        at += 1 + data[at]  # compression
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        at += 2
        while at + 4 <= min(end, len(data)):
            kind, size = (
                int.from_bytes(data[at : at + 2], "big"),
                int.from_bytes(data[at + 2 : at + 4], "big"),
            )
            if kind == 0 and size > 5:
                length = int.from_bytes(data[at + 7 : at + 9], "big")
                return data[at + 9 : at + 9 + length].decode("ascii").lower(), True
            at += 4 + size
    except (IndexError, UnicodeDecodeError):
        pass
    return None, True
