"""Boxes whose worker was killed: found at the next start and removed."""

from __future__ import annotations

import fcntl
import os

from package_hunter.sandbox import cgroups, mounts
from package_hunter.sandbox.runc import remove_box


def reap() -> list[str]:
    """Remove every box that no living process holds; returns their scan ids. A box is held by the lock on its
    directory, which the kernel lets go of when its worker ends, however it ends."""
    removed = []
    for name in sorted(_candidates()):
        directory = mounts.RUN_DIR / "boxes" / name
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_box(name)
            removed.append(name)
        except BlockingIOError:
            pass  # a live scan's
        finally:
            os.close(fd)
    return removed


def _candidates() -> set[str]:
    names: set[str] = set()
    places = [mounts.RUN_DIR / "boxes", *(root / cgroups.PARENT for root in cgroups.roots())]
    for place in places:
        if place.is_dir():
            names.update(entry.name for entry in place.iterdir() if entry.is_dir())
    return names
