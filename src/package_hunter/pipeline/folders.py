"""A scan's working folder, `<data_dir>/runs/ID`: held while its scan lives, removed after it (`storage/held.py`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.errors import SandboxError
from package_hunter.storage import held


@contextlib.contextmanager
def run_dir(config: Settings, scan_id: str) -> Iterator[Path]:
    """The scan's working files, an empty folder, gone at its end. Its parents can be passed through by the
    gateway's user. SandboxError where the same scan is still at work here."""
    runs = config.data_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for folder in (config.data_dir, config.data_dir / "cache", runs):
        folder.mkdir(exist_ok=True)
        folder.chmod(folder.stat().st_mode | 0o011)
    with contextlib.ExitStack() as stack:
        try:
            path = stack.enter_context(held.held_folder(runs, scan_id, 0o711))
        except FileExistsError:
            raise SandboxError(f"The scan {scan_id} is still at work on this machine.") from None
        yield path


def remove_dead(config: Settings) -> list[str]:
    """Remove the folders of scans whose worker is gone; the names of those."""
    return held.remove_dead(config.data_dir / "runs")
