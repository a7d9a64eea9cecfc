"""What a QUIC client sends first."""

from __future__ import annotations

import ssl

from package_hunter.decoy.quic import keys, seal_initial

TO, FROM = bytes.fromhex("8394c8f03e515708"), b"client01"


def client_hello(name: str) -> bytes:
    """What a TLS client says first, without its record's head."""
    out = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()[5:]


def crypto(place: int, data: bytes) -> bytes:
    return b"\x06" + (0x80000000 | place).to_bytes(4, "big") + (0x4000 | len(data)).to_bytes(2, "big") + data


def initial(payload: bytes, version: int = 1, number: int = 0, to: bytes = TO) -> bytes:
    own = keys(version, TO, "client")
    return seal_initial(version, (to, FROM), payload + bytes(max(0, 300 - len(payload))), own, number)
