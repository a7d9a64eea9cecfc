"""How far a scan looks, and which boxes that makes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.config import Settings
from package_hunter.ecosystems.base import PlanOptions, SourceTree, stage
from package_hunter.model.depth import DEEP, QUICK, STANDARD, Depth, DepthName
from package_hunter.model.scan import Target
from package_hunter.pipeline.options import Scan, ScanOptions, quiet
from package_hunter.pipeline.rounds import depth_of, rounds


class Plans:
    """Lays one plan, for a package or for a project, and remembers what it was asked."""

    def __init__(self, purl: str | None) -> None:
        self.target = Target("x", "npm", purl=purl)
        self.asked: list[PlanOptions] = []

    def lay(self, _: SourceTree, options: PlanOptions, __: str | None) -> list[Any]:
        self.asked.append(options)
        return [SimpleNamespace(target=self.target, package=self.target.purl is not None)]


def scan_of(plans: Plans, options: ScanOptions, at: Depth = QUICK, **settings: Any) -> Scan:
    matcher, config = SimpleNamespace(), Settings(**{"depth": None, **settings})
    args: Any = ("id", 0, 0.0, Path("/nowhere"), options, matcher, config, quiet, plans)
    return Scan(*args, depth=at)


ARCHIVE = stage("x.tgz", Path("/nowhere"), sha256="00")
FOLDER = stage("x", Path("/nowhere"))
PURL = stage("x", purl="pkg:npm/x@1")


@pytest.mark.parametrize(
    ("source_tree", "purl", "depth"),
    [
        (PURL, "pkg:npm/x@1", STANDARD),
        (ARCHIVE, "pkg:npm/x@1", STANDARD),
        (ARCHIVE, None, QUICK),
        (FOLDER, None, QUICK),
    ],
)
def test_a_package_is_looked_at_further_than_a_project(
    source_tree: SourceTree, purl: str | None, depth: Depth
) -> None:
    assert depth_of(scan_of(Plans(purl), ScanOptions()), source_tree) is depth


def test_what_was_asked_for_goes_before_the_setting_and_that_before_the_target() -> None:
    plans = Plans("pkg:npm/x@1")
    assert depth_of(scan_of(plans, ScanOptions(), depth="deep"), PURL) is DEEP
    asked = ScanOptions(depth=DepthName.QUICK)
    assert depth_of(scan_of(plans, asked, depth="deep"), PURL) is QUICK


def test_a_depth_brings_its_worlds_and_phases() -> None:
    plans = Plans(None)
    quick = rounds(scan_of(plans, ScanOptions()), FOLDER)
    assert [turn.world.name for turn in quick] == ["default"]
    standard = rounds(scan_of(plans, ScanOptions(), STANDARD), FOLDER)
    assert [turn.world.name for turn in standard] == ["default", "elsewhere"]
    assert "exercise" not in plans.asked[-1].phases
    deep = rounds(scan_of(plans, ScanOptions(), DEEP), FOLDER)
    assert {"locale", "ci", "elsewhere"} < {turn.world.name for turn in deep}
    assert "exercise" in plans.asked[-1].phases
    assert plans.asked[-1].depth is DEEP


def test_worlds_that_were_asked_for_stand_in_place_of_the_depths() -> None:
    scan = scan_of(Plans(None), ScanOptions(worlds=("ci",)), DEEP)
    assert [turn.world.name for turn in rounds(scan, FOLDER)] == ["ci"]


def test_without_the_import_nothing_is_exercised() -> None:
    scan = scan_of(Plans(None), ScanOptions(phases=("install",)), DEEP)
    assert scan.phases == ("install",)
