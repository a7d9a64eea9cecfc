"""The structures that the probe and Python share (probe/shared.h). A test compares both sides."""

from __future__ import annotations

import ctypes

SLOTS = 32
EVENT_TYPES = 512
MAX_OPS = 32
MAX_PROGRAMS = 256
ABI_TABLE = 1024
MAX_TABLES = 64
PREFIX_BYTES = 240

SCAN_OPEN = 1
SCAN_PREFIXES = 2
SCAN_DUP_ONLY = 4


class Record(ctypes.Structure):
    """In front of every event in a ring."""

    _fields_ = [("cpu", ctypes.c_uint32), ("scan", ctypes.c_uint32)]


class Scan(ctypes.Structure):
    """A scan as the kernel side knows it."""

    _fields_ = [
        ("id", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("filter", ctypes.c_uint64 * (EVENT_TYPES // 64)),
        ("done", ctypes.c_uint64 * (EVENT_TYPES // 64)),
        ("ring_bytes", ctypes.c_uint64),
        ("boot_ns", ctypes.c_uint64),
        ("hold", ctypes.c_uint64),
    ]


class Counts(ctypes.Structure):
    """A scan's counters, one of it a cpu."""

    _fields_ = [
        ("events", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("lost", ctypes.c_uint64),
        ("first_lost_ns", ctypes.c_uint64),
        ("last_lost_ns", ctypes.c_uint64),
        ("last_lost_tid", ctypes.c_uint32),
        ("orphans", ctypes.c_uint32),
        ("started", ctypes.c_uint64),
        ("ended", ctypes.c_uint64),
        ("held_ns", ctypes.c_uint64),
        ("by_type", ctypes.c_uint32 * EVENT_TYPES),
        ("lost_by_type", ctypes.c_uint32 * EVENT_TYPES),
        ("filtered", ctypes.c_uint32 * EVENT_TYPES),
    ]


class Member(ctypes.Structure):
    """Membership of a thread, in task storage."""

    _fields_ = [("scan", ctypes.c_uint32), ("vanished", ctypes.c_uint32)]


class OpCode(ctypes.Structure):
    """One step of a program."""

    _fields_ = [
        ("code", ctypes.c_uint8),
        ("arg", ctypes.c_uint8),
        ("aux", ctypes.c_uint8),
        ("table", ctypes.c_uint8),
    ]


class Program(ctypes.Structure):
    """How to write one event."""

    _fields_ = [
        ("event", ctypes.c_uint16),
        ("params", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("prep", ctypes.c_uint8),
        ("prep_arg", ctypes.c_uint8),
        ("watch", ctypes.c_uint8 * 2),
        ("watch_len", ctypes.c_uint8),
        ("pad", ctypes.c_uint8),
        ("ops", OpCode * MAX_OPS),
    ]


class FlagTable(ctypes.Structure):
    """Falco's flag for each bit of the kernel's."""

    _fields_ = [("bit", ctypes.c_uint32 * 32)]


class EnumKey(ctypes.Structure):
    """A number of the kernel's in an enumeration."""

    _fields_ = [("table", ctypes.c_uint32), ("value", ctypes.c_uint32)]


class PrefixKey(ctypes.Structure):
    """A path prefix of a scan; ``bits`` counts the scan's number too."""

    _fields_ = [
        ("bits", ctypes.c_uint32),
        ("scan", ctypes.c_uint32),
        ("path", ctypes.c_uint8 * PREFIX_BYTES),
    ]


SHARED: dict[str, type[ctypes.Structure]] = {
    "record": Record,
    "scan": Scan,
    "counts": Counts,
    "member": Member,
    "op": OpCode,
    "program": Program,
    "flag_table": FlagTable,
    "enum_key": EnumKey,
    "prefix_key": PrefixKey,
}
