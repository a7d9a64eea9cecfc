"""The page that tells a hurried box how fast time passes: written here, read in every process of the box.

Layout: library/clock.h. The file is the box's root's, so nothing that runs in the box can write it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import time
from pathlib import Path

MAGIC = 0x314B4C4354484C
_PAGE = struct.Struct("=QIIqq")  # magic, turn, rate, since, ahead
_TURN_AT = 8
_REST, _REST_AT = struct.Struct("=Iqq"), 12
_FUTEX = {"x86_64": 202, "aarch64": 98}
_FUTEX_WAKE, _ALL = 1, 2**31 - 1


def at_rest() -> bytes:
    """The file's content before anything is hurried."""
    return _PAGE.pack(MAGIC, 0, 1, 0, 0).ljust(mmap.PAGESIZE, b"\0")


class Page:
    """A box's page, opened for writing. ``offset_ns`` is how far the box's monotonic clock is before the host's."""

    def __init__(self, path: Path, offset_ns: int = 0) -> None:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(fd, mmap.PAGESIZE)
        finally:
            os.close(fd)
        self._offset_ns = offset_ns
        self._turn = ctypes.c_uint32.from_buffer(self._map, _TURN_AT)
        self._rate, self._since, self._ahead = 1, 0, 0

    @property
    def rate(self) -> int:
        """Seconds that pass in one."""
        return self._rate

    def set(self, rate: int) -> None:
        """Let time pass so fast from now on, and wake what waits for a change."""
        if rate == self._rate:
            return
        now = self._now()
        self._ahead, self._since, self._rate = self._ahead_at(now), now, rate
        self._turn.value += 1  # odd: whoever reads now reads again
        _REST.pack_into(self._map, _REST_AT, rate, self._since, self._ahead)
        self._turn.value += 1
        self._wake()

    def close(self) -> None:
        """Let go of it; the box keeps the pace that it has."""
        del self._turn
        self._map.close()

    def _ahead_at(self, now: int) -> int:
        return self._ahead + (now - self._since) * (self._rate - 1)

    def _now(self) -> int:
        return time.monotonic_ns() + self._offset_ns

    def _wake(self) -> None:
        number = _FUTEX.get(os.uname().machine)
        if number is not None:
            call = ctypes.CDLL(None).syscall
            call(number, ctypes.byref(self._turn), _FUTEX_WAKE, _ALL, None, None, 0)
