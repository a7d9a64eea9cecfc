"""Each process of ours that a scan needs, killed in the middle of a real one: the fault is ours and said to be so, and
nothing is left. What a package does to its own box stays the package's."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.model.depth import DepthName
from package_hunter.model.report import Report
from package_hunter.model.scan import Verdict
from package_hunter.pipeline import ScanOptions, journey
from package_hunter.sandbox import pool
from tests.support import requires
from tests.support.hunter import npm_project
from tests.support.kills import Killer, below, box_init, left_of, named, of_role
from tests.support.service_harness import wait_for


def in_a_command(role: str) -> Callable[[str], Killer]:
    """A helper, once a command runs."""

    def killer(scan_id: str) -> Killer:
        find, runs = of_role(role), box_init(scan_id)
        return Killer(lambda: find() if runs() else [], 0.3)

    return killer


# what is killed, how long after it is there, by what; of a scan by its id
KILLS: dict[str, Callable[[str], Killer]] = {
    "unpacker": lambda _: Killer(named(b"package_hunter.intake.worker")),
    "planner": lambda _: Killer(of_role("planner"), 0.2),
    "planner while it plans": lambda _: Killer(of_role("planner"), 1.0, signal.SIGTERM),
    "gateway before it is needed": lambda _: Killer(named(b"package_hunter.ecosystems.gateway")),
    "gateway at its start": lambda _: Killer(of_role("gateway")),
    "gateway in a command": in_a_command("gateway"),
    "runc, making the box": lambda _: Killer(named(b"runc", b"create"), 0.02),
    "runc, starting the box": lambda _: Killer(named(b"runc", b"start")),
    "the namespaces' program": lambda _: Killer(named(b"unshare", b"create"), 0.02),
    "event reader": lambda _: Killer(of_role("reader")),
    "event reader in a command": in_a_command("reader"),
    "the box's first process": lambda scan_id: Killer(box_init(scan_id), 0.3),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    requires.needs_runc()
    requires.needs_btf()
    scripts = {"postinstall": "sleep 2"}
    return npm_project(tmp_path_factory.mktemp("killed") / "app", "app", scripts)


@pytest.fixture(autouse=True)
def _pool() -> Iterator[None]:
    yield
    pool.drain()


def scan(project: Path, scan_id: str, again: bool = True) -> Report:
    """As a worker makes it, that may try again."""
    config = Settings(settle_seconds=0.5)
    options = ScanOptions(again=again, depth=DepthName.QUICK)
    with journey._begin(config) as ahead:
        request = journey.ScanRequest(scan_id, options, journey.load_matcher(options), config)
        return journey.scan_received(request, journey.receive(str(project), config), ahead)


@pytest.mark.parametrize("what", KILLS)
def test_a_killed_helper_is_our_fault_and_leaves_nothing(project: Path, what: str) -> None:
    scan_id = str(uuid.uuid4())
    killer = KILLS[what](scan_id)
    descriptors = len(os.listdir("/proc/self/fd"))
    with killer.beside(), pytest.raises(HunterError) as told:
        scan(project, scan_id)
    assert killer.done, "nothing was killed"
    assert told.value.again, f"{type(told.value).__name__}: {told.value}"
    assert left_of(scan_id) == [] and below(os.getpid()) == []
    # The probe is given back beside the scan's end, and what the next scan would find ready may just be made.
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)


def test_the_same_scan_undisturbed(project: Path) -> None:
    assert scan(project, str(uuid.uuid4())).verdict is Verdict.NO_FINDINGS


def test_where_nobody_tries_again_what_was_seen_is_told(project: Path) -> None:
    scan_id = str(uuid.uuid4())
    with Killer(box_init(scan_id), 0.3).beside():
        report = scan(project, scan_id, again=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert any("killed from outside" in reason for reason in report.coverage.reasons)
    assert left_of(scan_id) == []
