"""A hurried round adds evidence, and nothing else."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.errors import SandboxError
from package_hunter.model.finding import Finding
from package_hunter.model.observation import NetworkLog, Observation, Process
from package_hunter.model.scan import Command, CommandRun, Coverage, Leftovers, LeftRunning, Wait
from package_hunter.pipeline import hurried
from package_hunter.pipeline.hurried import hurry, in_reach
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.pipeline.rounds import Round
from tests.support.pipeline_samples import TreePlan

TIMER = Wait("timer", 600.0, 600.0, "epoll_pwait")
LOCK = Wait("lock", None, float("inf"), "futex")


def finding(kind: str, severity: str = "medium", proof: bool = False, **more: Any) -> Finding:
    found = Finding(kind, kind, severity, kind, None, (), (), 1, proof=proof)
    return replace(found, **more)


def left(*waits: Wait, program: str = "/usr/local/bin/node", hurried: bool = True) -> LeftRunning:
    return LeftRunning(7, 1, "node wait.js", program, True, waits, hurried)


def result(
    *findings: Finding, leftovers: tuple[LeftRunning, ...] = (left(TIMER),), **more: Any
) -> RoundResult:
    turn = Round(TreePlan({"a": []}, ["a"]), WORLDS["default"], "id", Path("/nonexistent/r"))
    process = Process(3, None, 9, 9, "node", "/usr/local/bin/node", "node", "/", 1000, 1, None, None)
    found = RoundResult(
        turn,
        (),
        Observation(processes=(process,), events=5),
        NetworkLog(),
        (),
        (),
        Coverage(events=5, reasons=("as it was",)),
        findings,
        left=Leftovers(leftovers, 1),
    )
    return replace(found, **more)


@pytest.fixture(autouse=True)
def _turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        hurried, "hurried", lambda scan, tree, earlier, hurry: replace(earlier, box_id="id-h", hurry=hurry)
    )


def scan(**options: Any) -> Any:
    return SimpleNamespace(
        deadline=time.monotonic() + 600,
        say=lambda _: None,
        options=SimpleNamespace(**options),
        hurries=options.get("hurry", True),
        config=SimpleNamespace(hurry_seconds=25.0),
    )


def hurried_with(item: RoundResult, shown: RoundResult, **options: Any) -> RoundResult:
    return hurry(scan(**options), None, item, lambda turn, after: shown)  # type: ignore[arg-type]


def test_proof_is_added_with_its_evidence_and_how_it_was_seen() -> None:
    item = hurried_with(result(finding("left_running")), result(finding("exfiltration", "critical", True)))
    assert [f.kind for f in item.findings] == ["exfiltration", "left_running"]
    assert "60 times faster" in item.findings[0].explain[-1]
    assert len(item.observation.processes) == 2
    assert "1 finding comes from there" in item.coverage.notes[-1]


def test_what_faster_time_makes_more_of_is_not_judged() -> None:
    base = result(finding("outbound_connection", count=3))
    more = result(finding("outbound_connection", count=180), finding("hang"), finding("left_running"))
    item = hurried_with(base, more)
    assert item.findings == base.findings
    assert item.observation == base.observation
    assert "nothing more" in item.coverage.notes[-1]


def test_the_same_but_graver_is_added() -> None:
    item = hurried_with(result(finding("persistence", "low")), result(finding("persistence", "high")))
    assert [(f.kind, f.severity) for f in item.findings] == [("persistence", "high")]


def test_its_failures_are_notes_and_coverage_stays_as_it_was() -> None:
    def breaks(turn: Round, after: int) -> RoundResult:
        raise SandboxError("No space.")

    base = result(finding("left_running"))
    item = hurry(scan(), None, base, breaks)  # type: ignore[arg-type]
    assert item.findings == base.findings and item.coverage.reasons == ("as it was",)
    assert "No space." in item.coverage.notes[-1]
    cut = result(coverage=Coverage(dropped=9, reasons=("lost",)), broken=("broke",), faults=("ours",))
    item = hurried_with(base, cut)
    assert (item.coverage.reasons, item.coverage.dropped, item.broken, item.faults) == (
        ("as it was",),
        0,
        (),
        (),
    )


def test_keys_of_processes_come_after_the_first_rounds_and_stopped_commands_are_hurried() -> None:
    asked: dict[str, Any] = {}

    def run(turn: Round, after: int) -> RoundResult:
        asked.update(turn=turn, after=after)
        return result()

    stopped = CommandRun("import", "default", Command(("node", "-e"), "/p"), 1, 0, 1, None)
    ended = replace(stopped, phase="install", exit_code=0)
    hurry(scan(), None, result(runs=(stopped, ended)), run)  # type: ignore[arg-type]
    assert asked["after"] == 3
    assert asked["turn"].hurry.stopped == {("import", ("node", "-e"), "/p")}


def test_no_box_is_built_where_nothing_waits_or_nobody_wants_it() -> None:
    def never(turn: Round, after: int) -> RoundResult:
        raise AssertionError("a box was built")

    for item in (result(leftovers=()), result(leftovers=(left(LOCK),))):
        assert hurry(scan(), None, item, never) is item  # type: ignore[arg-type]
    item = result()
    assert hurry(scan(hurry=False), None, item, never) is item  # type: ignore[arg-type]
    late = scan()
    late.deadline = time.monotonic() + 5
    assert "time is over" in hurry(late, None, item, never).coverage.notes[-1]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "reached"),
    [
        (left(TIMER), True),
        (left(LOCK, Wait("timer", 1.0, 0.0)), True),
        (left(Wait("timer", None, 0.0)), True),
        (left(Wait("work", None, 0.0)), True),
        (left(Wait("signal", None, 0.0)), True),
        (left(Wait("timer", 1_500.0, 1_500.0)), True),
        (left(Wait("timer", 1_501.0, 1_501.0)), False),
        (left(LOCK, Wait("data", None, float("inf"))), False),
        (left(), False),
        (left(TIMER, program="/usr/bin/gpg-agent"), False),
        (replace(left(TIMER, program="/usr/bin/gpg-agent"), of_image=False), True),
    ],
)
def test_what_hurried_time_can_reach(seen: LeftRunning, reached: bool) -> None:
    assert in_reach(seen, 25.0) is reached


def test_what_makes_its_own_calls_is_named_as_out_of_reach() -> None:
    shown = result(leftovers=(left(TIMER, program="/home/dev/.cache/agent", hurried=False), left(TIMER)))
    (note,) = [note for note in hurried_with(result(), shown).coverage.notes if "out of reach" in note]
    assert "agent" in note and "node" not in note
