"""A scan's working folder, `<data_dir>/runs/ID`: held by a lock while its scan lives, removed after it.

The kernel lets go of the lock when the worker ends, however it ends: a folder that can be locked is a dead
scan's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.errors import SandboxError


@contextlib.contextmanager
def run_dir(config: Settings, scan_id: str) -> Iterator[Path]:
    """The scan's working files, an empty folder, gone at its end. Its parents can be passed through by the
    gateway's user. SandboxError where the same scan is still at work here."""
    runs = config.data_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for folder in (config.data_dir, config.data_dir / "cache", runs):
        folder.mkdir(exist_ok=True)
        folder.chmod(folder.stat().st_mode | 0o011)
    remove_dead(config)
    path = runs / scan_id
    lock = _make_held(path)
    try:
        yield path
    finally:
        _remove(path)
        os.close(lock)


def remove_dead(config: Settings) -> list[str]:
    """Remove the folders of scans whose worker is gone; the names of those."""
    runs = config.data_dir / "runs"
    found = []
    for path in sorted(runs.iterdir()) if runs.is_dir() else ():
        lock = _lock(path)
        if lock is not None:
            _remove(path)
            found.append(path.name)
            os.close(lock)
    return found


def _make_held(path: Path) -> int:
    """Make the folder and hold its lock; another scan's `remove_dead` may take it away before it is held."""
    while True:
        try:
            path.mkdir(mode=0o711)
        except FileExistsError:
            raise SandboxError(f"The scan {path.name} is still at work on this machine.") from None
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return lock
            os.close(lock)


def _lock(path: Path) -> int | None:
    """The folder's descriptor, locked; None where a live scan holds it, or it is none (any more)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.lstat().st_ino == os.fstat(fd).st_ino:
            return fd  # else another one removed it meanwhile, and the name may be a live scan's by now
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(fd)
    return None


def _remove(path: Path) -> None:
    """Free the name at once, whatever of the content resists."""
    aside = path.with_name(f".dead-{secrets.token_hex(8)}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
