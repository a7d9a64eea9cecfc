"""SMB's files: a share takes whatever is put into it, forgets the content, and holds nothing else.

Facts: MS-SMB2 2.2.13 to 2.2.40, MS-FSCC 2.4 and 2.5.
"""

from __future__ import annotations

import os
import struct
import time
from collections import OrderedDict
from dataclasses import dataclass, field

_OPEN = 500  # files of one connection that are open; the oldest is forgotten for a new one
_MADE = 1_000  # names that it made
_SINCE_1601 = 116_444_736_000_000_000  # 1970 as FILETIME, hundreds of nanoseconds
_DIRECTORY, _FILE = 0x10, 0x80
_WANTS_DIRECTORY = 0x1  # a create's options
_EXISTING = (1, 4)  # dispositions FILE_OPEN and FILE_OVERWRITE: only what is there
_OPENED, _CREATED = 1, 2  # a create's action
_FULL_ACCESS = 0x001F01FF
_BYTES = 1 << 38  # of the disk, and half of it free
_CLUSTER = 4_096
_LABEL = "data".encode("utf-16-le")

OK = 0
NO_MORE_FILES = 0x80000006
INVALID_PARAMETER, NAME_NOT_FOUND, NOT_SUPPORTED = 0xC000000D, 0xC0000034, 0xC00000BB
INVALID_INFO_CLASS, FILE_CLOSED, END_OF_FILE = 0xC0000003, 0xC0000128, 0xC0000011


@dataclass(slots=True)
class File:
    """One open file or folder."""

    name: str
    folder: bool
    size: int = 0
    listed: bool = False
    times: bytes = field(default_factory=lambda: struct.pack("<Q", filetime()) * 4)

    @property
    def attributes(self) -> int:
        return _DIRECTORY if self.folder else _FILE


def filetime() -> int:
    """Now, as Windows counts it."""
    return time.time_ns() // 100 + _SINCE_1601


class Files:
    """What one connection has open and has made."""

    def __init__(self) -> None:
        self._open: OrderedDict[bytes, File] = OrderedDict()
        self._made: OrderedDict[str, tuple[bool, int]] = OrderedDict()

    def create(self, name: str, disposition: int, options: int) -> tuple[int, bytes, bytes]:
        """Status, the answer's body and the file's number."""
        key = name.strip("\\").lower()
        known = (True, 0) if not key else self._made.get(key)
        folder = known[0] if known else bool(options & _WANTS_DIRECTORY)
        if known is None and disposition in _EXISTING and not folder:
            return NAME_NOT_FOUND, b"", b""
        file = File(key, folder, known[1] if known else 0)
        number = os.urandom(16)
        self._open[number] = file
        self._remember(file)
        if len(self._open) > _OPEN:
            self._open.popitem(last=False)
        action = _OPENED if known else _CREATED
        sizes = struct.pack("<QQII", _clusters(file.size), file.size, file.attributes, 0)
        return OK, struct.pack("<HBBI", 89, 0, 0, action) + file.times + sizes + number + bytes(8), number

    def of(self, number: bytes) -> File | None:
        return self._open.get(number)

    def wrote(self, file: File, end: int) -> None:
        """So far the file goes now."""
        file.size = max(file.size, min(end, _BYTES))
        self._remember(file)

    def close(self, number: bytes) -> bytes | None:
        """The answer's body; None where it was not open."""
        file = self._open.pop(number, None)
        if file is None:
            return None
        sizes = struct.pack("<QQI", _clusters(file.size), file.size, file.attributes)
        return struct.pack("<HHI", 60, 1, 0) + file.times + sizes

    def _remember(self, file: File) -> None:
        if file.name:
            self._made[file.name] = file.folder, file.size
            if len(self._made) > _MADE:
                self._made.popitem(last=False)


def listing(file: File, kind: int) -> tuple[int, bytes]:
    """The two entries of an empty folder, once."""
    if kind not in _ENTRIES:
        return INVALID_INFO_CLASS, b""
    if not file.folder:
        return INVALID_PARAMETER, b""
    if file.listed:
        return NO_MORE_FILES, b""
    file.listed = True
    first = _entry(file, kind, ".")
    first += bytes(-len(first) % 8)
    return OK, struct.pack("<I", len(first)) + first[4:] + _entry(file, kind, "..")


# What stands between the attributes and the name: its length, then extended attributes, the short name, the number.
_ENTRIES = {1: "", 2: "e", 3: "es", 37: "esi", 38: "ei", 12: ""}
_NAMES_ONLY = 12


def _entry(file: File, kind: int, name: str) -> bytes:
    text = name.encode("utf-16-le")
    head = bytes(8)
    if kind != _NAMES_ONLY:
        head += file.times + struct.pack("<QQI", 0, 0, _DIRECTORY)
    head += struct.pack("<I", len(text))
    parts = {"e": bytes(4), "s": bytes(26), "i": bytes(8)}
    for part in _ENTRIES[kind]:
        if part == "i":  # stands at a multiple of eight
            head += bytes(-len(head) % 8)
        head += parts[part]
    return head + text


def about_file(file: File, number: bytes, kind: int) -> tuple[int, bytes]:
    """What QUERY_INFO asks of a file."""
    basic = file.times + struct.pack("<II", file.attributes, 0)
    standard = struct.pack("<QQIBBH", _clusters(file.size), file.size, 1, 0, file.folder, 0)
    name = ("\\" + file.name).encode("utf-16-le")
    named = struct.pack("<I", len(name)) + name
    whole = basic + standard + number[:8] + bytes(4) + struct.pack("<I", _FULL_ACCESS) + bytes(16) + named
    known = {
        4: basic,
        5: standard,
        6: number[:8],
        7: bytes(4),
        8: struct.pack("<I", _FULL_ACCESS),
        9: named,
        14: bytes(8),
        16: bytes(4),
        17: bytes(4),
        18: whole,
        34: file.times + struct.pack("<QQII", _clusters(file.size), file.size, file.attributes, 0),
        35: struct.pack("<II", file.attributes, 0),
    }
    return (OK, known[kind]) if kind in known else (INVALID_INFO_CLASS, b"")


def about_disk(kind: int) -> tuple[int, bytes]:
    """What QUERY_INFO asks of the disk."""
    units, free = _BYTES // _CLUSTER, _BYTES // _CLUSTER // 2
    system = "NTFS".encode("utf-16-le")
    known = {
        1: struct.pack("<QIIH", filetime(), 0x5EED, len(_LABEL), 0) + _LABEL,
        3: struct.pack("<QQII", units, free, 8, 512),
        4: struct.pack("<II", 7, 0x20),
        5: struct.pack("<III", 0x4002F, 255, len(system)) + system,
        7: struct.pack("<QQQII", units, free, free, 8, 512),
    }
    return (OK, known[kind]) if kind in known else (INVALID_INFO_CLASS, b"")


def _clusters(size: int) -> int:
    return -(-size // _CLUSTER) * _CLUSTER
