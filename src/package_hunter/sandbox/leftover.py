"""Processes that live on in a box: who they are, and whether the program that they run came with the image."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from package_hunter.model.box import CLOCK_LIBRARY, HOST_ID_BASE
from package_hunter.model.scan import LeftRunning
from package_hunter.sandbox import cgroups, waiting
from package_hunter.sandbox.base import CgroupPaths

_MAX_CMDLINE = 4096
_MAX_NAME = 64
_MAX_MAPS = 256 << 10
_MAX_OPENED = 256  # processes, looked at closely at the same time
_DEAD = (b"Z", b"X")
_AT_WORK = (b"R", b"D")


def living(groups: CgroupPaths, init_pid: int, own: Collection[int] = ()) -> list[int]:
    """Host pids of the box's processes but its first and the machine's ``own``, and but those that are dead and not
    reaped yet."""
    return [pid for pid, state in _states(groups, init_pid, own) if state not in _DEAD]


def at_work(groups: CgroupPaths, init_pid: int, own: Collection[int] = ()) -> list[int]:
    """Those of them that run, wait for a processor or for a disk now."""
    return [pid for pid, state in _states(groups, init_pid, own) if state in _AT_WORK]


def name_of(pid: int) -> str:
    """The (untrusted) name of a process; "" where it has gone."""
    return _read(pid, "comm", _MAX_NAME).rstrip(b"\n").decode("utf-8", "replace")


def look(groups: CgroupPaths, init_pid: int, own: Collection[int] = ()) -> list[LeftRunning]:
    """What lives in the box now, in no order."""
    now = time.time_ns()
    with opened(groups, init_pid, own) as processes:
        return [
            *(_described(pid, now, proc) for pid, proc in processes.items()),
            *(_described(pid, now, None) for pid in living(groups, init_pid, own) if pid not in processes),
        ]


@contextlib.contextmanager
def opened(groups: CgroupPaths, init_pid: int, own: Collection[int] = ()) -> Iterator[Mapping[int, int]]:
    """Host pid -> a descriptor of its folder in /proc, of the first few hundred processes that live. Such a descriptor
    stays that process's: a pid that another process of the host has meanwhile got leads to nobody."""
    found: dict[int, int] = {}
    try:
        for pid in living(groups, init_pid, own)[:_MAX_OPENED]:
            with contextlib.suppress(OSError):
                found[pid] = os.open(f"/proc/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        still = set(cgroups.processes(groups))
        yield {pid: proc for pid, proc in found.items() if pid in still}
    finally:
        for proc in found.values():
            os.close(proc)


def _described(pid: int, now: int, proc: int | None) -> LeftRunning:
    words = _read(pid, "cmdline", _MAX_CMDLINE).replace(b"\0", b" ").strip() or name_of(pid).encode()
    program, of_image = _program(pid)
    waits = waiting.waits_of(proc) if proc is not None else ()
    return LeftRunning(pid, now, words.decode("utf-8", "replace"), program, of_image, waits, _hurried(pid))


def _hurried(pid: int) -> bool:
    """Whether the library that hurries time is in its memory."""
    return CLOCK_LIBRARY.encode() in _read(pid, "maps", _MAX_MAPS)


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


def _states(groups: CgroupPaths, init_pid: int, own: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """Host pid and state, as proc(5) has it; the state of one that is gone is empty: what ends while it is looked at
    may have started another."""
    for pid in cgroups.processes(groups):
        if pid != init_pid and pid not in own:
            words = _read(pid, "stat", 4096).rpartition(b")")[2].split()
            yield pid, words[0] if words else b""


def _read(pid: int, name: str, limit: int) -> bytes:
    try:
        with Path(f"/proc/{pid}/{name}").open("rb") as file:
            return file.read(limit)
    except OSError:
        return b""
