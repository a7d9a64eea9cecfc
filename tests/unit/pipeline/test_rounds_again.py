"""What tells a round from the others of a scan, and which one is run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.ecosystems.base import stage
from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.pipeline import rounds
from package_hunter.pipeline.rounds import Round
from tests.support.pipeline_samples import TreePlan

TOP = "/home/dev/projects/app"


def plan(folder: str = "", ecosystem: str = "npm") -> TreePlan:
    made = TreePlan({}, [], ecosystem)
    made.project, made.within = (f"{TOP}/{folder}", TOP) if folder else (TOP, "")
    return made


@pytest.mark.parametrize(
    ("turn", "label"),
    [
        (Round(plan(), WORLDS["ci"], "id", Path()), ""),
        (Round(plan(), WORLDS["ci"], "id", Path(), only_plan=False), "npm"),
        (Round(plan("web/app"), WORLDS["ci"], "id", Path(), only_plan=False), "npm in web/app"),
        (
            Round(plan("api", "pypi"), WORLDS["ci"], "id", Path(), only_plan=False, only_world=False),
            "pypi in api, ci",
        ),
    ],
)
def test_a_round_is_called_by_what_differs(turn: Round, label: str) -> None:
    assert turn.label == label


def test_the_same_folder_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "lay_plans", lambda *_: [plan("api"), plan("web"), plan("web", "pypi")])
    scan: Any = SimpleNamespace()
    earlier = Round(plan("web"), WORLDS["ci"], "id", Path("/x/round-2"))
    apart: Any = SimpleNamespace()
    found = rounds.again(scan, stage("app"), earlier, apart, 1)
    assert (found.plan.project, found.plan.target.ecosystem) == (f"{TOP}/web", "npm")
    assert replace(found, plan=earlier.plan, apart=None).box_id == "id-n1"
