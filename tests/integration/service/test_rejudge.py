"""Recordings that are judged again by new rules: on both databases, with real recordings."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.enrich.convert import pack
from package_hunter.enrich.kinds import kind_of
from package_hunter.inventory import packages
from package_hunter.inventory.rejudge import Rejudge
from package_hunter.model.scan import Command, CommandRun
from package_hunter.model.table import ProcEntry, StartState
from package_hunter.queue.base import Queue
from package_hunter.sensor.scap import ScapWriter, append_runs
from package_hunter.store import documents, history, scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan
from tests.support.archives import keep
from tests.support.inventory_world import BY, World, clean, package
from tests.support.judge_samples import alert

LEFT = "pkg:npm/left@1.0.0"
BOX = {"init_pid": 7, "driver": "node x ", "canaries": {}, "inodes": [], "fetches_alone": False}
RULE = """\
- rule: Closes what it should not
  desc: a test
  condition: evt.type = close
  output: closed %proc.pid
  priority: CRITICAL
  tags: [kind:mining, proof]
"""


@pytest.fixture
def world(store: Store, queue: Queue) -> World:
    return World(store, queue)


def record(folder: Path, scan: uuid.UUID) -> Path:
    """A recording in which the install script of ``left`` closes a file."""
    path = folder / f"{scan}.scap"
    ids = (1, 0, 7, 7, 7, 7, 7)
    texts = (b"a", b"a", b"/a", (), (), b"/", 0, 0, 0)
    processes = tuple(ProcEntry(pid, pid, *ids[:6], *texts) for pid in (7, 8))
    with ScapWriter(path, StartState(processes), BOX) as writer:
        writer.append(pack(2_000, 8, kind_of("syscall_close_x"), [bytes(8), bytes(8)]), 0)
    command = Command(("node", "x"), "/", blame_purl=LEFT, script="preinstall")
    append_runs(path, [CommandRun("install", "default", command, 8, 1_000, 3_000, 0)])
    return path


def rules(world: World, text: str) -> None:
    with world.store.write() as session:
        documents.put(session, "rule-set", "everywhere", "team", {"name": "team", "rules": text}, BY)


def state(world: World, scan: uuid.UUID) -> tuple[str | None, str | None]:
    with world.store.read() as session:
        row = session.get_one(Scan, scan)
        return row.verdict, row.decision


def test_what_a_new_rule_sees_in_an_old_scan_becomes_part_of_its_result(world: World, tmp_path: Path) -> None:
    world.scanned("ops/pay", clean(package(LEFT, "one")))
    scan = world.scanned("web/shop", clean(package(LEFT, "one")))
    keep(world.store, scan, record(tmp_path, scan))
    assert Rejudge(world.store, Settings(data_dir=tmp_path), BY).all(None, 10).changed == 0
    rules(world, RULE)
    done = Rejudge(world.store, Settings(data_dir=tmp_path), BY).all(None, 10)
    assert (done.judged, done.changed, done.unread) == (1, 1, 0)
    assert state(world, scan) == ("malicious", "block")
    with world.store.read() as session:
        (file,) = packages.files(session, world.view("web/shop"), LEFT)
        assert (file.verdict, file.scans) == ("malicious", [scan])
        data = scans.report(session, EVERYTHING, scan)
        assert data is not None
        assert (data["verdict"], data["findings"][0]["kind"]) == ("malicious", "mining")
    # the recording has no start of that process: blame is but likely, and others are told of what is certain alone
    # (test_inventory.py: a result that is stored again)
    assert world.notices("package.turned-malicious") == []
    with world.store.read() as session:
        (entry,) = [e for e in history.entries(session, 999) if e.action == "scan.rejudge"]
        assert '"verdict":"no_findings"' in (entry.before or "")
    assert Rejudge(world.store, Settings(data_dir=tmp_path), BY).all(None, 10).changed == 0, (
        "it is known by now"
    )


def test_a_rule_that_was_there_then_is_not_asked_again(world: World, tmp_path: Path) -> None:
    """It had network and host facts to go by, which a replay has not."""
    rules(world, RULE)
    seen = alert(rule="Closes what it should not")
    scan = world.scanned("web/shop", replace(clean(package(LEFT, "one")), alerts=(seen,)))
    keep(world.store, scan, record(tmp_path, scan))
    assert Rejudge(world.store, Settings(data_dir=tmp_path), BY).all(None, 10).changed == 0
    assert state(world, scan) == ("no_findings", "pass")


def test_only_a_projects_scans_and_what_is_no_recording_is_counted(world: World, tmp_path: Path) -> None:
    scan = world.scanned("web/shop", clean(package(LEFT, "one")))
    keep(world.store, scan, record(tmp_path, scan))
    rules(world, RULE)
    other = world.scanned("ops/pay", clean(package(LEFT, "one")))
    (tmp_path / f"{other}.scap").write_bytes(b"\0" * 64)
    keep(world.store, other, tmp_path / f"{other}.scap")
    assert Rejudge(world.store, Settings(data_dir=tmp_path), BY).all(world.ids["ops/pay"], 10).judged == 0
    done = Rejudge(world.store, Settings(data_dir=tmp_path), BY).all(None, 10)
    assert (done.judged, done.changed, done.unread) == (1, 1, 1)
