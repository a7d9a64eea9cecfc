"""Worlds are chosen by name and change the commands' environment only."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems.worlds import WORLDS, chosen, in_world
from package_hunter.errors import UsageError
from package_hunter.model.scan import Command, Phase

PHASE = Phase("install", (Command(("x",), "/", env={"A": "1"}),))


def test_all_and_some() -> None:
    assert [world.name for world in chosen("all")] == list(WORLDS)
    assert [world.name for world in chosen("ci, later,ci")] == ["ci", "later"]
    for bad in ("", "mars", "ci,mars"):
        with pytest.raises(UsageError, match="no world"):
            chosen(bad)


def test_a_phase_in_a_world() -> None:
    later = in_world(PHASE, WORLDS["later"])
    assert later.world == "later"
    assert later.commands[0].env["FAKETIME"] == "+400d" and later.commands[0].env["A"] == "1"
    assert in_world(Phase("fetch", PHASE.commands), WORLDS["later"]).commands == PHASE.commands
    assert in_world(PHASE, WORLDS["ci"]).commands == PHASE.commands
