"""A scan's working folder: empty at the start, held while it lives, removed when its worker is gone."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.errors import SandboxError
from package_hunter.pipeline.folders import remove_dead, run_dir


def killed_scan(settings: Settings, scan_id: str) -> None:
    """Another process works in the folder of a scan and is killed."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with run_dir(settings, scan_id) as folder:
            (folder / "project").mkdir()
            (folder / "project" / "left").write_text("x")
            os.write(write, b"x")
            signal.pause()
        os._exit(0)
    assert os.read(read, 1) == b"x"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(read)
    os.close(write)


def runs(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.data_dir / "runs").iterdir())


def test_a_scan_tried_again_starts_in_an_empty_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    killed_scan(settings, "one")
    assert runs(settings) == ["one"]
    with run_dir(settings, "one") as folder:
        assert list(folder.iterdir()) == []
    assert runs(settings) == []


def test_dead_folders_of_other_scans_go_live_ones_stay(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    killed_scan(settings, "dead")
    (tmp_path / "runs" / "old").mkdir()  # of a program that held no lock
    (tmp_path / "runs" / "old" / "file").touch()
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "runs" / "link").symlink_to(outside)
    with run_dir(settings, "live"):
        assert remove_dead(settings) == []
        assert runs(settings) == ["link", "live"]
        with run_dir(settings, "second"):
            assert runs(settings) == ["link", "live", "second"]
    assert outside.is_dir()


def test_the_same_scan_is_not_run_twice_at_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with (
        run_dir(settings, "one"),
        pytest.raises(SandboxError, match="still at work") as caught,
        run_dir(settings, "one"),
    ):
        pass
    assert caught.value.again


def test_what_half_removed_folders_were_called_is_removed_too(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".dead-0123").mkdir()
    assert remove_dead(settings) == [".dead-0123"]
    assert runs(settings) == []
