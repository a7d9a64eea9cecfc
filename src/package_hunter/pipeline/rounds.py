"""Rounds: what is detonated in a box of its own. One for each ecosystem of the project, in each world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.ecosystems.base import Plan, PlanOptions, SourceTree
from package_hunter.ecosystems.worlds import World, chosen
from package_hunter.model.depth import DEPTHS, QUICK, STANDARD, Depth, DepthName
from package_hunter.model.scan import Command
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.separate_loads import SeparateLoads

CommandKey = tuple[str, tuple[str, ...], str]


def key_of(phase: str, command: Command) -> CommandKey:
    """What tells a command of a round from the others, and is the same in another round."""
    return phase, command.argv, command.cwd


@dataclass(frozen=True)
class Hurry:
    """A round in which time passes faster: from the end of its commands on, and in those (``key_of``) that were
    stopped at their deadlines when it did not."""

    stopped: frozenset[CommandKey] = frozenset()


@dataclass(frozen=True)
class Encoding:
    """What is fetched from an address is answered in an encoding (decoy.encodings). ``answers``: address, encoding, and
    the names under which a JSON object has it."""

    answers: tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Round:
    """A plan in a world. ``box_id`` is the scan's id for the first round, with a number for later ones;
    ``folder`` holds the round's working files. ``hurry``: its time is hurried."""

    plan: Plan
    world: World
    box_id: str
    folder: Path
    record: Path | None = None
    apart: SeparateLoads | None = None  # in place of the import phase
    only_world: bool = True
    only_plan: bool = True
    hurry: Hurry | None = None
    encoding: Encoding | None = None
    keeps_sources: bool = (
        False  # of its packages are read while the box is there: encodings may be tried after it
    )
    first_world: bool = True  # what is left is watched, and waited for, in one world only

    @property
    def place(self) -> str:
        """The plan's ecosystem, and its folder where that is not the top."""
        folder = self.plan.project[len(self.plan.root) + 1 :]
        return f"{self.plan.target.ecosystem} in {folder}" if folder else self.plan.target.ecosystem

    @property
    def label(self) -> str:
        """What tells this round from the scan's others; ``""`` where there is no other."""
        words = (
            "" if self.only_plan else self.place,
            "" if self.only_world else self.world.name,
        )
        return ", ".join(word for word in words if word)


def rounds(scan: Scan, source_tree: SourceTree) -> list[Round]:
    """Every round of a scan, world by world. Raises NothingToScanError where there is none."""
    worlds = chosen(",".join(scan.options.worlds or scan.depth.worlds))
    return [
        replace(
            _round(scan, plan, world, number, (len(worlds) == 1, len(laid) == 1)),
            first_world=world is worlds[0],
            keeps_sources=scan.depth.encoded and world is worlds[0],
        )
        for number, (world, plan, laid) in enumerate(_plans_by_world(scan, source_tree, worlds))
    ]


def depth_of(scan: Scan, source_tree: SourceTree) -> Depth:
    """How far this scan is to look: as was asked for, else as the settings say, else ``standard`` for a package (a
    purl, or an archive of one) and ``quick`` for a project. Raises NothingToScanError."""
    asked = scan.options.depth or scan.config.depth
    if asked is not None:
        return DEPTHS[DepthName(asked)]
    if source_tree.purl is not None:
        return STANDARD
    archive = source_tree.sha256 is not None
    single = archive and any(plan.package for plan in lay_plans(scan, source_tree))
    return STANDARD if single else QUICK


def again(scan: Scan, source_tree: SourceTree, earlier: Round, apart: SeparateLoads, further: int) -> Round:
    """A further round like an earlier one, to load packages apart; ``further`` counts them."""
    plan = _plan_like(scan, source_tree, earlier)
    box_id, folder = (
        f"{earlier.box_id}-n{further}",
        earlier.folder.with_name(f"{earlier.folder.name}-n{further}"),
    )
    return replace(
        earlier, plan=plan, box_id=box_id, folder=folder, record=None, apart=apart, keeps_sources=False
    )


def hurried(scan: Scan, source_tree: SourceTree, earlier: Round, hurry: Hurry) -> Round:
    """A further round like an earlier one, in which time is hurried."""
    record = earlier.record and earlier.record.with_name(
        f"{earlier.record.stem}.hurried{earlier.record.suffix}"
    )
    box_id, folder = f"{earlier.box_id}-h", earlier.folder.with_name(f"{earlier.folder.name}-h")
    plan = _plan_like(scan, source_tree, earlier)
    return replace(
        earlier, plan=plan, box_id=box_id, folder=folder, record=record, hurry=hurry, keeps_sources=False
    )


def encoded(scan: Scan, source_tree: SourceTree, earlier: Round, encoding: Encoding, further: int) -> Round:
    """A further round like an earlier one, in which downloads are answered in an encoding; ``further`` counts them."""
    box_id, folder = (
        f"{earlier.box_id}-e{further}",
        earlier.folder.with_name(f"{earlier.folder.name}-e{further}"),
    )
    plan = _plan_like(scan, source_tree, earlier)
    fresh = replace(earlier, plan=plan, box_id=box_id, folder=folder, record=None, encoding=encoding)
    return replace(fresh, first_world=False, keeps_sources=False)


def _plan_like(scan: Scan, source_tree: SourceTree, earlier: Round) -> Plan:
    """The plan of an earlier round's ecosystem and folder, laid anew, with the lock files that its fetch left."""
    found = lay_plans(scan, source_tree)
    wanted = (earlier.plan.target.ecosystem, earlier.plan.project)
    plan = next(plan for plan in found if (plan.target.ecosystem, plan.project) == wanted)
    plan.take_locks(earlier.plan.frozen)
    return plan


def lay_plans(scan: Scan, source_tree: SourceTree) -> list[Plan]:
    """A fresh plan for each ecosystem: a plan remembers what was found in its box."""
    config = scan.config
    asked = PlanOptions(
        phases=("fetch", *scan.phases),
        phase_timeout=config.phase_timeout,
        fetch_hosts=frozenset(() if config.offline else config.hosts_to_fetch),
        indexes=scan.indexes,
        recursive=scan.options.recursive,
        own_project=scan.options.own_project,
        depth=scan.depth,
        registry_hosts=scan.registry_hosts,
        interpreters=scan.interpreters,
    )
    return scan.planner.lay(source_tree, asked, scan.options.ecosystem)


def _plans_by_world(
    scan: Scan, source_tree: SourceTree, worlds: tuple[World, ...]
) -> Iterator[tuple[World, Plan, list[Plan]]]:
    for world in worlds:
        laid = lay_plans(scan, source_tree)
        for plan in laid:
            yield world, plan, laid


def _round(scan: Scan, plan: Plan, world: World, number: int, only: tuple[bool, bool]) -> Round:
    box_id = scan.id if number == 0 else f"{scan.id}-{number + 1}"
    folder = scan.folder / f"round-{number + 1}"
    record = scan.options.record
    if record is not None and number > 0:
        # One recording holds one box: later ones stand beside the first.
        record = record.with_name(f"{record.stem}.{number + 1}{record.suffix}")
    return Round(plan, world, box_id, folder, record, None, *only)
