"""Runs a piece of code as a watched process and gives the events that the real kernel made of it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from package_hunter.model.event import EXTRA_MAGIC, HEADER, Extra, event_table
from package_hunter.sensor import table
from package_hunter.sensor.live import Probe, ScanSensor
from package_hunter.sensor.ring import Ring

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
_WIDTHS = {
    "pid": 8, "fd": 8, "errno": 8, "flags8": 1, "flags16": 2, "flags32": 4, "enumflags8": 1, "enumflags16": 2,
    "enumflags32": 4, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "int8": 1, "int16": 2, "int32": 4,
    "int64": 8, "mode": 4, "uid": 4, "gid": 4, "sigtype": 1, "syscallid": 2, "abstime": 8, "reltime": 8,
    "sigset": 4,
}  # fmt: skip
_SIGNED = {"pid", "fd", "errno", "int8", "int16", "int32", "int64"}


@dataclass
class Sighting:
    """A decoded event: parameters by name, our own facts by tag."""

    ts: int
    tid: int
    key: str
    name: str
    args: dict[str, Any]
    extra: dict[int, bytes] = field(default_factory=dict)

    @property
    def res(self) -> int:
        return int(next(iter(self.args.values())))

    @property
    def path(self) -> bytes | None:
        return self.extra.get(Extra.PATH)


def decode(raw: bytes) -> Sighting:
    """An event of the ring; AssertionError where the layout is wrong."""
    ts, tid, length, number, count = HEADER.unpack_from(raw)
    info = event_table()[number]
    assert length == len(raw)
    lengths = struct.unpack_from(f"<{count}H", raw, HEADER.size)
    position = HEADER.size + 2 * count
    values = []
    for n in lengths:
        values.append(raw[position : position + n])
        position += n
    assert position == len(raw), info.key
    assert count in (len(info.params), len(info.params) + 1), info.key
    args: dict[str, Any] = {}
    for param, value in zip(info.params, values, strict=False):
        if param.type in _WIDTHS:
            assert len(value) == _WIDTHS[param.type], (info.key, param.name, value)
            args[param.name] = int.from_bytes(value, "little", signed=param.type in _SIGNED)
        elif param.type in ("charbuf", "fspath", "fsrelpath"):
            assert not value or value[-1] == 0
            args[param.name] = value[:-1] if value else None
        else:
            args[param.name] = value
    extra = values[len(info.params)] if count > len(info.params) else b""
    return Sighting(ts, tid, info.key, info.name, args, _extra(extra))


def _extra(raw: bytes) -> dict[int, bytes]:
    if not raw:
        return {}
    assert raw.startswith(EXTRA_MAGIC)
    found, position = {}, len(EXTRA_MAGIC)
    while position < len(raw):
        tag, length = raw[position], int.from_bytes(raw[position + 1 : position + 3], "little")
        found[tag] = raw[position + 3 : position + 3 + length]
        position += 3 + length
    assert position == len(raw)
    return found


@contextlib.contextmanager
def child(code: Callable[[], object]) -> Any:
    """A forked process that waits for its start; yields (pid, start) and reaps it."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(writing)
            os.read(reading, 1)
            code()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(reading)
    try:
        yield pid, lambda: os.write(writing, b"x")
    finally:
        os.close(writing)
        _, status = os.waitpid(pid, 0)
    assert status == 0 or status & 0x7F, f"the watched code failed: {status}"


def run(
    probe: Probe, code: Callable[[], object], ring_bytes: int = 1 << 20, events: frozenset[int] | None = None
) -> list[Sighting]:
    """What the code did, in order. ``events``: the filter, by default the full set."""
    scan = probe.open_scan(ring_bytes, table.full_events() if events is None else events)
    try:
        with child(code) as (pid, start):
            scan.register(pid)
            start()
        seen = drained(scan)
        stats = scan.stats()
        assert stats.lost == 0
        assert stats.orphans == 0
        return seen
    finally:
        scan.close()


def drained(scan: ScanSensor, settle: float = 2.0) -> list[Sighting]:
    """All events once every member has ended (or after ``settle`` seconds)."""
    deadline = time.monotonic() + settle
    while scan.stats().alive > 0 and time.monotonic() < deadline:
        time.sleep(0.005)
    ring = Ring(scan.ring_fd, scan.ring_bytes)
    try:
        return [decode(raw) for _, raw in ring.drain(1 << 20)]
    finally:
        ring.close()


def only(seen: list[Sighting], event: str, /, **wanted: Any) -> Sighting:
    """The one event of that name with these arguments."""
    found = [e for e in seen if e.name == event and all(e.args.get(k) == v for k, v in wanted.items())]
    assert len(found) == 1, (event, wanted, [(e.name, e.args, e.extra) for e in seen if e.name == event])
    return found[0]


def syscall(number_of: str, *arguments: Any) -> int:
    """A raw system call; the result, or minus errno."""
    number = table.syscalls()[number_of].x86_64
    values = [
        ctypes.c_long(a) if isinstance(a, int) else ctypes.cast(a, ctypes.c_void_p) if a is not None else None
        for a in arguments
    ]
    ctypes.set_errno(0)
    result = int(LIBC.syscall(ctypes.c_long(number), *values))
    return -ctypes.get_errno() if result == -1 and ctypes.get_errno() else result
