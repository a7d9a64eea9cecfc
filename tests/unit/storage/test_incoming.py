"""What comes in: live and dead parts, room on the disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from package_hunter.errors import DiskFullError
from package_hunter.storage.incoming import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "artefacts", 0)


def names(spool: Spool) -> list[str]:
    return sorted(path.name for path in spool.folder.iterdir())


def test_discarding_leaves_nothing(spool: Spool) -> None:
    incoming = spool.begin()
    incoming.write(b"half")
    assert len(names(spool)) == 1
    incoming.discard()
    incoming.discard()
    assert names(spool) == []


def test_only_the_dead_are_swept(spool: Spool, tmp_path: Path) -> None:
    live, fresh, outside = spool.begin(), spool.folder / "part-fresh", tmp_path / "outside"
    outside.write_bytes(b"x")
    fresh.touch()
    (spool.folder / "part-dead").write_bytes(b"x")
    os.mkfifo(spool.folder / "part-pipe")
    (spool.folder / "part-link").symlink_to(outside)
    (spool.folder / "part-folder").mkdir()
    for path in spool.folder.iterdir():
        if path != fresh:
            os.utime(path, (0, 0), follow_symlinks=False)
    assert spool.sweep() == 3
    assert names(spool) == sorted([live.path.name, "part-folder", "part-fresh"])
    assert outside.read_bytes() == b"x"
    live.discard()


def test_what_a_server_left_that_was_killed_goes_with_a_later_upload(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.begin().discard()
    left = spool.folder / "part-left"
    left.write_bytes(b"half")
    successor = Spool(spool.folder.parent, 0)
    successor.begin().discard()
    assert names(spool) == ["part-left"]  # it may have been made this moment
    now, clock = time.monotonic(), time.time()
    monkeypatch.setattr(time, "monotonic", lambda: now + 11)
    monkeypatch.setattr(time, "time", lambda: clock + 11)
    successor.begin().discard()
    assert names(spool) == []


def test_without_such_the_folder_is_looked_at_now_and_then(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = spool.begin()
    looks: list[object] = []
    monkeypatch.setattr(Spool, "sweep", lambda self: looks.append(self))
    spool.begin().discard()
    assert looks == []
    live.discard()


def test_a_young_part_that_is_not_locked_yet_is_nobodys_to_remove(spool: Spool) -> None:
    live = spool.begin()
    (spool.folder / "part-new").touch()
    assert spool.sweep() == 0
    assert names(spool) == sorted([live.path.name, "part-new"])
    live.discard()


def test_what_would_not_fit_is_refused(spool: Spool) -> None:
    with pytest.raises(DiskFullError):
        spool.begin(1 << 60)
    assert names(spool) == []
    assert spool.free() > 0
