"""A scan that may be tried again is, where a fault of ours in any of its boxes leaves it inconclusive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.errors import HelperDiedError, SandboxError
from package_hunter.model.scan import Verdict
from package_hunter.pipeline import journey, narrow
from package_hunter.pipeline.options import ScanOptions
from package_hunter.pipeline.round_result import RoundResult, not_run
from tests.support import judge_samples as samples
from tests.support.pipeline_samples import judged

AGAIN = ScanOptions(again=True)
UNCLEAR = replace(samples.report(), verdict=Verdict.INCONCLUSIVE)


def item(*faults: str) -> RoundResult:
    return replace(judged(), faults=faults)


def test_the_first_fault_of_any_round_is_told() -> None:
    with pytest.raises(HelperDiedError, match="the first"):
        journey._unless_again(AGAIN, UNCLEAR, [item(), item("the first", "another"), item("a third")])


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.INCONCLUSIVE])
def test_a_verdict_stands_whatever_failed(verdict: Verdict) -> None:
    report = replace(UNCLEAR, verdict=verdict)
    assert journey._unless_again(AGAIN, report, [item("fault")]) is report


def test_without_a_fault_or_another_try_the_report_stands() -> None:
    assert journey._unless_again(AGAIN, UNCLEAR, [item(), item()]) is UNCLEAR
    assert journey._unless_again(ScanOptions(), UNCLEAR, [item("fault")]) is UNCLEAR


def test_a_fault_of_a_further_box_is_the_rounds() -> None:
    whole = item("one")
    shown = replace(not_run(whole.round, SandboxError("it broke"), ("two",)))
    assert narrow._noted(whole, "It was tried.", shown).faults == ("one", "two")
