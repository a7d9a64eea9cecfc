"""A worker whose host lacks what scans need."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, cast

import pytest

from package_hunter.config import Settings
from package_hunter.errors import BadArchiveError, HostError, IncompleteScanError, SensorError
from package_hunter.queue.base import Job
from package_hunter.queue.identity import Identity
from package_hunter.queue.worker import Host, Worker
from package_hunter.store.database import DiskFullError, Store

JOB = Job(uuid.uuid4(), "npm", None, "pkg:npm/a@1", 1, "lease")


class Queue:
    """One scan waits."""

    def __init__(self) -> None:
        self.waiting, self.called = True, []  # type: ignore[var-annotated]

    def claim(self, _: str, __: object = None) -> Job | None:
        found, self.waiting = (JOB if self.waiting else None), False
        return found

    def release(self, _: Job) -> None:
        self.called.append("release")
        self.waiting = True

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.called.append(name) or 0


class Lacking:
    """What a host lacks, from the n-th look on."""

    def __init__(self, *looks: str | None) -> None:
        self.looks = list(looks)

    def unfit(self) -> str | None:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


MISSING = HostError("The box's image is missing.")


def made(tmp_path: Path, queue: Queue, host: Lacking, error: Exception = MISSING) -> Worker:
    def run(_: Job, __: object) -> Any:
        raise error

    settings = Settings(data_dir=tmp_path)
    worker = Worker(
        settings, cast("Store", None), cast("Any", queue), run, Identity("w"), Host(unfit=host.unfit)
    )
    worker._next_sweep = float("inf")
    return worker


def test_it_takes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queue = Queue()
    worker = made(tmp_path, queue, Lacking("The box's image is missing."))
    for _ in range(3):
        worker._next_housekeeping = 0.0
        assert worker._one() == 0
    assert queue.waiting
    assert capsys.readouterr().out.count("no scans are taken here") == 1


def test_what_it_began_when_the_image_went_is_given_back_uncounted(tmp_path: Path) -> None:
    queue = Queue()
    worker = made(tmp_path, queue, Lacking(None, "The box's image is missing."))
    assert worker._one() == 1
    assert worker._one() == 0
    assert queue.called[-1] == "release"
    assert "fail" not in queue.called
    assert "retry" not in queue.called


def test_it_takes_scans_again_once_it_can(tmp_path: Path) -> None:
    queue = Queue()
    worker = made(tmp_path, queue, Lacking("The box's image is missing.", None))
    assert worker._one() == 0
    worker._next_housekeeping = 0.0
    assert worker._one() == 1
    assert "retry" in queue.called, "perhaps it could not for a moment only"


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (HostError("npm does not tell its configuration: timed out after 30.0 seconds."), "retry"),
        (SensorError("The probe could not be loaded."), "retry"),
        (DiskFullError("The disk is full."), "retry"),
        (OSError(28, "No space left on device"), "retry"),
        (ValueError("a mistake of our own"), "retry"),
        (BadArchiveError("The archive is empty."), "fail"),
        (IncompleteScanError("Too much to see."), "fail"),
    ],
)
def test_what_the_host_could_not_do_is_not_the_targets_fault(
    tmp_path: Path, error: Exception, end: str
) -> None:
    queue = Queue()
    assert made(tmp_path, queue, Lacking(None), error)._one() == 1
    assert [name for name in queue.called if name in ("retry", "fail", "finish")] == [end]
