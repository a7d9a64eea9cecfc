"""The probe's places for scans. A place is taken by a lock on a file, so that it is free again when its scan's
process is gone, however it ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from package_hunter.sensor import layout


class Slots:
    """Takes places. ``folder`` is what all users of the same loaded probe share; None: nobody else uses it."""

    def __init__(self, folder: Path | None) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="package-hunter-") if folder is None else None
        self._folder = folder or Path(self._own.name if self._own else "")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take(self) -> tuple[int, int] | None:
        """A free place, and the descriptor to close when it is not needed any more; None: all are taken."""
        for slot in range(layout.SLOTS):
            fd = self._lock(slot)
            if fd is not None:
                return slot, fd
        return None

    def free(self) -> Iterator[int]:
        """Each place that nobody has; it is held while the caller looks at it."""
        for slot in range(layout.SLOTS):
            fd = self._lock(slot)
            if fd is not None:
                try:
                    yield slot
                finally:
                    os.close(fd)

    def _lock(self, slot: int) -> int | None:
        fd = os.open(self._folder / f"slot-{slot}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        os.close(fd)
        return None

    def close(self) -> None:
        """Forget the places; those taken stay taken until their descriptors are closed."""
        if self._own is not None:
            self._own.cleanup()
