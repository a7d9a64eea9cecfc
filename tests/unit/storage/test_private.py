"""What a killed process left in the private folder is removed by the next one, and by a worker that starts."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import pytest

from package_hunter.cli import serve
from package_hunter.config import Settings
from package_hunter.queue.kept_files import Folder
from package_hunter.storage import private


def _scans_files(settings: Settings) -> AbstractContextManager[object]:
    return Folder(settings, uuid.uuid4())


def _copied(settings: Settings) -> AbstractContextManager[object]:
    return private.private(settings, "recordings-")


def killed(settings: Settings, make: Callable[[Settings], AbstractContextManager[object]]) -> None:
    """Another process has a folder there, puts something into it, and is killed."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with make(settings):
            for folder in left(settings):
                (folder / "stolen").write_bytes(b"x")
            os.write(write, b"x")
            signal.pause()
        os._exit(0)
    assert os.read(read, 1) == b"x"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(read)
    os.close(write)


def left(settings: Settings) -> list[Path]:
    return sorted(private.private_folder(settings).iterdir())


@pytest.mark.parametrize("make", [_scans_files, _copied])
def test_the_next_one_removes_what_is_left_and_nothing_that_is_in_use(
    tmp_path: Path, make: Callable[[Settings], AbstractContextManager[object]]
) -> None:
    settings = Settings(data_dir=tmp_path)
    with private.private(settings, "live-") as live:
        killed(settings, make)
        assert len(left(settings)) == 2
        with private.private(settings, "next-") as following:
            assert left(settings) == sorted([live, following])
        assert left(settings) == [live]
    assert left(settings) == []


@pytest.mark.parametrize("make", [_scans_files, _copied])
def test_a_worker_that_starts_removes_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Settings], AbstractContextManager[object]],
) -> None:
    of_boxes = import_module("package_hunter.sandbox.reap")  # another matter
    monkeypatch.setattr(of_boxes, "reap", lambda: ([], []))
    settings = Settings(data_dir=tmp_path)
    killed(settings, make)
    assert len(left(settings)) == 1
    serve._reap(settings)
    assert left(settings) == []
