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

_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG, _PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 1, 2, 3, 4


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


@contextmanager
def acting_as_ourselves() -> Iterator[None]:
    """Within `acting_as_owner`: our own rights for a while, to read our own files (which may lie where the owner
    cannot go). Nothing of the owner's may be opened here."""
    before = _become(0, 0) if os.geteuid() == 0 else None
    try:
        yield
    finally:
        if before is not None:
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
    """Take these ids and give those before. The calls tell nothing of a failure, and have none for root.

    The kernel forgets at such a change with which signal this thread ends with its parent, and that it may be
    looked at (prctl(2)); both are put back.
    """
    libc, parent, number = _libc(), os.getppid(), ctypes.c_int(0)
    libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    dumpable = libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0)
    old_gid = int(libc.setfsgid(gid))
    old_uid = int(libc.setfsuid(uid))
    libc.prctl(_PR_SET_DUMPABLE, int(dumpable == 1), 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, number.value, 0, 0, 0)
    if number.value and os.getppid() != parent:
        os.kill(os.getpid(), number.value)  # it died in between
    return old_uid, old_gid


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
