"""Signals from what the sensor saw beside the rules: fake secrets read, processes left behind, commands that
never ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from package_hunter.findings.catalog import Class, kinds
from package_hunter.findings.context import Context
from package_hunter.findings.from_network import secret_label
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Process
from package_hunter.model.scan import Package

_DONE = {"mode": "given another mode", "created": "written"}
OUTLIVED_NS = 500_000_000  # shorter is a child that is just being waited for
# programs that read credential files of their own; they count only where they were installed with the system
_SYSTEM = ("/usr/", "/opt/")
_OWN_FILES = {
    "npm": ("/.npmrc",),
    "lifecycle.js": ("/.npmrc",),  # our own script that lets npm run one lifecycle script
    "wget": ("/.netrc",),
    "curl": ("/.netrc",),
    "git": ("/.git-credentials", "/.gitconfig", "/.netrc"),
    "pip": ("/.netrc", "/.pypirc", "/.config/pip"),
    "gem": ("/.gem/credentials", "/.gemrc"),
    "ssh": ("/.ssh/",),
}


def _program(process: Process) -> str:
    """The program that runs: of an interpreter the script, where that belongs to the system too."""
    if not process.exepath.startswith(_SYSTEM):
        return ""
    words = process.cmdline.split()
    name = PurePosixPath(process.exepath).name
    if not name.startswith(("node", "python", "ruby")) or len(words) < 2:
        return name
    if words[1:3] == ["-m", "pip"]:
        return "pip"
    return PurePosixPath(words[1]).name if words[1].startswith(_SYSTEM) else ""


def _owner_reads(process: Process | None, path: str) -> bool:
    """Whether the program that reads the file is the one that it is for."""
    program = _program(process) if process else ""
    owner = next((o for o in _OWN_FILES if program.startswith(o)), None)
    return owner is not None and any(part in path for part in _OWN_FILES[owner])


def _reads(context: Context) -> Iterator[Signal]:
    for read in context.observation.canary_reads:
        process = context.processes.get(read.process)
        if _owner_reads(process, read.path):
            continue
        canary = context.canaries.get(read.canary)
        label = secret_label(canary.kind) if canary else "secret"
        who = process.cmdline[:200] if process else "a process"
        yield Signal(
            time_ns=read.time_ns,
            kind="credential_access",
            weight=kinds()["credential_access"].weight,
            subject=read.path,
            what=f"{who} read {read.path} ({label})",
            blame=read.blame or context.blame_of(read.process, read.time_ns),
            process=read.process,
            data={"path": read.path, "kind": label},
        )


def _detached(context: Context) -> Iterator[Signal]:
    """Processes that went on after the one that started them had ended."""
    for process in context.processes.values():
        parent = context.processes.get(process.parent) if process.parent is not None else None
        if parent is None or parent.ended_ns is None:
            continue
        if process.ended_ns is None or process.ended_ns - parent.ended_ns > OUTLIVED_NS:
            yield Signal(
                time_ns=parent.ended_ns,
                kind="detached",
                weight=Class.INFO,
                subject=process.name,
                what=f"{process.cmdline[:200]} ran on after {parent.cmdline[:100]} had ended",
                blame=context.blame_of(process.key, parent.ended_ns),
                process=process.key,
            )


def _hangs(context: Context) -> Iterator[Signal]:
    """Phases that were killed at their deadline."""
    for phase in context.coverage.phases:
        if phase.status != "timeout":
            continue
        yield Signal(
            time_ns=max((p.started_ns for p in context.processes.values()), default=0),
            kind="hang",
            weight=kinds()["hang"].weight,
            subject=phase.name,
            what=f"The phase {phase.name} was stopped after {phase.seconds:.0f} s",
            blame=None,
            data={"phase": phase.name, "world": phase.world, "seconds": phase.seconds},
        )


def _package_files(context: Context) -> Iterator[Signal]:
    """A package's run that changed its own manifest or scripts, or files of another package."""
    folders = sorted(
        ((p.path.rstrip("/") + "/", p) for p in context.packages.values() if p.path), reverse=True
    )
    for change in context.observation.files:
        owner = next((p for folder, p in folders if change.path.startswith(folder)), None)
        blame = context.blame_of(change.process, change.time_ns) if owner else None
        if owner is None or blame is None or blame.package is None or blame.confidence == "tree":
            continue
        if owner.purl == blame.package:
            kind = "self_cleaning" if _is_trace(change.path, owner) and blame.phase != "fetch" else None
        else:
            nested = context.packages.get(blame.package)
            inside = nested is not None and nested.path and nested.path.startswith(f"{owner.path}/")
            kind = None if inside else "package_tampering"
        if kind is not None:
            yield Signal(
                time_ns=change.time_ns,
                kind=kind,
                weight=kinds()[kind].weight,
                subject=change.path,
                what=f"{change.path} was {_DONE.get(change.action, change.action)}",
                blame=blame,
                process=change.process,
                data={"path": change.path, "action": change.action, "owner": owner.purl},
            )


def _is_trace(path: str, package: Package) -> bool:
    """Whether the file is the package's manifest, or one that its install scripts name."""
    inner = path.removeprefix(f"{(package.path or '').rstrip('/')}/")
    if inner == "package.json":
        return True
    name = PurePosixPath(inner).name
    return any(name in command.replace("/", " ").split() for command in package.scripts.values())


def signals(context: Context) -> Iterator[Signal]:
    """Everything of the host side that is no alert."""
    yield from _reads(context)
    yield from _detached(context)
    yield from _hangs(context)
    yield from _package_files(context)
