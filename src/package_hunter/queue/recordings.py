"""Recordings of a server's scans, kept so that proposed rules can be tried on them: the newest, up to a size."""

from __future__ import annotations

import contextlib
import glob
import re
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


def of_scan(folder: Path, scan_id: str) -> list[Path]:
    """The recordings of a scan's boxes in the order in which they were made; none where none is kept."""
    found = [folder / f"{scan_id}.scap", *folder.glob(f"{scan_id}.*.scap")]
    return sorted((path for path in found if path.is_file()), key=_order)


def beside(first: Path) -> list[Path]:
    """The recording of a scan's first box, and those that the scan put beside it."""
    further = first.parent.glob(f"{glob.escape(first.stem)}.*{glob.escape(first.suffix)}")
    form = re.compile(rf"{re.escape(first.stem)}(\.[0-9]+)?(\.hurried)?{re.escape(first.suffix)}")
    return sorted({first, *(path for path in further if form.fullmatch(path.name))}, key=_order)


def _order(path: Path) -> tuple[int, bool]:
    """``x.scap``, ``x.hurried.scap``, ``x.2.scap``, ``x.2.hurried.scap``, ..."""
    parts = path.name.split(".")
    numbers = [int(part) for part in parts[1:-1] if part.isdecimal() and len(part) < 7]
    return (numbers[-1] if numbers else 1), "hurried" in parts[1:-1]


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
