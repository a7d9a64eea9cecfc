"""Files that packages' runs left in a box: copied out once it is dead, bounded, as bytes that nobody looks into.

What the package manager itself writes is left out. First come files that were run, then what lies outside of the
packages' own folders (tools build thousands of files inside of them).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from package_hunter.blame.descent import Descent
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.observation import FileChange, Observation
from package_hunter.model.owners import Owners
from package_hunter.model.scan import CommandRun, Package

_LEFT = ("created", "written", "renamed")
_MANAGED = ("fetch", "install")  # phases whose commands are the manager's
_INDEX = "index"
_MAX_PATH = 1_024
_MAX_LOOKED_AT = 5_000  # files of a box


@dataclass(frozen=True, slots=True)
class DroppedFiles:
    """Where they go: a folder that nobody else can write, for all boxes of a scan, and how many at most, of how many
    bytes each and together. A file's name there is its SHA-256."""

    folder: Path
    most: int
    file_bytes: int
    all_bytes: int


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """One of them: its path in the box (a byte that is no UTF-8 is ``�``), SHA-256, size in bytes."""

    path: str
    sha256: str
    size: int


def collect(
    into: DroppedFiles,
    tree: BoxTree,
    seen: Observation,
    runs: Sequence[CommandRun],
    packages: Sequence[Package],
) -> None:
    """Copy what a dead box holds of them. What is no plain file by now, or too large, is left out."""
    have = dropped(into)
    left, room = into.most - len(have), into.all_bytes - sum(file.size for file in have)
    known = {(file.path, file.sha256) for file in have}
    for path in _paths(seen, runs, packages):
        if left <= 0 or room <= 0:
            return
        content = tree.read(path, min(into.file_bytes, room))
        if not content:
            continue
        file = DroppedFile(_told(path), hashlib.sha256(content).hexdigest(), len(content))
        if (file.path, file.sha256) not in known:
            _write(into.folder, file, content)
            known.add((file.path, file.sha256))
            left, room = left - 1, room - file.size


def dropped(into: DroppedFiles) -> tuple[DroppedFile, ...]:
    """What was copied so far, in the order of its worth."""
    index = into.folder / _INDEX
    if not index.exists():
        return ()
    return tuple(DroppedFile(*json.loads(line)) for line in index.read_text(encoding="utf-8").splitlines())


def _write(folder: Path, file: DroppedFile, content: bytes) -> None:
    place = folder / file.sha256
    if not place.exists():
        fd = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as out:
            out.write(content)
    with (folder / _INDEX).open("a", encoding="utf-8") as index:
        index.write(json.dumps([file.path, file.sha256, file.size]) + "\n")


def _paths(seen: Observation, runs: Sequence[CommandRun], packages: Sequence[Package]) -> Iterator[str]:
    """Paths in the box, the most telling first, each once."""
    owners = Owners(packages)
    run_from = {process.exepath for process in seen.processes}

    def rank(path: str) -> tuple[bool, bool]:
        return path not in run_from, bool(owners.of(path))

    paths = dict.fromkeys(_by_packages(seen, runs))
    yield from sorted(list(paths)[:_MAX_LOOKED_AT], key=rank)


def _by_packages(seen: Observation, runs: Sequence[CommandRun]) -> Iterator[str]:
    """Paths that were changed by something else than a manager, in the order of time."""
    anchors = Descent(runs, seen.processes).anchors
    managers = {key for key, run in anchors.items() if run.phase in _MANAGED}
    for change in sorted(seen.files, key=lambda change: change.time_ns):
        if change.action in _LEFT and change.process not in managers:
            yield _last_name(change)


def _last_name(change: FileChange) -> str:
    return change.other_path or change.path if change.action == "renamed" else change.path


def _told(path: str) -> str:
    return path.encode("utf-8", "replace").decode()[:_MAX_PATH]
