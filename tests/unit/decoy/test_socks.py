"""SOCKS: where the client wants to go, and any bytes in its place."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.socks import handshake, is_socks


def _shake(data: bytes) -> tuple[tuple[str, int], bytes, bytes]:
    """Where to, what was answered, what was heard."""
    said, heard = bytearray(), bytearray()

    async def say(answer: bytes) -> None:
        said.extend(answer)

    async def run() -> tuple[str, int]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await handshake(reader, say, heard.extend)

    return asyncio.run(run()), bytes(said), bytes(heard)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"\x05\x01\0\x05\x01\0\x03\x0cdrop.example\x01\xbb", ("drop.example", 443)),
        (b"\x05\x01\x02\x01\x02me\x06secret\x05\x01\0\x01\xc0\0\x02\x09\0\x50", ("192.0.2.9", 80)),
        (b"\x05\x02\0\x02\x05\x01\0\x04" + bytes(15) + b"\x01\0\x50", ("::1", 80)),
        (b"\x04\x01\0\x50\xc0\0\x02\x09me\0", ("192.0.2.9", 80)),
        (b"\x04\x01\0\x50\0\0\0\x01\0drop.example\0", ("drop.example", 80)),
    ],
)
def test_the_destination_is_read_and_all_of_it_heard(data: bytes, where: tuple[str, int]) -> None:
    found, _, heard = _shake(data)
    assert (found, heard) == (where, data)


@given(st.sampled_from([b"\x04", b"\x05", b""]), st.binary(max_size=600))
def test_any_bytes_are_a_handshake_or_end_it(version: bytes, data: bytes) -> None:
    is_socks(version + data)
    try:
        _shake(version + data)
    except EOFError:
        pass
