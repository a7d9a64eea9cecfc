"""Folders that are held while their maker lives, and removed after it, however it ended.

The kernel lets go of a lock when its process ends: a folder that can be locked is a dead process's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def held_folder(parent: Path, name: str, mode: int = 0o700) -> Iterator[Path]:
    """An empty folder of this name, held, and gone at the end; FileExistsError. What dead processes left beside it is
    removed first. Nobody else may be able to write ``parent``."""
    remove_dead(parent)
    path = parent / name
    lock = _make_held(path, mode)
    try:
        yield path
    finally:
        _remove(path)
        os.close(lock)


def fresh_name(prefix: str) -> str:
    """A name that nobody has."""
    return f"{prefix}{secrets.token_hex(8)}"


def remove_dead(parent: Path) -> list[str]:
    """Remove the folders of ``parent`` whose makers are gone; their names."""
    found = []
    for path in sorted(parent.iterdir()) if parent.is_dir() else ():
        lock = _lock(path)
        if lock is not None:
            _remove(path)
            found.append(path.name)
            os.close(lock)
    return found


def _make_held(path: Path, mode: int) -> int:
    """Make the folder and hold its lock; another one's `remove_dead` may take it away before it is held."""
    while True:
        path.mkdir(mode=mode)
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return lock
            os.close(lock)


def _lock(path: Path) -> int | None:
    """The folder's descriptor, locked; None where a living process holds it, or it is none (any more)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.lstat().st_ino == os.fstat(fd).st_ino:
            return fd  # else another one removed it meanwhile, and the name may be a living one's by now
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
