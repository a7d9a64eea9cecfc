"""All on one axis."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.model.scan import Coverage, PhaseCoverage
from package_hunter.report.evidence import Exhibits
from package_hunter.report.sample import sample
from tests.support.evidence_samples import BEGAN, alert, build, process, with_processes

PHASES = (
    PhaseCoverage("fetch", "default", "ok", 0, 0.2, started_ns=BEGAN),
    PhaseCoverage("install", "default", "timeout", None, 0.5, started_ns=BEGAN + 300_000_000),
    PhaseCoverage("import", "default", "skipped", None, 0.0),
)


def test_phases_stand_where_they_were() -> None:
    report = with_processes([process(1, None, "init")], coverage=Coverage(phases=PHASES))
    line = Exhibits(report).timeline
    phases = next(lane for lane in line.lanes if lane.name == "Phases")
    assert [bar.label for bar in phases.bars] == ["fetch", "install"]
    assert abs(phases.bars[1].x / phases.bars[0].width - 0.3 / 0.2) < 0.05
    assert "status-timeout" in phases.bars[1].css


def test_every_shape_is_on_the_axis() -> None:
    """Whatever times a report holds: before its start, after its end, in the year 2500."""
    odd = [alert(3), replace(alert(3), time_ns=0), replace(alert(3), time_ns=BEGAN * 10)]
    box = [process(1, None, "init"), process(2, 1, started_ns=0, ended_ns=BEGAN * 10), process(3, 1)]
    line = Exhibits(with_processes(box, [*odd, alert(2)])).timeline
    for lane in line.lanes:
        assert all(0 <= dot.x <= 100 for dot in lane.dots)
        assert all(0 <= bar.x <= 100 and bar.x + bar.width <= 101 for bar in lane.bars)
    assert all(0 <= x <= 100 for x, _ in line.ticks)


def test_what_falls_together_is_one_shape_that_says_how_many() -> None:
    box = [process(1, None, "init"), process(2, 1, "node x")]
    line = Exhibits(with_processes(box, [alert(2)] * 500 + [alert(2, "Another rule")])).timeline
    alerts = next(lane for lane in line.lanes if lane.name == "Alerts")
    [dot] = alerts.dots
    assert dot.count == 501
    assert dot.said.count("\n") == 2, "each different thing once"
    assert dot.link == "p2"


def test_many_are_few_shapes() -> None:
    line = Exhibits(build(50_000, noted=5_000)).timeline
    assert sum(len(lane.dots) + len(lane.bars) for lane in line.lanes) < 3_000


def test_a_scan_that_took_no_time_has_an_axis() -> None:
    line = Exhibits(replace(sample(), finished=sample().started, processes=())).timeline
    assert line.seconds > 0
    assert line.ticks
