"""A scan that nobody wants any more, in a real box: its box, helpers and namespaces are gone, and it says so."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.sandbox import mounts
from tests.support import requires
from tests.support.kills import left_of
from tests.support.real_worker import RealWorker, real_worker
from tests.support.service_harness import wait_for


@pytest.fixture(scope="module")
def worker() -> Iterator[RealWorker]:
    requires.needs_runc()
    requires.needs_btf()
    with real_worker(drain_seconds="1", lease_seconds="30") as made:
        yield made


def namespaces(pid: int) -> set[str]:
    """Those of a process that the host does not share."""
    names = ("net", "pid", "mnt", "user", "ipc", "uts", "cgroup", "time")
    mine = {os.readlink(f"/proc/self/ns/{name}") for name in names}
    return {os.readlink(f"/proc/{pid}/ns/{name}") for name in names} - mine


def held(wanted: set[str]) -> set[str]:
    """Which of these namespaces a process is in, or holds open."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found |= {os.readlink(path) for path in (process / "ns").iterdir()}
        with contextlib.suppress(OSError):
            for path in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    found.add(os.readlink(path))
    return found & wanted


def in_box(worker: RealWorker, scan_id: uuid.UUID, word: str) -> set[str]:
    """Once its command runs: the namespaces of its box."""
    wait_for(lambda: worker.runs(scan_id, word), 90)
    return namespaces(int((mounts.RUN_DIR / "boxes" / str(scan_id) / "pid").read_text()))


def cancel(worker: RealWorker, scan_id: uuid.UUID) -> None:
    with worker.store.write() as session:
        assert worker.queue.cancel(session, scan_id, "Nobody wants it.")


def gone(worker: RealWorker, scan_id: uuid.UUID, spaces: set[str]) -> None:
    """Wait until nothing of it is there."""
    wait_for(lambda: not left_of(str(scan_id)) and not worker.helpers() and not held(spaces), 90)
    assert not list((worker.config.data_dir / "runs").glob(f"{scan_id}*"))


def test_a_running_scan_ends_with_its_box(worker: RealWorker) -> None:
    scan_id = worker.submit("sleep 301")
    spaces = in_box(worker, scan_id, "sleep 301")
    assert len(spaces) >= 5 and worker.helpers() and left_of(str(scan_id))
    began = time.monotonic()
    cancel(worker, scan_id)
    wait_for(lambda: not left_of(str(scan_id)), 90)
    box = time.monotonic() - began
    wait_for(lambda: worker.scan(scan_id).status == "cancelled", 90)
    print(f"\nfrom the wish to an empty host {box:.2f} s, to the status {time.monotonic() - began:.2f} s")
    gone(worker, scan_id, spaces)
    scan = worker.scan(scan_id)
    assert (scan.reason, scan.exit_code) == ("Nobody wants it.", 130)
    assert '"how": "cancelled"' in worker.log()


def test_one_that_is_just_begun_or_watched_at_its_end_too(worker: RealWorker) -> None:
    for script in ("sleep 302 & true", "sleep 2"):
        scan_id = worker.submit(script)
        if "302" in script:
            in_box(worker, scan_id, "sleep 302")
        else:
            wait_for(worker.helpers, 90)
        cancel(worker, scan_id)
        wait_for(lambda one=scan_id: worker.scan(one).status == "cancelled", 90)  # type: ignore[misc]
        gone(worker, scan_id, set())


def test_the_worker_goes_on_with_the_next(worker: RealWorker) -> None:
    scan_id = worker.submit("true")
    wait_for(lambda: worker.scan(scan_id).status == "finished", 120)
    assert worker.scan(scan_id).verdict == "no_findings"
    assert worker.log().count('"worker started"') == 1


def test_sigterm_gives_back_what_does_not_end_in_time(worker: RealWorker) -> None:
    scan_id = worker.submit("sleep 303")
    spaces = in_box(worker, scan_id, "sleep 303")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(60) == 0, worker.log()
    gone(worker, scan_id, spaces)
    assert worker.scan(scan_id).status == "pending"
    assert '"how": "given back"' in worker.log()
