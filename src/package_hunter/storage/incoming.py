"""What comes in piece by piece, before it has its name: a locked file ``part-…`` on this machine's disk.

Its lock tells a live one from what a killed process left. The folder belongs to the API's user; root works in it with
that user's rights to files.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import BinaryIO

import structlog

from package_hunter.acting import acting_as_owner
from package_hunter.errors import DiskFullError

log = structlog.get_logger(__name__)

_CHECK_EVERY = 64 << 20  # bytes between two looks at the free space
_PART_AGE = 10.0  # seconds
_SWEEP_SECONDS = 600.0
OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""How root opens what a lesser user could have put there: follows no link, waits on no pipe."""


class Incoming:
    """``write`` its bytes, then ``done``; ``discard`` in any case. ``root``: the folder around its own, of which only
    root and the owner can make another."""

    def __init__(self, root: Path, folder: Path, min_free: int) -> None:
        self._root, self._folder, self._min_free = root, folder, min_free
        self.path = folder / f"part-{secrets.token_hex(8)}"
        try:
            with acting_as_owner(root):
                flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
                self._fd = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise disk_full(error) from error
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._hash = hashlib.sha256()
        self.size = 0
        self.sha256 = ""

    def write(self, data: bytes | bytearray) -> None:
        """Append; DiskFullError where there is no room."""
        try:
            if self.size // _CHECK_EVERY != (self.size + len(data)) // _CHECK_EVERY:
                require_space(self._folder, self._min_free)
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise disk_full(error) from error
        self._hash.update(data)
        self.size += len(data)

    def done(self) -> None:
        """All bytes are there: put them safely on disk."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise disk_full(error) from error
        self.sha256 = self._hash.hexdigest()

    def content(self) -> BinaryIO:
        """What was written, from its beginning; valid until it is discarded."""
        file = os.fdopen(os.dup(self._fd), "rb")
        file.seek(0)
        return file

    def discard(self) -> None:
        """Close it, and remove what was not kept."""
        if self._fd >= 0:
            with acting_as_owner(self._root):
                self.path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1


class Spool:
    """The folder ``root/incoming``; ``root`` belongs to the API's user, what is around it to root."""

    def __init__(self, root: Path, min_free: int) -> None:
        self._root, self.folder, self._min_free = root, root / "incoming", min_free
        self._next_sweep = 0.0

    def begin(self, expected: int = 0) -> Incoming:
        """A new file, for ``expected`` bytes (0: unknown); DiskFullError where they would not fit."""
        self._make()
        if time.monotonic() >= self._next_sweep:
            self.sweep()
        require_space(self.folder, self._min_free + expected)
        return Incoming(self._root, self.folder, self._min_free)

    def free(self) -> int:
        """Bytes that may still come in."""
        self._make()
        return shutil.disk_usage(self.folder).free - self._min_free

    def _make(self) -> None:
        try:
            self._root.mkdir(mode=0o700, exist_ok=True)
            with acting_as_owner(self._root):
                self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise disk_full(error) from error

    def sweep(self) -> int:
        """Remove what no living process writes; how many files that were. What is too young to tell is looked at again
        before the next one begins (`begin`), as soon as it can be told."""
        with acting_as_owner(self._root):
            if not self.folder.is_dir():
                return 0
            parts = [path for path in self.folder.iterdir() if path.name.startswith("part-")]
        told = [self._remove_dead(path) for path in parts]
        self._next_sweep = time.monotonic() + (_SWEEP_SECONDS if all(told) else _PART_AGE)
        return sum(not os.path.lexists(path) for path in parts)

    def _remove_dead(self, path: Path) -> bool:
        """Whether it could be told if somebody writes it."""
        try:
            young = time.time() - path.lstat().st_mtime < _PART_AGE
            with acting_as_owner(self._root):
                fd = os.open(path, OPEN)
        except FileNotFoundError:
            return True  # finished or removed meanwhile
        except OSError:
            remove(self._root, path)  # a link or a socket: nothing that comes in was ever that
            return True
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True  # still coming in
        else:
            if not young:  # else it was perhaps made, and is not locked yet
                remove(self._root, path)
            return not young
        finally:
            os.close(fd)


def remove(root: Path, path: Path) -> None:
    """Remove a name, never what it leads to, as the owner of ``root`` could. A folder is nobody's artefact: it stays,
    and the log tells."""
    try:
        with acting_as_owner(root):
            path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("not removed from the artefacts", name=path.name[:80], error=error.strerror)


def require_space(folder: Path, wanted: int) -> None:
    """DiskFullError where less than ``wanted`` bytes are free."""
    if shutil.disk_usage(folder).free < wanted:
        raise DiskFullError(
            "The disk is too full to take archives.", "Free some space under the data directory."
        )


def disk_full(error: OSError) -> OSError | DiskFullError:
    """The error, in words where it is one of room."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError("The disk is full.", "Free some space under the data directory.")
    return error
