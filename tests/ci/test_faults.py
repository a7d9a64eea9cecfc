"""`make faults`: how it counts ends, finds what is left, and tells the rows. No fault is made here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ci.faults import ends, leftovers, marks, plan, targets
from ci.faults.clock import Clock, library
from ci.faults.ends import End, count
from ci.faults.keeper import Keeper, Unit
from ci.faults.leftovers import Seen, compare, files, mounted
from ci.faults.row import Row, as_json, from_json
from ci.faults.table import BEGIN, END, markdown, put

from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.model.scan import ScanStatus
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan, StoredReport
from package_hunter.store.scans import NewScan
from tests.support.requires import needs_program, needs_root
from tests.support.service_postgres import postgres

GOOD = End("finished", "no_findings", None, None, 1, 1)
ROW = Row(
    "kill-api-sqlite",
    "kill -9: API",
    "SQLite",
    7,
    40,
    36,
    target=4,
    seed=3,
    commit="abc",
    date="2026-11-30T12:00:00",
)


def _ids(number: int) -> list[uuid.UUID]:
    return [uuid.uuid4() for _ in range(number)]


@pytest.mark.parametrize(
    ("end", "column"),
    [
        (GOOD, "finished"),
        (replace(GOOD, verdict="suspicious"), "ours"),
        (replace(GOOD, verdict="inconclusive"), "ours"),
        (replace(GOOD, status="failed", verdict=None, exit_code=3), "ours"),
        (replace(GOOD, status="cancelled", verdict=None), "ours"),
        (replace(GOOD, status="running"), "lost"),
        (None, "lost"),
    ],
)
def test_a_sound_target_must_finish_as_undisturbed(end: End | None, column: str) -> None:
    (scan,) = _ids(1)
    found = count([scan], {} if end is None else {scan: end})
    assert {
        name: getattr(found, name)
        for name in ("finished", "target", "ours", "waiting", "lost")
        if getattr(found, name)
    } == {column: 1}
    assert bool(found.said) is (column != "finished")


@pytest.mark.parametrize(
    ("status", "code", "column"),
    [("failed", 3, "target"), ("failed", 70, "ours"), ("finished", None, "ours"), ("pending", None, "lost")],
)
def test_a_broken_target_must_fail_by_its_own_fault(status: str, code: int | None, column: str) -> None:
    (scan,) = _ids(1)
    found = count([scan], {scan: End(status, None, code, "No archive.", 1, 0)}, frozenset([scan]))
    assert getattr(found, column) == 1


def test_scans_may_wait_only_where_they_are_meant_to() -> None:
    one, two = _ids(2)
    found = {one: GOOD, two: replace(GOOD, status="pending", ends=0)}
    assert (count([one, two], found).lost, count([one, two], found).waiting) == (1, 0)
    assert (
        count([one, two], found, may_wait=True).lost,
        count([one, two], found, may_wait=True).waiting,
    ) == (0, 1)


def test_results_of_scans_that_nobody_was_told_of_count_as_doubled_too() -> None:
    one, two, three = _ids(3)
    found = {one: GOOD, two: replace(GOOD, ends=2), three: replace(GOOD, reports=2)}
    assert count([one], found).doubled == 2


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: Any, tmp_path: Path) -> Iterator[Store]:
    """A store that notes ends."""
    if request.param == "sqlite":
        made = open_store(Settings(data_dir=tmp_path))
        ends.watch(made)
        yield made
        made.close()
        return
    with postgres() as url:
        made = open_store(Settings(data_dir=tmp_path, database_url=url))
        ends.watch(made)
        yield made
        made.close()


def _end(store: Store, scan_id: uuid.UUID, *statuses: ScanStatus) -> None:
    for status in statuses:
        with store.write() as session:
            session.get_one(Scan, scan_id).status = status.value


def test_the_database_notes_each_end_though_a_later_one_overwrites_it(store: Store) -> None:
    ends.watch(store)  # twice is as once
    with store.write() as session:
        once, twice, never = (
            scans.add(session, NewScan("small", "ana", purl=f"pkg:npm/{n}")).id for n in "abc"
        )
    _end(store, once, ScanStatus.RUNNING, ScanStatus.PENDING, ScanStatus.RUNNING, ScanStatus.FINISHED)
    _end(store, twice, ScanStatus.RUNNING, ScanStatus.FINISHED, ScanStatus.RUNNING, ScanStatus.FINISHED)
    for _ in range(2):
        with store.write() as session:
            if (old := session.get(StoredReport, twice)) is not None:
                session.delete(old)
                session.flush()
            session.add(StoredReport(scan_id=twice, body=b""))
    found = ends.ends(store)
    assert {i: (e.ends, e.reports, e.doubled) for i, e in found.items()} == {
        once: (1, 0, False),
        twice: (2, 2, True),
        never: (0, 0, False),
    }
    assert ends.by_status(store) == {"finished": 2, "pending": 1}
    assert ends.stale_jobs(store) == []


def test_what_is_new_is_left_behind() -> None:
    before = Seen(files=frozenset({"received/a"}), mounts=frozenset({"/m"}))
    after = Seen(files=frozenset({"received/a", "runs/x/y"}), processes=frozenset({"process 7"}))
    assert compare(before, after) == ("files: runs/x/y", "processes: process 7")
    assert compare(after, after) == ()


def test_a_data_folder_keeps_some_things_on_purpose(tmp_path: Path) -> None:
    for name in (
        "store/store.db",
        "cache/registry/npm/x.tgz",
        "locks/worker-1",
        "runs/ID/log",
        "received/part-1",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("cache/registry/.part-7", "package-hunter-rules-1/000-a.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "uploads").mkdir()
    (tmp_path / "package-hunter-empty").mkdir()
    (tmp_path / "image").symlink_to("/nowhere")
    assert set(files(tmp_path)) == {
        "runs/ID/log",
        "received/part-1",
        "cache/registry/.part-7",
        "package-hunter-rules-1/000-a.yaml",
        "package-hunter-empty",
    }


def test_mounts_of_other_scans_do_not_count(tmp_path: Path) -> None:
    own, other = map(str, _ids(2))
    table = "\n".join(
        f"tmpfs {point} tmpfs rw 0 0"
        for point in (
            "/",
            f"/run/package-hunter/boxes/{own}-2/t",
            f"/run/package-hunter/boxes/{other}/t",
            f"{tmp_path}/runs/x",
        )
    )
    assert list(mounted(table, [tmp_path], {own})) == [
        f"/run/package-hunter/boxes/{own}-2/t",
        f"{tmp_path}/runs/x",
    ]


def test_a_process_is_a_runs_own_whatever_became_of_its_parent() -> None:
    needs_root()
    with marks.mark() as mark:
        script = "import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0: time.sleep(60)\n os._exit(0)\n"
        command = mark.command([sys.executable, "-c", script])
        subprocess.run(command, check=True, env={})
        (left,) = _until(mark.pids)
        seen = leftovers.look([], (), mark)
        assert [what.split()[1] for what in seen.processes] == [str(left)]
        assert leftovers.look([], (), mark, running=[left]).processes == frozenset()
        assert not mark.kill(os.getpid()) and not mark.kill(left, still=lambda pid: False)
        assert mark.kill(left)
        assert _until(lambda: not mark.pids())
    assert not mark.place.exists()


def test_helpers_are_told_by_what_they_run() -> None:
    needs_root()
    with marks.mark() as mark:
        words = [sys.executable, "-c", "import time; time.sleep(60)", "-m", "package_hunter.intake.worker"]
        process = subprocess.Popen(mark.command(words))
        assert _until(lambda: mark.helpers("unpacker") == [process.pid])
        assert mark.helpers("gateway") == mark.helpers("reader") == []
        assert mark.kill(process.pid)
        process.wait()


def test_a_unit_that_dies_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    unit = Unit("it", ["sh", "-c", "echo began; exec sleep 60"], {"PATH": os.environ["PATH"]}, log)
    keeper = Keeper([unit])
    keeper.start()
    try:
        first = _until(lambda: log.exists() and log.read_text() and unit.pid)
        os.kill(first, 9)
        assert _until(lambda: unit.pid not in (0, first))
        assert unit.starts == 2 and _until(lambda: log.read_text() == "began\n" * 2)
    finally:
        slow = keeper.stop()
    assert slow == [] and unit.pid == 0


def test_only_the_wall_clock_of_a_process_jumps(tmp_path: Path) -> None:
    needs_program("cc")
    clock = Clock(library(tmp_path), tmp_path / "page")
    script = (
        "import datetime, sys, time\nfor _ in sys.stdin:\n"
        " print(time.time(), time.monotonic(), datetime.datetime.now().timestamp(), flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **clock.env},
    )
    assert process.stdin is not None and process.stdout is not None
    with process:
        for jump in (0, 86_400, -7_200):
            clock.jump(jump)
            print(file=process.stdin, flush=True)
            wall, monotonic, date = map(float, process.stdout.readline().split())
            assert round((wall - time.time()) / 600) == round((date - time.time()) / 600) == jump / 600
            assert abs(monotonic - time.monotonic()) < 600
        process.stdin.close()


def test_archives_differ_and_broken_ones_are_none() -> None:
    assert targets.small(1) == targets.small(1) != targets.small(2)
    assert len(targets.small(1, 1 << 16)) > 1 << 16
    assert targets.broken(1) != targets.broken(2)


def test_a_row_is_kept_and_read_again() -> None:
    row = replace(ROW, left=("files: a",), notes=("b",))
    assert from_json(json.loads(json.dumps(as_json(row)))) == row


@pytest.mark.parametrize(
    "changed",
    [
        {"finished": 35},
        {"ours": 1},
        {"lost": 1},
        {"doubled": 1},
        {"left": ("x",)},
        {"accepted": 0, "finished": 0, "target": 0},
    ],
)
def test_a_row_is_clean_where_every_scan_ended_once_and_nothing_is_left(changed: dict[str, Any]) -> None:
    assert ROW.clean and not replace(ROW, **changed).clean


def test_the_table_has_a_line_a_row_their_sum_and_what_is_to_be_known() -> None:
    other = replace(
        ROW,
        name="waiting-sqlite",
        lost=2,
        waiting=5,
        left=tuple(f"files: {n}" for n in range(9)),
        date="2026-12-01T01:00:00",
        commit="def",
    )
    text = markdown([ROW, other], "two cores")
    assert "2026-11-30 to 2026-12-01, at abc, def, seed 3; two cores." in text
    assert "| kill -9: API | SQLite | 7 | 40 | 36 | 4 | 0 | 0 | 0 | 0 | 0.0 |" in text
    assert "36 (5 left waiting on purpose)" in text
    assert "| **all** | | **14** | **80** | **72** | **8** | **0** | **2** | **0** | **9** | 0.0 |" in text
    assert (
        "- `waiting-sqlite`: left behind: files: 0, files: 1, files: 2, files: 3, files: 4, files: 5 and 3 more."
        in text
    )


def test_the_document_is_left_as_it_is_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    page.write_text("# Faults\n\nBefore.\n")
    put(page, "one")
    page.write_text(page.read_text() + "\nAfter.\n")
    put(page, "two")
    assert page.read_text() == f"# Faults\n\nBefore.\n\n{BEGIN}\n\ntwo\n\n{END}\n\nAfter.\n"


def test_rows_have_names_of_their_own_on_each_database() -> None:
    names = [one.name for one in plan.ROWS]
    assert len(set(names)) == len(names) and all(one.name.endswith(one.database.lower()) for one in plan.ROWS)
    kills = {one.what for one in plan.ROWS if one.name.startswith("kill-")}
    assert {
        f"kill -9: {kind}"
        for kind in ("API", "worker", "reader", "gateway", "unpacker", "planner", "runc", "PostgreSQL")
    } <= kills


def _until(what: Any) -> Any:
    end = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found
