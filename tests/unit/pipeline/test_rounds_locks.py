"""A further box starts from what the first one's fetch resolved."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.model.scan import BoxFile
from package_hunter.pipeline import rounds
from package_hunter.pipeline.separate_loads import SeparateLoads
from tests.support.pipeline_samples import TreePlan, judged

LOCK = BoxFile("/home/dev/projects/p/package-lock.json", b"{}")


def test_a_box_for_loads_apart_has_the_same_lock_files(monkeypatch: pytest.MonkeyPatch) -> None:
    earlier, fresh = judged().round, TreePlan({}, [])
    fresh.target = earlier.plan.target
    earlier.plan.frozen = (LOCK,)
    monkeypatch.setattr(rounds, "lay_plans", lambda *_: [fresh])
    scan: Any = SimpleNamespace()
    source_tree: Any = SimpleNamespace()
    turn = rounds.again(scan, source_tree, earlier, SeparateLoads(()), 1)
    assert turn.plan is fresh and fresh.files[-1] == LOCK
    assert turn.box_id == f"{earlier.box_id}-n1" and replace(turn, plan=earlier.plan).label == earlier.label
