"""Follows Falco's file_output: a file that grows and may be rotated, or a pipe."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

from package_hunter.errors import HostError
from package_hunter.sensor.falco.alert import MAX_ALERT_BYTES
from package_hunter.sensor.falco.place import Take

_PAUSE = 0.05
_CHUNK = 1 << 18
_LINGER = 30.0  # a file that was moved away is read on until it was quiet for so long
_MAX_FILES = 4


class Tail:
    """Lines from ``start`` on. A file that is renamed or removed is read on for a while (its writer may have it
    open still), the one that takes its name from its beginning; a pipe's writer may go and come back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._files: list[_File] = []
        self.refused = 0

    def start(self, take: Take) -> None:
        """Follow from the present end on; a file that is not there yet is waited for."""
        try:
            present = _open(self._path)
            if present is not None:
                present.to_end()
                self._files.append(present)
        except OSError as error:
            raise HostError(
                f"Falco's alerts cannot be read from {self._path}: {os.strerror(error.errno or 0)}.",
                "Give a file or pipe that Falco's file_output writes and that this user may read.",
            ) from None
        self._thread = threading.Thread(target=self._follow, args=(take,), name="falco-tail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close what is open."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
            self._thread = None
        for file in self._files:
            os.close(file.fd)
        self._files = []

    def _follow(self, take: Take) -> None:
        while not self._stop.is_set():
            self._turn()
            heard = sum(file.read(take) for file in self._files)
            if not heard:
                self._stop.wait(_PAUSE)
            self.refused += sum(file.take_refused() for file in self._files)

    def _turn(self) -> None:
        """Opens what now stands under the name, where that is another file; lets go of old ones."""
        for file in self._files[:-1]:
            if time.monotonic() - file.heard > _LINGER or len(self._files) > _MAX_FILES:
                os.close(file.fd)
                self._files.remove(file)
        try:
            if self._files and not self._files[-1].is_other(self._path.stat()):
                return
            found = _open(self._path)
        except OSError:  # moved away, its successor not there yet: looked for again in a moment
            return
        if found is not None:
            self._files.append(found)


class _File:
    """An open file: its descriptor, the beginning of a line that has not ended yet, when it last said
    something (of time.monotonic())."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.heard = time.monotonic()
        self._part = b""
        self._skipping = False
        self._refused = 0

    def to_end(self) -> None:
        """What is there already is not read, nor the rest of its last line."""
        if stat.S_ISREG(os.fstat(self.fd).st_mode):
            size = os.lseek(self.fd, 0, os.SEEK_END)
            self._skipping = size > 0 and os.pread(self.fd, 1, size - 1) != b"\n"

    def read(self, take: Take) -> bool:
        """Takes what there is; False where there was nothing."""
        try:
            data = os.read(self.fd, _CHUNK)
        except BlockingIOError:  # a pipe whose writer says nothing
            return False
        if not data:
            return False
        self.heard = time.monotonic()
        *lines, self._part = (self._part + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif line.strip():
                take(line)
        if len(self._part) > MAX_ALERT_BYTES:
            self._refused += not self._skipping
            self._part, self._skipping = b"", True
        return True

    def take_refused(self) -> int:
        """Lines too long since this was asked last."""
        count, self._refused = self._refused, 0
        return count

    def is_other(self, now: os.stat_result) -> bool:
        """Whether the name stands for another file now; one that was cut short in place is read from its
        beginning."""
        own = os.fstat(self.fd)
        if (now.st_dev, now.st_ino) != (own.st_dev, own.st_ino):
            return True
        if stat.S_ISREG(now.st_mode) and now.st_size < os.lseek(self.fd, 0, os.SEEK_CUR):
            os.lseek(self.fd, 0, os.SEEK_SET)
            self._part, self._skipping = b"", False
        return False


def _open(path: Path) -> _File | None:
    try:
        return _File(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except FileNotFoundError:
        return None
