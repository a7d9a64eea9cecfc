"""Who a worker is: a name that no other process has, had or will have, and which names are of dead ones.

A host's name is not enough: two machines, or two containers, may share one, and would take each other's live
scans for their own of an earlier life. Each worker holds a lock on a file of its data directory, in which its
name stands; a file that can be locked tells a dead worker's name.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.store.errors import DiskFullError

_SLOTS = 1_000
_MAX_NAME = 128
_NAME = re.compile(r"[^/\s]{1,64}/([0-9a-f]{8})/\d+/[0-9a-f]{16}\Z")
_OPEN = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Identity:
    """``name``: ``HOST/BOOT/PID/RANDOM``. ``dead``: names of workers of this data directory that died since the
    machine was started. (Of earlier ones nothing is said: a copy of a machine has a copy of these files, and
    the original may be alive. Their scans come back when the leases end.)"""

    name: str
    dead: tuple[str, ...] = ()


@contextlib.contextmanager
def identity(settings: Settings) -> Iterator[Identity]:
    """This worker's identity, held for the block."""
    folder = settings.data_dir / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    boot = start_of_machine()
    host = re.sub(r"[/\s]", "-", socket.gethostname())[:64] or "host"
    name = f"{host}/{boot}/{os.getpid()}/{secrets.token_hex(8)}"
    try:
        held, dead = _take(folder, name)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFullError("The disk is full.", "Free some space under the data directory.") from error
    try:
        yield Identity(name, tuple(old for old in dead if _NAME.match(old) and old.split("/")[1] == boot))
    finally:
        os.ftruncate(held, 0)  # nothing of ours is left to be taken back
        os.close(held)


def _take(folder: Path, name: str) -> tuple[int, list[str]]:
    """A locked file with this name in it, and the names that dead workers left in any."""
    held, dead = -1, []
    for slot in range(1, _SLOTS):
        path = folder / f"worker-{slot}"
        if held >= 0 and not path.exists():
            break
        fd = _locked(path)
        if fd is None:
            continue
        dead.append(os.pread(fd, _MAX_NAME, 0).decode("ascii", "replace"))
        if held < 0:
            # in this order: where it cannot be written, who died here is still known
            os.ftruncate(fd, os.pwrite(fd, name.encode(), 0))
            held = fd
        else:
            os.ftruncate(fd, 0)
            os.close(fd)
    if held < 0:
        raise HunterError("A thousand workers run on this machine already.", "Stop some.")
    return held, dead


def _locked(path: Path) -> int | None:
    """The file's descriptor, locked; None where a live worker holds it."""
    fd = os.open(path, _OPEN, 0o600)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not inherited by what a scan forks
    except OSError:
        os.close(fd)
        return None
    return fd


def start_of_machine() -> str:
    """Eight digits that tell this start of the machine from any other."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").replace("-", "")[:8]
