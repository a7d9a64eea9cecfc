"""Which processes are a run's own: all that it starts are put into a cgroup, which whatever they start inherits,
whatever becomes of their parents and environments. A box's processes are in cgroups that name their scan."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from package_hunter.confine import UIDS
from package_hunter.sandbox import cgroups

_HELPERS = {"reader": UIDS["reader"], "planner": UIDS["planner"]}
_COMMANDS = {
    "gateway": b"package_hunter.ecosystems.gateway",
    "unpacker": b"package_hunter.intake.worker",
    "runc": b"runc --root",
}
KINDS = (*_HELPERS, *_COMMANDS)


class Mark:
    """A cgroup of a run's own."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def command(self, words: Iterable[str | Path]) -> list[str]:
        """The command that puts itself into the cgroup, then becomes ``words``."""
        script = 'echo $$ > "$0"/cgroup.procs && exec "$@"'
        return ["sh", "-c", script, str(self.place), *map(str, words)]

    def pids(self) -> list[int]:
        """Processes that live in it (a dead one that nobody reaped is none)."""
        try:
            text = (self.place / "cgroup.procs").read_text(encoding="ascii")
        except OSError:
            return []
        return [pid for pid in map(int, text.split()) if _state(pid) not in ("Z", "X", "")]

    def helpers(self, kind: str) -> list[int]:
        """Processes of this kind (one of `KINDS`)."""
        return [pid for pid in self.pids() if kind_of(pid) == kind]

    def kill(self, pid: int, still: Callable[[int], bool] = lambda pid: True) -> bool:
        """SIGKILL, if it is (still) one of ours; never another process that got its number."""
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            if pid not in self.pids() or not still(pid):
                return False
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(fd)


@contextmanager
def mark() -> Iterator[Mark]:
    """A mark for the block; what still lives at its end is killed (by then it was told as left behind)."""
    root = Path("/sys/fs/cgroup") if cgroups.is_unified() else Path("/sys/fs/cgroup/pids")
    place = root / f"faults-{secrets.token_hex(4)}"
    place.mkdir()
    found = Mark(place)
    try:
        yield found
    finally:
        end = time.monotonic() + 10
        while (left := found.pids()) and time.monotonic() < end:
            for pid in left:
                found.kill(pid)
            time.sleep(0.05)
        with suppress(OSError):
            place.rmdir()


def kind_of(pid: int) -> str | None:
    """Which helper this is: by its uid once it is confined, by its command where it has one of its own."""
    words = _read(pid, "cmdline").replace(b"\0", b" ")
    for kind, command in _COMMANDS.items():
        if command in words:
            return kind
    uid = next(
        (line.split()[1] for line in _read(pid, "status").splitlines() if line.startswith(b"Uid:")), b""
    )
    return next((kind for kind, own in _HELPERS.items() if uid == str(own).encode()), None)


def describe(pid: int) -> str:
    """The process for people."""
    words = _read(pid, "cmdline").replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return f"process {pid} {kind_of(pid) or ''} {words[:80]}"


def _state(pid: int) -> str:
    rest = _read(pid, "stat").rpartition(b")")[2].split()
    return rest[0].decode() if rest else ""


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
