"""Tools that apply the project's own patches to its dependencies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings import own_patches
from package_hunter.findings.catalog import Class
from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import NetworkLog, Observation
from package_hunter.model.scan import Package
from tests.support import judge_samples as samples

P = "/home/dev/projects/p/node_modules"
TOOL = Package("pkg:npm/patch-package@8.0.0", "patch-package", "8.0.0", f"{P}/patch-package", direct=True)
DEEP = Package("pkg:npm/deep@1.0.0", "deep", "1.0.0", f"{P}/deep")
PATCHED = frozenset({f"{P}/left-pad/index.js", f"{P}/ms/index.js"})


def weights(patched: frozenset[str], *acts: tuple[str, Package]) -> list[Class]:
    context = Context(Observation(), NetworkLog(), RoundFacts(packages=(TOOL, DEEP), patched=patched), None)
    signals = [
        Signal(1, "package_tampering", Class.SUSPICIOUS, path, "it", replace(samples.BLAME, package=who.purl))
        for path, who in acts
    ]
    return [signal.weight for signal in own_patches.soften(signals, context)]


LEFT, MS, OTHER = f"{P}/left-pad/index.js", f"{P}/ms/index.js", f"{P}/ms/package.json"


@pytest.mark.parametrize(
    ("acts", "found"),
    [
        ([(LEFT, TOOL), (MS, TOOL)], [Class.INFO, Class.INFO]),
        ([(LEFT, TOOL), (OTHER, TOOL)], [Class.SUSPICIOUS, Class.SUSPICIOUS]),
        ([(LEFT, DEEP)], [Class.SUSPICIOUS]),
        ([(LEFT, TOOL), (OTHER, DEEP)], [Class.INFO, Class.SUSPICIOUS]),
    ],
)
def test_only_what_patches_name_and_a_tool_of_the_projects_own(
    acts: list[tuple[str, Package]], found: list[Class]
) -> None:
    assert weights(PATCHED, *acts) == found


def test_without_patches_nothing_is_milder() -> None:
    assert weights(frozenset(), (LEFT, TOOL)) == [Class.SUSPICIOUS]
