"""What a Gemfile.lock pins, and a project made of some of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from package_hunter.ecosystems.pinned import LockFile, Pin
from package_hunter.ecosystems.ruby import lock
from package_hunter.ecosystems.tree import BoxTree

MAX_LOCK_BYTES = 24 << 20


def lock_files(tree: BoxTree, project: str) -> Iterator[LockFile]:
    """The Gemfile.lock, where one lies there."""
    data = tree.read(f"{project}/Gemfile.lock", MAX_LOCK_BYTES)
    if data is not None:
        yield LockFile("Gemfile.lock", "gem", tuple(_pinned(data.decode("utf-8-sig", "replace"))))


def _pinned(text: str) -> Iterator[Pin]:
    for gem in lock.parse(text).gems.values():
        version = gem.version.partition("-")[0]
        yield Pin(lock.purl(gem.name, gem.version), gem.name, version, None, gem.source == "GEM")


def project_of(folder: Path, here: Sequence[Pin]) -> None:
    """A Gemfile. The registry is whatever Ruby is set up for: no host is written here."""
    lines = ["source Gem.sources.first.uri.to_s\n", *(f'gem "{p.name}", "{p.version}"\n' for p in here)]
    (folder / "Gemfile").write_text("".join(lines), encoding="utf-8")
