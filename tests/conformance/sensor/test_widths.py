"""A real Falco's recordings hold every fixed-size parameter in the width that our decoder of the probe's
events demands (tests/integration/sensor asserts the same of each event that the probe writes)."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

import pytest

from package_hunter.model.event import HEADER, event_table
from package_hunter.sensor import table
from tests.support.requires import needs_shared
from tests.support.sensor_seen import decode


def _events(raw: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(raw):
        kind, length = struct.unpack_from("<II", raw, position)
        if kind == 0x216:  # an event block: u16 cpu, then the event, padded to 4 bytes
            body = raw[position + 10 : position + length - 4]
            yield body[: HEADER.unpack_from(body)[2]]
        position += length


@pytest.mark.parametrize("name", ["attack", "npm_install"])
def test_same_widths(name: str) -> None:
    raw = gzip.decompress(needs_shared(f"falco-captures/{name}.scap").read_bytes())
    ours = {row.event.number: len(row.steps) for row in table.rows()}
    kinds = set()
    for event in _events(raw):
        _, _, _, number, count = HEADER.unpack_from(event)
        kinds.add(number)
        if count == ours.get(number):  # older schemas have fewer parameters
            decode(event)
    missing = {event_table()[n].key for n in kinds} - {row.key for row in table.rows()}
    # Falco 0.43.1 still wrote prlimit's older event, without pid and resource
    assert missing <= {"syscall_prlimit_4_x", *_older(kinds)}


def _older(kinds: set[int]) -> set[str]:
    return {event_table()[n].key for n in kinds if "old_version" in event_table()[n].flags}
