"""One kernel event, in Falco's own layout: live from the probe or read from a .scap recording.

The probe writes each event exactly as a .scap event block holds it (header, parameter lengths, parameters;
see events.tsv for what each type carries), so one decoder, one enrichment and one recording format serve both
ways in. What our probe knows beyond Falco's schema travels in one parameter appended after the schema's last
(readers of .scap files ignore what follows the parameters that they know): ``EXTRA_MAGIC`` and then records of
``tag u8, length u16 little-endian, data``, tags as in ``Extra``.

Layout (facts from falcosecurity/libs): ``ts u64 ns since the epoch, tid u64, len u32 (whole event), type u16,
nparams u32``, then one u16 length a parameter (u32 where the type has the flag ``large_payload``), then the
parameters, all little-endian, unpadded.
"""

from __future__ import annotations

import enum
import struct
from functools import cache
from importlib import resources
from typing import NamedTuple

HEADER = struct.Struct("<QQIHI")
EXTRA_MAGIC = b"\x00PHX1"


class Extra(enum.IntEnum):
    """Tags of the records in the parameter that our probe appends."""

    PATH = 1  # absolute path as the kernel resolved it in the box's root (first path argument), bytes
    PATH2 = 2  # the second path argument's, likewise
    INODE = 3  # u64 inode, u32 dev (new_encode_dev) of the object acted on
    TAMPER = 4  # the first path or address argument as it was at entry, where it differs from that at exit
    ABI = 5  # u8: 1 = entered through a 32-bit or x32 entry
    LOCAL = 6  # local address of a connected socket: family u8, address (4|16), port u16 LE
    START = 7  # u64 start_boottime ns of the task's group leader: tells reused pids apart
    TAMPER2 = 8  # as TAMPER, for the second path argument
    CWD = 9  # the working directory at exec, as PATH
    CALL = 10  # of a call that Falco's schema only names: i64 result, then its six arguments, u64 each
    NEWER = 11  # in recordings: what the schema of an older Falco has no place for (sensor/scap/older.py)


class ParamInfo(NamedTuple):
    """A parameter of an event type: ``type`` is Falco's PT_ name in lower case without the prefix."""

    name: str
    type: str
    format: str
    extra: str  # name of the flag set, or ""


class EventInfo(NamedTuple):
    """What an event type carries (a row of events.tsv)."""

    number: int
    key: str  # e.g. "syscall_openat_2_x"
    name: str  # evt.type, e.g. "openat"
    categories: frozenset[str]
    flags: frozenset[str]
    params: tuple[ParamInfo, ...]


# Exit events of the calls that make a thread; each comes twice, once from the child (result 0)
BIRTHS = ("syscall_clone_20_x", "syscall_fork_20_x", "syscall_vfork_20_x", "syscall_clone3_x")


@cache
def event_table() -> dict[int, EventInfo]:
    """Number -> what that event type carries."""
    table: dict[int, EventInfo] = {}
    text = resources.files("package_hunter.model").joinpath("events.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        number, key, name, categories, flags, params = line.split("\t")
        infos = [(*p.split(":"), "")[:4] for p in params.split()]
        table[int(number)] = EventInfo(
            int(number),
            key,
            name,
            frozenset(categories.split("+")),
            frozenset(flags.split("+")),
            tuple(ParamInfo(*i) for i in infos),
        )
    return table


@cache
def event_numbers() -> dict[str, int]:
    """Key (``syscall_openat_2_x``) -> number."""
    return {info.key: number for number, info in event_table().items()}
