"""`scan --changed-only BASE`: a small project made of the packages that another lock file has not.

They are its direct dependencies, at the versions of the new lock file, so each is installed and loaded by
itself; what they need in turn is held at the new lock file's versions where the manager can (npm's overrides).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.ecosystems.base import SourceTree
from package_hunter.ecosystems.interface import Planning
from package_hunter.ecosystems.known import ecosystems
from package_hunter.ecosystems.locked import LockFile, Pin, changed, lock_file
from package_hunter.ecosystems.planner import in_child
from package_hunter.errors import UsageError
from package_hunter.model.report import Report
from package_hunter.model.scan import Decision, ScanStatus, Target, Verdict
from package_hunter.policy.rejudge import rejudge

_MAX_LOCK = 24 << 20
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Change:
    """What changed, as a project to scan (``folder``; None where nothing did)."""

    name: str
    lock: LockFile
    changed: tuple[Pin, ...]
    elsewhere: tuple[Pin, ...]  # of those that changed, the ones that no registry has
    folder: Path | None

    def finish(self, report: Report) -> Report:
        """The report with what it is about, and what of the change it left out."""
        note = "No package's version changed, so nothing was run."
        if self.changed:
            names = ", ".join(f"{p.name} {p.version}" for p in self.changed[:_SHOWN])
            more = f" and {len(self.changed) - _SHOWN} more" if len(self.changed) > _SHOWN else ""
            note = f"Only what changed was scanned: {names}{more}. The rest of {self.lock.name} was not."
        reasons = [*report.coverage.reasons, *self._left_out(), *self._other_bytes(report)]
        coverage = replace(report.coverage, reasons=tuple(reasons), notes=(note, *report.coverage.notes))
        about = replace(report, target=replace(report.target, name=self.name), coverage=coverage)
        return rejudge(about)

    def nothing(self, now: int) -> Report:
        """A report of nothing run, for `finish`."""
        return Report(
            id="nothing-changed",
            target=Target(self.name, self.lock.ecosystem),
            started=now,
            finished=now,
            status=ScanStatus.FINISHED,
            verdict=Verdict.NO_FINDINGS,
            decision=Decision.PASS,
        )

    def _left_out(self) -> list[str]:
        if not self.elsewhere:
            return []
        names = ", ".join(p.name for p in self.elsewhere[:_SHOWN])
        return [f"These changed too, but no registry has them, so they need a whole scan: {names}."]

    def _other_bytes(self, report: Report) -> list[str]:
        """Packages of which other bytes came than the lock file promises."""
        promised = {p.purl: p.integrity for p in self.changed if p.integrity}
        wrong = [
            p.name
            for p in report.packages
            if p.integrity and p.purl in promised and not _agree(p.integrity, promised[p.purl] or "")
        ]
        names = ", ".join(wrong[:_SHOWN])
        return [f"The registry sent other bytes than {self.lock.name} promises: {names}."] if wrong else []


def _agree(one: str, other: str) -> bool:
    """Whether two integrity texts share a digest, or cannot be compared."""
    mine, theirs = set(one.split()), set(other.split())
    kinds = {d.partition("-")[0] for d in mine} & {d.partition("-")[0] for d in theirs}
    return not kinds or bool(mine & theirs)


@contextlib.contextmanager
def change(target: str, base: Path) -> Iterator[Change]:
    """The packages of ``target``'s lock file that ``base`` (a lock file, or a folder with one) has not.

    UsageError: no folder, no lock file, or two that cannot be compared.
    """
    folder = Path(target)
    if target.startswith("pkg:") or not folder.is_dir():
        raise UsageError("--changed-only needs a folder as target.", "Give the project's folder.")
    new = _lock(folder, "The project")
    old = _base(base, new)
    differing = changed(old.packages, new.packages)
    here = tuple(p for p in differing if p.registry)
    elsewhere = tuple(p for p in differing if not p.registry)
    name = folder.resolve().name or "project"
    with tempfile.TemporaryDirectory(prefix="package-hunter-changed-") as scratch:
        project = Path(scratch) / name
        project.mkdir()
        if here:
            _planning(new.ecosystem).project_of(project, here, new.packages)
        yield Change(name, new, here, elsewhere, project if here else None)


def _lock(folder: Path, whose: str) -> LockFile:
    found = _read(folder)
    if found is None or not found.packages:
        raise UsageError(
            f"{whose} ({folder}) has no lock file that can be read.",
            "Make one (npm install, poetry lock, bundle lock; npm's of version 2 or later), or scan the whole.",
        )
    return found


def _base(base: Path, new: LockFile) -> LockFile:
    """The other lock file: in its folder, or a file of any name that is of the same kind."""
    if base.is_dir():
        return _same_kind(_lock(base, "The base"), new)
    if not base.is_file():
        raise UsageError(f"There is no {base}.", "Give a lock file, or a folder with one.")
    if base.stat().st_size > _MAX_LOCK:
        raise UsageError(f"{base} is larger than {_MAX_LOCK} bytes.", "Give a lock file.")
    with tempfile.TemporaryDirectory(prefix="package-hunter-base-") as scratch:
        shutil.copyfile(base, Path(scratch) / new.name)
        found = _read(Path(scratch))
    if found is None:
        raise UsageError(f"{base} cannot be read as a {new.name}.", "Give a lock file of the same kind.")
    return _same_kind(found, new)


def _read(folder: Path) -> LockFile | None:
    """The lock file of a folder. Root reads nobody's file by itself; a user can only harm that user."""
    source_tree = SourceTree("the lock file", "/project", folder)
    if os.geteuid() != 0:
        return lock_file(source_tree.tree, source_tree.project)
    return in_child(source_tree, lambda seen: lock_file(seen.tree, seen.project), LockFile | None)


def _same_kind(old: LockFile, new: LockFile) -> LockFile:
    if old.ecosystem != new.ecosystem:
        raise UsageError(
            f"{old.name} and {new.name} are of different package managers.", "Compare lock files of one kind."
        )
    return old


def _planning(ecosystem: str) -> Planning:
    return next(one for one in ecosystems() if one.facts.name == ecosystem).planning()
