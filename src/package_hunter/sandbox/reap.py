"""Boxes whose worker was killed: found at the next start and removed."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from package_hunter.errors import SandboxError
from package_hunter.sandbox import cgroups, mounts
from package_hunter.sandbox.runc import remove_box


def reap() -> tuple[list[str], list[SandboxError]]:
    """Remove every box that no living process holds; returns their scan ids, and what could not be removed.

    A box is held by the lock on its directory, which the kernel lets go of when its worker ends, however it
    ends. One box that resists (a process that hangs in the kernel) must not keep others from being removed.
    """
    removed, failed = [], []
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
        except SandboxError as error:
            failed.append(error)
        finally:
            os.close(fd)
    return removed, failed


def _candidates() -> set[str]:
    """Boxes with a folder here, and cgroups that nobody is in. One that lives and has no folder here is somebody
    else's: a worker's in a container, which shares the cgroups' tree with us and has a /run of its own."""
    living = (root / cgroups.PARENT for root in cgroups.roots())
    left = {name for place in living for name in _names(place) if cgroups.is_empty(name)}
    return _names(mounts.RUN_DIR / "boxes") | left


def _names(place: Path) -> set[str]:
    return {entry.name for entry in place.iterdir() if entry.is_dir()} if place.is_dir() else set()
