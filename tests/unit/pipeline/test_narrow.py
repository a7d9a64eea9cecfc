"""Loading apart: the order of loads, and what is concluded from what they showed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import SandboxError
from package_hunter.pipeline import narrow as narrowing
from package_hunter.pipeline.round_result import RoundResult, not_run
from package_hunter.pipeline.rounds import Round
from package_hunter.pipeline.separate_loads import MAX_LOADS, SeparateLoads
from tests.support.pipeline_samples import TreePlan, blame, finding, judged

TREE = BoxTree(Path("/nonexistent"))
NEEDS = {"top": ["left", "mid"], "mid": ["deep", "left"], "left": [], "deep": []}


def _order(needs: dict[str, list[str]], suspect: str) -> list[str]:
    apart = SeparateLoads((suspect,))
    phase = apart.phase(TreePlan(needs, [suspect]), TREE)
    return [command.blame_purl or "" for command in phase.commands]


def test_dependencies_come_before_what_needs_them() -> None:
    order = _order(NEEDS, "top")
    assert order[-1] == "top"
    assert order.index("deep") < order.index("mid") and order.index("left") < order.index("mid")


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefgh"), max_size=5)))
def test_any_tree_ends_and_loads_each_once(needs: dict[str, list[str]]) -> None:
    order = _order(needs, "a")
    assert len(order) == len(set(order)) and order[-1] == "a"


def test_too_large_a_tree_is_gone_down_by_levels() -> None:
    needs = {"top": ["a", "b"], "a": [f"n{i}" for i in range(MAX_LOADS + 5)], "b": []}
    assert set(_order(needs, "top")) == {"top", "a", "b"}


def _narrow(
    monkeypatch: pytest.MonkeyPatch, item: RoundResult, *shown: RoundResult
) -> tuple[RoundResult, int]:
    boxes = iter(shown)
    used = 0

    def run(turn: Round) -> RoundResult:
        nonlocal used
        used += 1
        assert turn.apart is not None
        turn.apart.phase(turn.plan, TREE)
        return next(boxes)

    plan: Any = item.round.plan
    monkeypatch.setattr(
        narrowing, "again", lambda _s, _t, turn, apart, _n: Round(plan, turn.world, "n", Path(), apart=apart)
    )

    class Quiet:
        def say(self, _: str) -> None: ...

    return narrowing.narrow(Quiet(), None, item, run), used  # type: ignore[arg-type]


def test_first_that_shows_it_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    item = judged(finding("exfiltration", blame("top")), plan=TreePlan(NEEDS, ["top"]))
    seen = [finding("exfiltration", blame(who, "narrow")) for who in ("top", "mid", "deep")]
    result, used = _narrow(monkeypatch, item, judged(*seen))
    assert result.findings[0].blame is not None
    assert (result.findings[0].blame.package, result.findings[0].blame.confidence) == ("deep", "certain")
    assert result.findings[0].blame.phase == "import"
    assert result.findings[0].fingerprint == seen[2].fingerprint
    assert any("Who did it is certain" in line for line in result.findings[0].explain)
    assert used == 1


def test_nothing_below_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    item = judged(finding("exfiltration", blame("top")), plan=TreePlan(NEEDS, ["top"]))
    result, _ = _narrow(monkeypatch, item, judged(finding("exfiltration", blame("top", "narrow"))))
    assert result.findings[0].blame is not None
    assert (result.findings[0].blame.package, result.findings[0].blame.confidence) == ("top", "certain")
    assert "none of the 3 packages below it" in result.findings[0].blame.basis


def test_nobody_shows_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    item = judged(finding("exfiltration", blame("top")), plan=TreePlan(NEEDS, ["top"]))
    result, used = _narrow(monkeypatch, item, judged())
    assert result.findings == item.findings and used == 1


def test_a_box_that_fails_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    item = judged(finding("exfiltration", blame("top")), plan=TreePlan(NEEDS, ["top"]))
    broken = not_run(item.round, SandboxError("No space is left for the box."))
    result, used = _narrow(monkeypatch, item, broken)
    assert result.findings == item.findings and used == 1
    assert any("did not come to an end" in note for note in result.coverage.notes)


def test_large_tree_takes_several_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = {"top": ["a", "b"], "a": [f"n{i}" for i in range(MAX_LOADS - 1)], "b": ["c", "d", "e"]}
    item = judged(finding("mining", blame("top")), plan=TreePlan(needs, ["top"]))
    first, second = (judged(finding("mining", blame(who, "narrow"))) for who in ("b", "d"))
    result, used = _narrow(monkeypatch, item, first, second)
    assert result.findings[0].blame is not None
    assert (result.findings[0].blame.package, result.findings[0].blame.confidence) == ("d", "certain")
    assert used == 2


@pytest.mark.parametrize(
    "calm",
    [
        finding("mining", blame("top", confidence="certain")),
        finding("mining", blame("top", phase="install")),
        finding("shell_spawned", blame("top"), severity="info"),
    ],
)
def test_what_needs_no_narrowing_costs_no_box(monkeypatch: pytest.MonkeyPatch, calm: Any) -> None:
    item = judged(calm, plan=TreePlan(NEEDS, ["top"]))
    assert _narrow(monkeypatch, item) == (item, 0)
