"""Rounds and what they showed, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from package_hunter.ecosystems.base import Inventory, Plan, PlanOptions
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.findings.group import fingerprint, package_of
from package_hunter.model.finding import Evidence, Finding
from package_hunter.model.observation import Blame, NetworkLog, Observation, Process
from package_hunter.model.scan import Command, CommandRun, Coverage, Package, Phase, Target
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.pipeline.rounds import Round


class TreePlan(Plan):
    """A plan whose packages depend on each other as ``needs`` says; ``roots`` are the direct ones."""

    def __init__(self, needs: dict[str, list[str]], roots: Sequence[str], ecosystem: str = "npm") -> None:
        self.target, self.options, self.project = Target("app", ecosystem), PlanOptions(), "/home/dev/app"
        self.needs, self.roots = needs, roots

    @property
    def fetch(self) -> Phase:
        return Phase("fetch", ())

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        return Phase("install", ())

    def imports(self, tree: BoxTree) -> Phase:
        return Phase("import", tuple(self._load(name) for name in self.roots))

    def narrow(self, purl: str) -> Phase | None:
        return Phase("import", tuple(self._load(name) for name in self.needs.get(purl, ())))

    def inventory(self) -> tuple[Package, ...]:
        return tuple(Package(purl, purl, "1", chain=("app", purl)) for purl in self.needs)

    def coverage(self, runs: Sequence[CommandRun]) -> Coverage:
        return coverage({}, self.options, Inventory(), runs, ())

    def _load(self, purl: str) -> Command:
        return Command(("node", purl), "/", blame_purl=purl, script="require")


def blame(package: str, phase: str = "import", confidence: str = "likely") -> Blame:
    return Blame(phase, package, ("app", package), "require", 1, "node", "because", confidence)


def finding(kind: str, who: Blame, what: str = "it happened", severity: str = "high") -> Finding:
    mark = fingerprint(kind, package_of(who), what)
    lines = ("Why it is here: so.", "Who did it is likely: because", "What would have lowered it: no.")
    return Finding(mark, kind, severity, what, who, (Evidence(1, what),), explain=lines)


def judged(
    *findings: Finding,
    world: str = "default",
    plan: Plan | None = None,
    coverage: Coverage | None = None,
    processes: Sequence[Process] = (),
) -> RoundResult:
    plan = plan or TreePlan({"a": []}, ["a"])
    turn = Round(plan, WORLDS[world], "id", Path("/nonexistent"), only_world=False, only_plan=False)
    seen = Observation(processes=tuple(processes), events=10)
    return RoundResult(
        turn, (), seen, NetworkLog(), (), plan.inventory(), coverage or Coverage(events=10), findings
    )
