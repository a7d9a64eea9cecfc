"""Frames between gateway and talker: any bytes come back as they were, a lie about a length is refused."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.talks import frames


def _read(data: bytes) -> list[tuple[bytes, bytes]]:
    async def run() -> list[tuple[bytes, bytes]]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        found = []
        while not reader.at_eof():
            found.append(await frames.read(reader))
        return found

    return asyncio.run(run())


@given(st.lists(st.tuples(st.sampled_from([b"H", b"M", b"D"]), st.binary(max_size=500)), max_size=5))
def test_frames_come_as_they_went(sent: list[tuple[bytes, bytes]]) -> None:
    assert _read(b"".join(frames.pack(*one) for one in sent)) == sent


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    try:
        _read(data)
    except (EOFError, ValueError):
        pass


def test_a_lie_about_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        _read(b"H\xff\xff\xff\x7f" + b"x" * 100)
