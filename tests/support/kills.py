"""Killing one process of a scan that runs in this process, at a moment of its own, from a thread beside it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from package_hunter.confine import UIDS
from package_hunter.sandbox import cgroups, mounts

Find = Callable[[], list[int]]


def below(pid: int) -> list[int]:
    """All processes that come from this one."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *below(int(child))]
    return found


def _words(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _runs_as(pid: int, role: str) -> bool:
    with contextlib.suppress(OSError):
        return f"Uid:\t{UIDS[role]}\t" in Path(f"/proc/{pid}/status").read_text()
    return False


def named(*words: bytes) -> Find:
    """Processes of ours whose command line holds all these words."""
    return lambda: [p for p in below(os.getpid()) if all(word in _words(p).split(b"\0") for word in words)]


def of_role(role: str) -> Find:
    """Confined processes of ours (``confine.UIDS``)."""
    return lambda: [p for p in below(os.getpid()) if _runs_as(p, role)]


def box_init(scan_id: str) -> Find:
    """The first process of this scan's box, while that runs a command. (Boxes of others may be on this machine.)"""

    def find() -> list[int]:
        try:
            pid = int((mounts.RUN_DIR / "boxes" / scan_id / "pid").read_text())
        except (OSError, ValueError):
            return []
        return [pid] if len(cgroups.processes(cgroups.paths_of(scan_id))) > 1 else []

    return find


@dataclass
class Killer:
    """Kills the first process that ``find`` finds, ``after`` so many seconds; ``done`` is its pid."""

    find: Find
    after: float = 0.0
    number: signal.Signals = signal.SIGKILL
    done: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Look until it is there, or nobody waits any more."""
        while not self._stop.is_set():
            if not self.find():
                time.sleep(0.002)
                continue
            self._stop.wait(self.after)
            with contextlib.suppress(ProcessLookupError, IndexError):
                pid = self.find()[0]
                os.kill(pid, self.number)
                self.done = pid
                return

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """For the block."""
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def left_of(scan_id: str) -> list[str]:
    """What a scan left on this host: boxes, cgroups, mounts, processes of ours."""
    found = [str(path) for path in (mounts.RUN_DIR / "boxes").glob(f"{scan_id}*")]
    found += [str(path) for path in (mounts.RUN_DIR / "runc").glob(f"*{scan_id}*")]
    found += [str(p) for root in cgroups.roots() for p in (root / cgroups.PARENT).glob(f"{scan_id}*")]
    found += [point for point in mounts.mount_points() if scan_id in point]
    return found
