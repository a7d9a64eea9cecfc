"""Phases in a box that is none: what is run, and what is said, when the scan's time is over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.errors import HelperDiedError
from package_hunter.model.depth import QUICK, STANDARD
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import Command, CommandRun, Leftovers, Phase
from package_hunter.pipeline.options import untimed
from package_hunter.pipeline.phases import run_phases
from package_hunter.pipeline.rounds import Hurry, Round, key_of
from package_hunter.pipeline.separate_loads import SeparateLoads
from tests.support.pipeline_samples import TreePlan

SCRIPT = Command(("sh",), "/", timeout=240, blame_purl="pkg:npm/a@1", script="install")


class Box:
    """A box that says of each command that it was stopped (``ends``) or ended."""

    upper_dir = Path("/nonexistent")

    def __init__(self, scan: Any, ends: Sequence[str] = ()) -> None:
        self.scan, self.ends, self.ran = scan, ends, []  # type: ignore[var-annotated]
        self.fast, self.ran_fast = False, []  # type: ignore[var-annotated]
        self.watched: tuple[float, bool] | None = None

    def run(self, command: Command, phase: str, world: str, until: float) -> CommandRun:
        assert until == self.scan.deadline
        self.ran.append((phase, command.timeout))
        if self.fast:
            self.ran_fast.append(phase)
        if phase in self.ends:
            self.scan.deadline = time.monotonic() - 1
        return CommandRun(phase, world, command, 1, 0, 1, None if phase in self.ends else 0)

    def end(self, seconds: float) -> Leftovers:
        self.watched = (seconds, self.fast)
        return Leftovers()

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        self.fast = True
        yield
        self.fast = False

    def limits_hit(self) -> list[str]:
        return []


class Planned(TreePlan):
    """Asked after the scan's end, it would say what is not so."""

    def __init__(self, scan: Any) -> None:
        super().__init__({"a": []}, ["a"])
        self.scan = scan

    @property
    def fetch(self) -> Phase:
        return Phase("fetch", (Command(("npm", "ci"), "/", essential=True),))

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        assert time.monotonic() < self.scan.deadline
        return Phase("install", (SCRIPT, SCRIPT))

    def later(self, tree: BoxTree) -> tuple[Phase, ...]:
        assert time.monotonic() < self.scan.deadline
        return super().later(tree)


def _scan() -> Any:
    return SimpleNamespace(
        deadline=time.monotonic() + 600,
        say=lambda _: None,
        options=SimpleNamespace(phases=("install", "import"), settle=None, timed=untimed),
        depth=QUICK,
        config=SimpleNamespace(settle_seconds=30.0, hurry_seconds=25.0, scan_timeout=25.0),
    )


def _run(scan: Any, plan: Any, box: Any, **how: Any) -> tuple[list[CommandRun], list[str]]:
    turn = Round(plan, WORLDS["default"], "id", Path("/nonexistent"), **how)
    runs: list[CommandRun] = []
    reasons, _ = run_phases(scan, box, turn, runs, lambda: None, lambda _: None)
    return runs, reasons


@pytest.mark.parametrize(("phase", "count"), [("fetch", 1), ("install", 2), ("import", 4)])
def test_what_the_scans_end_stops_is_marked_and_nothing_follows(phase: str, count: int) -> None:
    scan = _scan()
    runs, reasons = _run(scan, Planned(scan), Box(scan, [phase]))
    assert reasons == [], "the plan's coverage says it of the command that was stopped"
    assert len(runs) == count
    assert [run.scan_seconds for run in runs] == [None] * (count - 1) + [25.0]
    assert runs[-1].command.timeout > 0


def test_the_end_between_two_commands_is_said_once() -> None:
    scan = _scan()
    scan.deadline = 0.0
    runs, reasons = _run(scan, Planned(scan), Box(scan))
    assert runs == []
    assert reasons == ["The scan's time of 25 s was over in the fetch phase."]


def test_what_has_a_budget_is_begun_within_it_and_all_else_in_any_case() -> None:
    at_once, never = (
        Command(("sh",), "/", script=name, within=seconds) for name, seconds in (("a/x", 60.0), ("a/y", 0.0))
    )

    class Budgeted(Planned):
        def later(self, tree: BoxTree) -> tuple[Phase, ...]:
            return (Phase("import", (at_once, never, SCRIPT)),)

    scan = _scan()
    runs, reasons = _run(scan, Budgeted(scan), Box(scan))
    assert [run.command for run in runs if run.phase == "import"] == [at_once, SCRIPT]
    assert reasons == []


