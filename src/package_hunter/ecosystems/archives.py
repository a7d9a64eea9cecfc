"""Packing a trusted package as its registry would serve it; the same bytes every time."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path


def files_of(folder: Path) -> Iterator[tuple[str, bytes, int]]:
    """Path below the folder, content, mode: of every file that is a source."""
    for path in sorted(folder.rglob("*")):
        built = path.suffix in (".so", ".pyc", ".whl") or "__pycache__" in path.parts
        if path.is_file() and not path.is_symlink() and not built:
            yield path.relative_to(folder).as_posix(), path.read_bytes(), path.stat().st_mode & 0o755


def tar(files: Iterator[tuple[str, bytes, int]]) -> bytes:
    """A tar of such files, with nothing of this moment in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data, mode in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
