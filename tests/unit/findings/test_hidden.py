"""How much could be hidden in data, and what comes off without a key."""

from __future__ import annotations

import hashlib
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.findings.hidden import MAX_UNPACKED, information, unpacked


@pytest.mark.parametrize("pack", [zlib.compress, lambda data: brotli.compress(data, quality=1)])
def test_what_comes_out_of_a_bomb_is_bounded(pack: object) -> None:
    assert callable(pack)
    found = unpacked(pack(bytes(50 << 20)))
    assert found is not None
    assert len(found[0]) <= MAX_UNPACKED


def test_what_follows_a_stream_is_not_lost() -> None:
    assert unpacked(zlib.compress(b"words") + b"more") == (b"words", b"more")


def test_a_broken_stream_is_none() -> None:
    assert unpacked(hashlib.sha512(b"x").digest(), "br") is None
    assert unpacked(b"\x1f\x8b\x08" + bytes(range(100)), "gzip") is None


def test_words_versions_zeros_and_repeats_hide_nothing() -> None:
    digest = hashlib.sha512(b"x").digest()
    assert information(digest) >= 60
    assert information(digest * 20) < 100
    assert information(bytes(10_000)) < 48
    assert information(b"\x0a\x07install\x12\x061.10.2\x0a\x04node" * 3) == 0


@given(st.binary(max_size=400), st.sampled_from(["", "br", "deflate", "gzip"]))
def test_never_more_than_there_is(data: bytes, encoding: str) -> None:
    assert 0 <= information(data) <= len(data)
    unpacked(data, encoding)
