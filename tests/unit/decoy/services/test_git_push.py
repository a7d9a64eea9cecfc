"""What a pushed pack holds is unpacked; any other bytes are no pack."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.services.git_push import objects


def _object(kind: int, data: bytes, before: bytes = b"") -> bytes:
    size = len(data)
    head = bytes([kind << 4 | size & 15 | (0x80 if size > 15 else 0)])
    size >>= 4
    while size:
        head += bytes([size & 127 | (0x80 if size > 127 else 0)])
        size >>= 7
    return head + before + zlib.compress(data)


def test_objects_and_differences_to_others_are_unpacked() -> None:
    held = [b"one", b"two" * 1000, b"three", b"four"]
    parts = [
        _object(3, held[0]), _object(1, held[1]), _object(6, held[2], b"\x81\x05"), _object(7, held[3], bytes(20)),
    ]  # fmt: skip
    body = b"0000PACK\0\0\0\x02\0\0\0\x04" + b"".join(parts) + bytes(20)
    assert list(objects(body))[:4] == held


def test_what_was_cut_is_unpacked_as_far_as_it_came() -> None:
    body = b"PACK\0\0\0\x02\0\0\0\x02" + _object(3, b"first") + _object(3, bytes(range(256)) * 9)[:40]
    assert next(objects(body)) == b"first"


@given(st.binary(max_size=400))
def test_any_bytes_end(data: bytes) -> None:
    list(objects(b"PACK\0\0\0\x02" + data))
    list(objects(data))
