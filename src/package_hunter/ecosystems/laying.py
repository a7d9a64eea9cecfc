"""Plan: what to fetch, install and load, by each ecosystem that a project belongs to.

``base.stage`` describes what came in, ``lay`` lays it out; a scan has that done in a child without rights
(``planner``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from package_hunter.ecosystems import elsewhere
from package_hunter.ecosystems.base import (
    NothingAskedError,
    Plan,
    PlanOptions,
    SourceTree,
    UnsoundError,
)
from package_hunter.ecosystems.checkout import git_files
from package_hunter.ecosystems.interface import Ecosystem
from package_hunter.ecosystems.known import ecosystems
from package_hunter.ecosystems.repack import pack
from package_hunter.errors import NothingToScanError, UsageError
from package_hunter.model.ecosystem import names
from package_hunter.model.scan import BoxFile

__all__ = ["lay", "plans", "preload", "ready"]


def plans(source_tree: SourceTree, options: PlanOptions, ecosystem: str | None = None) -> list[Plan]:
    """What ``lay`` gives, ready for the box; in this process, with all its rights: for what is trusted. A scan
    uses ``planner``."""
    return [ready(plan, source_tree) for plan in lay(source_tree, options, ecosystem)]


def preload() -> None:
    """What plans read of this program itself, before a child is forked that may not."""
    for one in ecosystems():
        one.planning().preload()


def lay(source_tree: SourceTree, options: PlanOptions, ecosystem: str | None = None) -> list[Plan]:
    """A plan for each ecosystem that the project belongs to (``ecosystem``: only that one, by its name or a
    manager's, such as ``yarn``); with ``options.recursive`` for each of its folders below, too. One whose manifest asks
    for nothing is a note, where there is another; one that cannot be read makes the scan inconclusive. Raises
    NothingToScanError where there is none."""
    chosen = [one for one in ecosystems() if ecosystem is None or one.facts.called(ecosystem)]
    if not chosen:
        known = ", ".join(sorted(names()))
        raise UsageError(f"There is no ecosystem “{ecosystem}”.", f"Known are {known}.")
    recursive = options.recursive and source_tree.folder is not None
    found, empty = _lay_here(source_tree, options, chosen)
    if recursive:
        below = elsewhere.Below(source_tree, [folder for plan in found for folder in plan.looks_into])
        for part in below.parts():
            plans, nothing = _lay_here(part, options, chosen)
            below.take(part, [folder for plan in plans for folder in plan.looks_into])
            found += plans
            empty += nothing
    if not found:
        raise empty[0] if empty else _nothing(source_tree)
    unsound = [error.message for error in empty if isinstance(error, UnsoundError)]
    asks_nothing = [error.message for error in empty if not isinstance(error, UnsoundError)]
    found[0].notes = (*found[0].notes, *asks_nothing)
    found[0].reasons = (*found[0].reasons, *unsound)
    if recursive:
        found[0].reasons = (*found[0].reasons, *below.left_out())
    elif found[0].plant is not None:
        seen = [folder for plan in found for folder in plan.looks_into]
        found[0].notes += elsewhere.note(source_tree.tree, source_tree.project, seen)
    return found


def _lay_here(
    source_tree: SourceTree, options: PlanOptions, chosen: Sequence[Ecosystem]
) -> tuple[list[Plan], list[NothingAskedError]]:
    """The plans for one folder, and why there is none for an ecosystem whose manifest asks for nothing."""
    found: list[Plan] = []
    empty: list[NothingAskedError] = []
    for item in [item for one in chosen if (item := one.planning()).recognise(source_tree)]:
        try:
            plan = item.plan(source_tree, options)
        except NothingAskedError as error:
            empty.append(error)
            continue
        if source_tree.root:
            plan.within, plan.target = source_tree.root, replace(plan.target, name=source_tree.name)
        found.append(plan)
    return found, empty


def _nothing(source_tree: SourceTree) -> NothingToScanError:
    """Why a project has no plan at all: what lies below is named."""
    below = elsewhere.manifests(source_tree.tree, source_tree.project) if source_tree.folder else []
    if below:
        return NothingToScanError(
            f"{source_tree.name} holds nothing to install at its top. There are manifests below: "
            f"{elsewhere.some(below)}.",
            "Scan them all with --recursive, or give the folder of one.",
        )
    return NothingToScanError(
        f"{source_tree.name} holds nothing to install: no manifest was found at its top.",
        "Give the folder (or an archive of it) that holds the manifest, or a purl such as pkg:npm/NAME.",
    )


def ready(plan: Plan, source_tree: SourceTree) -> Plan:
    """The plan with the files that are made of the project's own files: archives, and a git repository around a planted
    project, as on a developer's machine. Their content is copied, not looked at."""
    plan.files = tuple(_packed(file, source_tree) for file in plan.files)
    if plan.plant is not None:
        tracked = {
            name: content
            for name in source_tree.tree.names(source_tree.project)[:50]
            if (content := source_tree.tree.read(f"{source_tree.project}/{name}", 256 << 10)) is not None
        }
        plan.files = (*git_files(source_tree.project, tracked, time.time()), *plan.files)
    return plan


def _packed(file: BoxFile, source_tree: SourceTree) -> BoxFile:
    if not file.pack or source_tree.folder is None:
        return file
    return replace(file, content=pack(source_tree.folder, file.pack), pack="")
