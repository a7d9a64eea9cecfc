"""Rule sets by proposals, on both databases: checked, tried on recordings, in force for the scans of a place."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from package_hunter.config import Settings
from package_hunter.enrich.convert import pack
from package_hunter.enrich.kinds import kind_of
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import propose
from package_hunter.governance.proposals.kind import Budget
from package_hunter.model.table import ProcEntry, StartState
from package_hunter.sensor.scap import ScapWriter
from package_hunter.store import rule_sets
from package_hunter.store.access_tables import Project
from package_hunter.store.database import Store
from tests.support.archives import keep
from tests.support.duty_store import LOOK, scanned
from tests.support.proposals_world import World

KIND = "rule-set"
RULE = """\
- rule: closes something
  desc: d
  condition: evt.type = close
  output: closed %proc.pid
  priority: CRITICAL
"""


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def rules(text: str = RULE, name: str = "team") -> dict[str, Any]:
    return {"name": name, "rules": text}


def in_force(world: World, path: str = "web/shop") -> list[tuple[str, str]]:
    with world.store.read() as session:
        project = session.scalars(select(Project).where(Project.path == path)).one()
        return rule_sets.of_project(session, project.id)


def recorded(world: World, folder: Path, damaged: bool = False) -> str:
    """A scan with a recording of a process that closes a descriptor; its id."""
    with world.store.write() as session:
        place = world.place(session, "web/shop").project
        assert place is not None
        scan_id = str(scanned(session, [LOOK], place.id))
    ids = (1, 0, 7, 7, 7, 7, 7)
    texts = (b"a", b"a", b"/a", (), (), b"/", 0, 0, 0)
    facts = {"init_pid": 7, "driver": "node x ", "canaries": {}, "inodes": [], "fetches_alone": True}
    processes = tuple(ProcEntry(pid, pid, *ids[:6], *texts) for pid in (7, 8))
    folder.mkdir(exist_ok=True)
    path = folder / f"{scan_id}.scap"
    with ScapWriter(path, StartState(processes), facts) as writer:
        writer.append(pack(1000, 8, kind_of("syscall_close_x"), [bytes(8), bytes(8)]), 0)
    if damaged:
        path.write_bytes(b"no recording")
    keep(world.store, uuid.UUID(scan_id), path)
    return scan_id


def test_rules_hold_in_their_place_and_below_in_order(world: World) -> None:
    world.approve("bea", world.propose("ann", rules(name="b"), kind=KIND))
    world.approve(
        "bea", world.propose("ann", rules(RULE.replace("closes something", "other"), "a"), "web", KIND)
    )
    assert [name for name, _ in in_force(world)] == ["b", "a"]
    assert [name for name, _ in in_force(world, "legacy")] == ["b"]
    world.approve("bea", world.propose("ann", rules("", "a"), "web", KIND))
    assert [name for name, _ in in_force(world)] == ["b"]


def test_a_set_that_was_changed_meanwhile(world: World) -> None:
    first, second = (world.propose("ann", rules(RULE + comment), kind=KIND) for comment in ("# a\n", "# b\n"))
    assert world.approve("bea", first) == "applied"
    assert world.approve("bea", second) == "stale"


def test_recordings_are_replayed_within_the_budget(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    recorded(world, folder)
    recorded(world, folder, damaged=True)
    where = Settings(data_dir=tmp_path)
    with world.store.read() as session:
        place = world.place(session, "web")
        seen = propose.prepare(session, KIND, place, rules(), Budget(60.0, where)).impact
        none = propose.prepare(session, KIND, place, rules(), Budget(0.0, where)).impact
    assert (seen.what, seen.total, seen.tried, seen.not_tried) == ("recordings", 2, 1, 1)
    assert "closes something: 0 alerts before, 1 then." in seen.effects
    assert [(flip.was, flip.now) for flip in seen.flips] == [("pass", "review")]
    assert (none.tried, none.not_tried) == (0, 2)


def test_a_server_without_recordings_says_so(world: World, tmp_path: Path) -> None:
    recorded(world, tmp_path / "elsewhere")
    number = world.propose("ann", rules(), kind=KIND)
    impact = json.loads(world.get(number).impact)
    assert (impact["total"], impact["tried"], impact["not_tried"]) == (1, 0, 1)
    assert "keeps no recordings" in impact["effects"][0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "keys name and rules"),
        (rules(name="../x"), "name is none"),
        (rules("- rule: x\n"), "cannot be loaded"),
        (rules("- rule: [\n"), "cannot be loaded"),
        (rules(RULE.replace("close", "nonsense")), "cannot be loaded"),
        ({"name": "x", "rules": 7}, "no text"),
        (rules("a" * ((1 << 20) + 1)), "no text of at most"),
    ],
)
def test_rules_that_cannot_be(world: World, wrong: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        world.propose("ann", wrong, kind=KIND)
