"""Blocks of a .scap file (facts from falcosecurity/libs, userspace/libscap/scap_savefile.h and
engine/savefile/scap_savefile.c): ``type u32, length u32 (all of it), data, padding to 4, length u32 again``,
little-endian, the whole file plain or gzip."""

from __future__ import annotations

import struct

from package_hunter.errors import BadArchiveError

SECTION = 0x0A0D0D0A
BYTE_ORDER = 0x1A2B3C4D
MACHINE = (0x201, 0x8002ABCD)
PROCESSES = {
    **{0x202: 1, 0x8000ABCD: 1, 0x207: 2, 0x8013ABCD: 2, 0x209: 3, 0x8014ABCD: 3},
    **{0x210: 4, 0x211: 5, 0x212: 6, 0x213: 7, 0x214: 8, 0x215: 9},
}
FDS = {0x203: 1, 0x8001ABCD: 1, 0x218: 2}
INTERFACES = {0x205: 1, 0x8011ABCD: 1, 0x219: 2}
USERS = {0x206: 1, 0x8012ABCD: 1, 0x220: 2}
# event blocks: (has flags, has the number of parameters)
EVENTS = {
    **{0x204: (False, False), 0x8010ABCD: (False, False), 0x208: (True, False)},
    **{0x216: (False, True), 0x217: (True, True), 0x221: (False, True), 0x222: (True, True)},
}
EVENT, EVENT_LARGE, PROCESSES_9, FDS_2, INTERFACES_2, USERS_2 = 0x216, 0x221, 0x215, 0x218, 0x219, 0x220
OURS = (
    0x50485831  # our own facts (JSON), before the first event, where other readers skip what they do not know
)

FD_KINDS = {
    **{1: "file", 2: "directory", 3: "ipv4", 4: "ipv6", 5: "ipv4", 6: "ipv6", 7: "pipe", 8: "unix"},
    **{9: "event", 10: "unsupported", 11: "signalfd", 12: "eventpoll", 13: "inotify", 14: "timerfd"},
    **{15: "netlink", 16: "file", 17: "bpf", 18: "userfaultfd", 19: "io_uring", 20: "memfd", 21: "pidfd"},
}
MAX_TABLE = 64 << 20
MAX_EVENT = 16 << 20
HEAD = struct.Struct("<II")


class RecordingError(BadArchiveError):
    """The recording is none, or is damaged."""


class Fields:
    """Reads values one after the other out of a block; ``take`` never reads beyond its end."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end

    def take(self, size: int) -> bytes:
        """The next bytes; RecordingError where there are fewer."""
        start = self.pos
        if size > self.end - start:
            raise RecordingError("a table of the recording ends in the middle of an entry", DAMAGED)
        self.pos = start + size
        return self.data[start : self.pos]

    def number(self, size: int, signed: bool = False) -> int:
        """The next number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def string(self) -> bytes:
        """The next string: its length as u16, then its bytes."""
        return self.take(self.number(2))

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return self.end - self.pos


DAMAGED = "The file is damaged; record the scan again, or copy the file again."
