"""Whose scans a worker may take back: those of dead workers of its own data directory and machine."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.queue import identity as who
from package_hunter.queue.identity import identity


def killed_worker(settings: Settings) -> str:
    """Another process takes an identity, finds nobody dead, and is killed; its name."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with identity(settings) as mine:
            os.write(write, " ".join([mine.name, *mine.dead]).encode())
            signal.pause()
        os._exit(0)
    name = os.read(read, 256).decode()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(read)
    os.close(write)
    assert " " not in name
    return name


def test_no_name_is_used_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "same")
    here, there = Settings(data_dir=tmp_path / "a"), Settings(data_dir=tmp_path / "b")
    with identity(here) as one, identity(there) as two:
        assert one.name != two.name
        assert one.dead == two.dead == ()
    with identity(here) as three:
        assert three.name not in (one.name, two.name)
        assert three.dead == (), "who ended in order left nothing"
    assert one.name.startswith("same/")
    assert f"/{os.getpid()}/" in one.name
    assert len(one.name) <= 128


def test_a_killed_worker_s_name_is_told_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    dead = [killed_worker(settings)]
    with identity(settings) as mine:
        assert mine.dead == tuple(dead)
        killed_worker(settings)  # which takes nothing of a live worker's


def test_fewer_workers_than_before_take_all_back(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with identity(settings):
        second = killed_worker(settings)
    with identity(settings) as mine:
        assert mine.dead == (second,)


def test_names_of_another_start_of_the_machine_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of a machine holds a copy of the lock files; the original may be alive, with the same database."""
    settings = Settings(data_dir=tmp_path)
    killed_worker(settings)
    monkeypatch.setattr(who, "start_of_machine", lambda: "0123abcd")
    with identity(settings) as mine:
        assert mine.dead == ()
        assert "/0123abcd/" in mine.name


def test_what_is_no_name_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "worker-1").write_bytes(b"\xff' OR 1=1 --" * 99)
    with identity(Settings(data_dir=tmp_path)) as mine:
        assert mine.dead == ()
    assert sys.getsizeof(mine.name) < 256
