"""The ring's reader against a ring made by hand."""

from __future__ import annotations

import mmap
import os
import struct

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.sensor.ring import Ring

SIZE = 1 << 16
PAGE = mmap.PAGESIZE


def _ring(records: list[tuple[int, bytes, int]]) -> tuple[int, int]:
    """A descriptor laid out as the kernel's ring, with (cpu, event, flags of the header) in it."""
    fd = os.memfd_create("ring")
    os.ftruncate(fd, 2 * PAGE + 2 * SIZE)
    position = 0
    for cpu, event, marks in records:
        head = struct.pack("<IIII", len(event) + 8 | marks, 0, cpu, 1)
        os.pwrite(fd, head + event, 2 * PAGE + position)
        position += (len(event) + 16 + 7) & ~7
    os.pwrite(fd, struct.pack("<Q", position), PAGE)
    return fd, position


@given(
    st.lists(
        st.tuples(
            st.integers(0, 255), st.binary(min_size=26, max_size=300), st.sampled_from([0, 0, 1 << 30])
        ),
        max_size=60,
    ),
    st.integers(1, 20),
)
def test_reads_what_was_written(records: list[tuple[int, bytes, int]], batch: int) -> None:
    fd, end = _ring(records)
    ring = Ring(fd, SIZE)
    try:
        got: list[tuple[int, bytes]] = []
        while part := ring.drain(batch):
            assert len(part) <= batch
            got += part
        assert got == [(cpu, event) for cpu, event, marks in records if not marks]
        assert ring.fill() == 0
        assert struct.unpack("<Q", os.pread(fd, 8, 0))[0] == end
    finally:
        ring.close()
        os.close(fd)


def test_stops_at_a_record_that_is_still_written() -> None:
    fd, _ = _ring([(0, b"a" * 30, 0), (1, b"b" * 30, 1 << 31), (0, b"c" * 30, 0)])
    ring = Ring(fd, SIZE)
    assert ring.drain() == [(0, b"a" * 30)]
    assert ring.drain() == []
    assert ring.fill() > 0
    ring.close()
    os.close(fd)
