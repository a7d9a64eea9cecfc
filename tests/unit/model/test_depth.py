"""Each depth holds the one before."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

from package_hunter.ecosystems.worlds import chosen
from package_hunter.model.depth import DEEP, DEPTHS, QUICK, STANDARD, Depth, DepthName, further


def test_each_does_what_the_one_before_does_and_more() -> None:
    switches = [field.name for field in fields(QUICK) if isinstance(getattr(QUICK, field.name), bool)]
    assert {"submodules", "next_morning", "hurried", "exercise"} <= set(switches)
    for less, more in pairwise(DEPTHS.values()):
        assert all(getattr(more, name) >= getattr(less, name) for name in switches)
        assert _names(less) < _names(more)
        assert more.says


def _names(depth: Depth) -> set[str]:
    return {world.name for world in chosen(",".join(depth.worlds))}


def test_they_are_found_by_name_and_in_order() -> None:
    assert [depth.name for depth in DEPTHS.values()] == list(DepthName)
    assert list(further(QUICK)) == [STANDARD, DEEP]
    assert list(further(DEEP)) == []