def test_a_killed_planner_is_no_broken_box() -> None:
    class Killed(TreePlan):
        def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
            raise HelperDiedError("Planning broke off.")

    scan = _scan()
    with pytest.raises(HelperDiedError):
        _run(scan, Killed({"a": []}, ["a"]), Box(scan))


def test_what_may_be_asked_of_registries_is_closed_before_anything_foreign_runs() -> None:
    scan = _scan()
    box, order = Box(scan), []

    class Watched(Planned):
        def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
            order.append("planned")
            return super().after_fetch(tree, runs)

    turn = Round(Watched(scan), WORLDS["default"], "id", Path("/nonexistent"))
    closed = lambda: order.append(f"closed after {len(box.ran)}")  # noqa: E731
    run_phases(scan, box, turn, [], closed, lambda _: None)  # type: ignore[arg-type]
    assert order == ["closed after 1", "planned"]


@pytest.mark.parametrize("ends", [(), ("install",)])
def test_what_a_build_turned_out_to_need_is_allowed_before_it_is_asked_for(ends: tuple[str, ...]) -> None:
    scan = _scan()
    box, order = Box(scan, ends), []
    needs = RegistryAllow("pypi", frozenset({"toolz"}))

    class Learning(Planned):
        def learnt(self, tree: BoxTree) -> tuple[Phase, RegistryAllow]:
            return Phase("install", (SCRIPT,)), needs

    turn = Round(Learning(scan), WORLDS["default"], "id", Path("/nonexistent"))
    told = lambda allow: order.append((allow, len(box.ran)))  # noqa: E731
    run_phases(scan, box, turn, [], lambda: None, told)  # type: ignore[arg-type]
    # the fetch, two scripts; what is late is not asked for
    assert order == ([] if ends else [(needs, 3)])
    assert [phase for phase, _ in box.ran].count("install") == (1 if ends else 3)


@pytest.mark.parametrize(("asked", "seconds"), [(None, 30.0), (2.0, 2.0), (0.0, 0.0)])
def test_what_is_left_is_watched_for_the_budget(asked: float | None, seconds: float) -> None:
    scan = _scan()
    scan.options.settle = asked
    box = Box(scan)
    _run(scan, Planned(scan), box)
    assert box.watched == (seconds, False)


def test_a_box_that_looks_for_who_it_was_watches_no_longer_than_it_did() -> None:
    scan = _scan()
    box = Box(scan)
    _run(scan, Planned(scan), box, apart=SeparateLoads(()))
    assert box.watched == (5.0, False)


def test_time_is_hurried_at_the_end_and_in_what_was_stopped_before() -> None:
    scan = _scan()
    plan = Planned(scan)
    box = Box(scan)
    _run(scan, plan, box, hurry=Hurry())
    assert (box.watched, box.ran_fast) == ((25.0, True), [])
    _run(scan, plan, box, hurry=Hurry(frozenset({key_of("install", SCRIPT)})))
    assert box.ran_fast == ["install", "install"]
    assert ("install", 25.0) in box.ran and ("fetch", 25.0) not in box.ran


class Persistent(Box):
    """A box in which an install script changes a start-up file."""

    def __init__(self, scan: Any, folder: Path) -> None:
        super().__init__(scan)
        self.upper_dir = folder

    def run(self, command: Command, phase: str, world: str, until: float) -> CommandRun:
        if phase == "install":
            (self.upper_dir / "home/dev").mkdir(parents=True, exist_ok=True)
            (self.upper_dir / "home/dev/.bashrc").write_text("# changed")
        return super().run(command, phase, world, until)


def test_the_next_morning_comes_where_a_start_up_file_changed(tmp_path: Path) -> None:
    scan = _scan()
    runs, _ = _run(scan, Planned(scan), Persistent(scan, tmp_path / "quick"))
    assert "morning" not in [run.phase for run in runs], "quick does not wait for it"
    scan.depth = STANDARD
    runs, _ = _run(scan, Planned(scan), Persistent(scan, tmp_path / "standard"))
    assert (runs[-1].phase, runs[-1].command.because_of) == ("morning", ("/home/dev/.bashrc",))
    for further in ({"hurry": Hurry()}, {"apart": SeparateLoads(())}):
        runs, _ = _run(scan, Planned(scan), Persistent(scan, tmp_path / str(len(further))), **further)
        assert "morning" not in [run.phase for run in runs]
    runs, _ = _run(scan, Planned(scan), Box(scan))
    assert "morning" not in [run.phase for run in runs], "nothing changed"
