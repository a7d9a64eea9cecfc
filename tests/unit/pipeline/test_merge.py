"""Several boxes make one report."""

from __future__ import annotations

import pytest

from package_hunter.model.observation import FileChange, Observation, Process
from package_hunter.model.scan import Coverage, PhaseCoverage
from package_hunter.pipeline.gated import gated
from package_hunter.pipeline.merge import join_coverages, join_findings, join_packages, renumbered
from tests.support.pipeline_samples import TreePlan, blame, finding, judged


def _process(key: int, parent: int | None) -> Process:
    return Process(key, parent, 100 + key, key, "sh", "/bin/sh", "sh", "/", 1, 0, None, None)


def test_keys_move_together_and_nobody_stays_nobody() -> None:
    seen = Observation(
        processes=(_process(1, None), _process(2, 1)),
        files=(FileChange("/x", "created", 2, 5), FileChange("/y", "created", 0, 5)),
    )
    moved = renumbered(seen, 40)
    assert [(p.key, p.parent) for p in moved.processes] == [(41, None), (42, 41)]
    assert [f.process for f in moved.files] == [42, 0]


def test_same_finding_of_two_boxes_is_one() -> None:
    one, two = finding("mining", blame("a")), finding("mining", blame("a"))
    other = finding("exfiltration", blame("a"), severity="critical")
    found = join_findings([judged(one), judged(two, other)])
    assert [(f.kind, f.count) for f in found] == [("exfiltration", 1), ("mining", 2)]


def test_packages_and_scripts_are_counted_in_one_world_only() -> None:
    def whole(reason: str) -> Coverage:
        phases = (PhaseCoverage("fetch", "default", "ok", 0, 1.0),)
        return Coverage(
            10, 1, 0.5, phases, packages_expected=3, packages_installed=2, reasons=(reason, "same")
        )

    npm, pip = TreePlan({"a": []}, ["a"]), TreePlan({"b": []}, ["b"], "pypi")
    rounds = [
        judged(coverage=whole("x"), plan=npm),
        judged(coverage=whole("y"), plan=pip),
        judged(coverage=whole("x"), plan=npm, world="ci"),
        judged(coverage=whole("y"), plan=pip, world="ci"),
    ]
    joined = join_coverages(rounds)
    assert (joined.packages_expected, joined.packages_installed) == (6, 4)
    assert (joined.events, joined.dropped, joined.frozen_seconds) == (40, 4, 2.0)
    assert [p.ecosystem for p in joined.phases] == ["npm", "pypi", "npm", "pypi"]
    assert joined.reasons == ("npm, default; npm, ci: x", "same", "pypi, default; pypi, ci: y")
    assert [p.purl for p in join_packages(rounds)] == ["a", "b"]


def test_one_box_stays_as_it_was() -> None:
    only = judged(coverage=Coverage(reasons=("x",)))
    assert join_coverages([only]) is only.coverage


def test_gated_names_the_worlds() -> None:
    theft = finding("exfiltration", blame("a"))
    (found,) = gated([judged(theft, world="ci"), judged(world="laptop"), judged(theft, world="later")])
    assert found.kind == "gated_behaviour"
    assert found.blame == theft.blame
    assert "only in the worlds ci, later" in found.title
    assert found.evidence[0].data["unseen"] == ["laptop"]


@pytest.mark.parametrize(
    "other",
    [
        judged(world="ci", coverage=Coverage(reasons=("The phase “import” was not run.",))),
        judged(world="ci", coverage=Coverage(dropped=1)),
    ],
)
def test_what_was_not_seen_whole_is_not_compared(other: object) -> None:
    assert gated([judged(finding("exfiltration", blame("a"))), other]) == ()  # type: ignore[list-item]


def test_information_is_no_gated_behaviour() -> None:
    shell = finding("shell_spawned", blame("a"), severity="info")
    assert gated([judged(shell), judged(world="ci")]) == ()


def test_another_ecosystem_is_not_another_world() -> None:
    pip = TreePlan({"b": []}, ["b"], "pypi")
    assert gated([judged(finding("exfiltration", blame("a"))), judged(plan=pip)]) == ()
