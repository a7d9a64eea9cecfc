"""Processes that live on in a box: who they are, and whether the program that they run came with the image."""

from __future__ import annotations

import stat
import time
from pathlib import Path

from package_hunter.model.box import HOST_ID_BASE
from package_hunter.model.scan import LeftRunning
from package_hunter.sandbox import cgroups
from package_hunter.sandbox.base import CgroupPaths

_MAX_CMDLINE = 4096
_MAX_NAME = 64


def living(groups: CgroupPaths, init_pid: int) -> list[int]:
    """Host pids of the box's processes but its first, and but those that are dead and not reaped yet."""
    return [pid for pid in cgroups.processes(groups) if pid != init_pid and not _dead(pid)]


def name_of(pid: int) -> str:
    """The (untrusted) name of a process; "" where it has gone."""
    return _read(pid, "comm", _MAX_NAME).rstrip(b"\n").decode("utf-8", "replace")


def look(groups: CgroupPaths, init_pid: int) -> list[LeftRunning]:
    """What lives in the box now, in no order."""
    now = time.time_ns()
    return [_described(pid, now) for pid in living(groups, init_pid)]


def _described(pid: int, now: int) -> LeftRunning:
    words = _read(pid, "cmdline", _MAX_CMDLINE).replace(b"\0", b" ").strip() or name_of(pid).encode()
    program, of_image = _program(pid)
    return LeftRunning(pid, now, words.decode("utf-8", "replace"), program, of_image)


def _program(pid: int) -> tuple[str, bool]:
    """The file that a process runs, and whether its bytes are the image's: those belong to the box's root, whom
    nothing that runs in the box can become, and only root may write them."""
    link = Path(f"/proc/{pid}/exe")
    try:
        path, facts = str(link.readlink()), link.stat()
    except OSError:
        return "", False
    own = stat.S_ISREG(facts.st_mode) and facts.st_uid == HOST_ID_BASE and not facts.st_mode & 0o022
    return path, own and facts.st_nlink > 0


def _dead(pid: int) -> bool:
    """Whether it is a zombie. One that is gone is not: what ends while it is looked at may have started another."""
    return _read(pid, "stat", 4096).rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"])


def _read(pid: int, name: str, limit: int) -> bytes:
    try:
        with Path(f"/proc/{pid}/{name}").open("rb") as file:
            return file.read(limit)
    except OSError:
        return b""
