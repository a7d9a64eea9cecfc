"""The disk of the data folder full, again and again, while scans come in and run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.faults.deployment import DISK, Deployment
from ci.faults.row import Row
from ci.faults.scenario import Stage, disturbed
from ci.faults.wire import tool

_SIZE = 192 << 20
_FULL_SECONDS = (3.0, 15.0)


def full_disk(stage: Stage) -> Row:
    """All data folders, with them SQLite's store, are on a small file system of their own."""
    with _small(stage.folder / DISK) as folder:
        return disturbed(stage, lambda stage, made, going: _fill(stage, made, folder, going))


def full_database(stage: Stage) -> Row:
    """PostgreSQL's own disk: it cannot write its log, and ends, or refuses."""
    assert stage.postgres is not None
    return disturbed(stage, lambda stage, made, going: _fill(stage, made, stage.postgres.folder, going))  # type: ignore[union-attr]


@contextmanager
def _small(folder: Path) -> Iterator[Path]:
    folder.mkdir(mode=0o755, exist_ok=True)
    tool("mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0755", "faults", str(folder))
    try:
        yield folder
    finally:
        tool("umount", "-l", str(folder))


def _fill(stage: Stage, made: Deployment, folder: Path, going: Callable[[], bool]) -> int:
    times = 0
    while going() and time.monotonic() < stage.deadline:
        made.let_end(stage.random.randint(1, 4), going)
        stage.pause(0.0, 2.0)
        filling = folder / "filling"
        try:
            _take_all(filling)
            times += 1
            stage.pause(*_FULL_SECONDS)
        finally:
            filling.unlink(missing_ok=True)
        if stage.postgres is not None:
            stage.postgres.start()  # as its host's init would
    return times


def _take_all(filling: Path) -> None:
    """Write until nothing more fits, not a byte; what others free meanwhile is not taken again."""
    fd = os.open(filling, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    os.write(fd, b"\0" * size)
            except OSError:
                continue
    finally:
        os.close(fd)
