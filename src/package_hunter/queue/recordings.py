"""Recordings of a server's scans, kept so that proposed rules can be tried on them: the newest, up to a size."""

from __future__ import annotations

import contextlib
from pathlib import Path

from package_hunter.config import Settings


def folder(settings: Settings) -> Path | None:
    """Where they are; None: none is kept."""
    return settings.data_dir / "recordings" if settings.recordings_bytes else None


def place_for(settings: Settings, scan_id: str) -> Path | None:
    """Where the recording of a scan goes (of further rounds: beside it); None: none is kept."""
    where = folder(settings)
    if where is None:
        return None
    where.mkdir(mode=0o700, exist_ok=True)
    return where / f"{scan_id}.scap"


def sweep(settings: Settings) -> None:
    """Remove the oldest beyond the size."""
    where = folder(settings)
    if where is None or not where.is_dir():
        return
    kept = 0
    files = sorted(where.glob("*.scap"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files:
        kept += path.stat().st_size
        if kept > settings.recordings_bytes:
            with contextlib.suppress(FileNotFoundError):  # another worker was first
                path.unlink()
