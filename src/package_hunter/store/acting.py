"""What root does in a folder that a lesser user owns, it does with that user's rights to files.

Checks alone could not help: whoever owns a folder may put a link where a file was the moment after the look. So
the thread takes the owner's file system user (setfsuid(2)) for as long as it works there: a link, a pipe or a
forged journal then reaches nothing that the owner could not have reached without us.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def acting_as_owner(folder: Path) -> Iterator[None]:
    """This thread's file accesses are those of the folder's owner, where we are root and the owner is not.

    A folder that its owner cannot reach (below one that only root can enter) is root's for all purposes.
    """
    ids = _owner(folder)
    if ids is None:
        yield
        return
    before = _become(*ids)
    try:
        yield
    finally:
        _become(*before)


def _owner(folder: Path) -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    try:
        state = folder.stat()
    except OSError:
        return None  # whoever uses it says that it is missing
    if state.st_uid == 0:
        return None
    before = _become(state.st_uid, state.st_gid)
    try:
        (folder / ".").stat()
    except PermissionError:
        return None
    finally:
        _become(*before)
    return state.st_uid, state.st_gid


def _become(uid: int, gid: int) -> tuple[int, int]:
    """Take these ids and give those before. The calls tell nothing of a failure, and have none for root."""
    libc = _libc()
    old_gid = int(libc.setfsgid(gid))
    return int(libc.setfsuid(uid)), old_gid


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
