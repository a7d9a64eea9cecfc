"""Signals from what the sensor saw beside the rules: fake secrets read, processes left behind, commands that
never ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from package_hunter.findings import own_patches
from package_hunter.findings.catalog import Class, kinds
from package_hunter.findings.context import Context
from package_hunter.findings.from_network import secret_label
from package_hunter.findings.meaning import is_document, is_runner
from package_hunter.findings.own_starts import is_manager
from package_hunter.findings.signals import Signal, reads_settings
from package_hunter.findings.traces import removes_traces
from package_hunter.model.box import HOME
from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.observation import Blame, FileChange, Process
from package_hunter.model.owners import names
from package_hunter.model.scan import CommandRun, Package

_OWN_SETTINGS = (
    "In its favour: it is the project's own settings file, which programs load to configure themselves, and "
    "nothing of it was seen leaving."
)
_CACHED = "In its favour: the Python interpreter writes such files for every module that it imports."
_DONE = {"mode": "given another mode", "created": "written"}
_LOST = {"written": "opened for overwriting", "deleted": "deleted", "renamed": "moved away"}
OUTLIVED_NS = 500_000_000  # shorter is a child that is just being waited for
# programs whose use is that another goes on when its starter ends
_DETACHERS = ("nohup ", "setsid ", "start-stop-daemon ", "daemonize ", "systemd-run ")
BUSY = 0.5  # of the time of a command that was stopped: less is a program that waits
WORKED = 0.4  # of its deadline: less may be a slow program on a busy machine
_MAX_OWNERS = 16  # of one file, named
MANY_FILES = 3  # of the user, destroyed by one package: fewer may be a mistake
# where users keep what is theirs; the box plants files there
_USERS_OWN = tuple(
    f"{HOME}/{name}/" for name in ("Documents", "Desktop", "Pictures", "Downloads", ".ssh", ".gnupg")
)
# what tools add lines to: written, it is persistence or a log (findings/startup.py tells which), and nothing is lost;
# the record does not tell adding to a file from emptying it
_ADDED_TO = re.compile(
    rf"{HOME}/\.ssh/(config(\.d/.+)?|authorized_keys2?|known_hosts2?|rc|environment)|{HOME}/\.gnupg/[^/]+\.conf"
)
_FLAGS = re.compile(r"-[bBdEiIOPqsSuv]+")  # Python's that take no argument
_PROJECT_SETTINGS = re.compile(rf"{HOME}/projects/[^/]+/\.env(\.[a-z]+)?")
# programs that read credential files of their own; they count only where they were installed with the system
_SYSTEM = ("/usr/", "/opt/")
_OWN_FILES = {
    "wget": ("/.netrc",),
    "curl": ("/.netrc",),
    "git": ("/.git-credentials", "/.gitconfig", "/.netrc"),
    "ssh": ("/.ssh/",),
}


@derived
def _own_files(known: tuple[Facts, ...]) -> Mapping[str, tuple[str, ...]]:
    """What a program's name begins with -> parts of the paths of its own files; package managers' first."""
    managers = {name: paths for one in known for name, paths in one.reads.items()}
    return {**managers, **_OWN_FILES}


@derived
def _interpreters(known: tuple[Facts, ...]) -> tuple[str, ...]:
    return tuple(name for one in known for name in one.interpreters)


@derived
def _modules(known: tuple[Facts, ...]) -> Mapping[str, str]:
    """A manager that is a module of its interpreter -> pattern of the script that it starts itself by."""
    return {name: script for one in known for name, script in one.runs_as.items()}


@derived
def _fetched(known: tuple[Facts, ...]) -> Mapping[str, str]:
    """A manager out of the registry -> pattern of its script."""
    return {name: script for one in known for name, script in one.fetched_as.items()}


def _program(process: Process, phase: str = "") -> str:
    """The program that runs: of an interpreter the script, where that belongs to the system too."""
    if not process.exepath.startswith(_SYSTEM):
        return ""
    words = _without_flags(process.cmdline.split())
    name = PurePosixPath(process.exepath).name
    if not name.startswith(_interpreters()) or len(words) < 2:
        return name
    for module, script in _modules().items():
        if words[1:3] == ["-m", module] or re.fullmatch(script, words[1]):
            return module
    if phase == "fetch":
        for manager, script in _fetched().items():
            if re.fullmatch(script, words[1]):
                return manager
    return PurePosixPath(words[1]).name if words[1].startswith(_SYSTEM) else ""


def _without_flags(words: list[str]) -> list[str]:
    """An interpreter's command line without the flags (-I, -sP) before its script or module."""
    first = next((at for at, word in enumerate(words[1:], 1) if not _FLAGS.fullmatch(word)), len(words))
    return [*words[:1], *words[first:]]


def owner_reads(process: Process | None, path: str, phase: str = "") -> bool:
    """Whether the program that reads the file is the one that it is for."""
    program, own = _program(process, phase) if process else "", _own_files()
    owner = next((name for name in own if program.startswith(name)), None)
    return owner is not None and any(part in path for part in own[owner])


def manager_reads(process: Process | None, path: str, phase: str) -> bool:
    """Whether it is a manager that the fetch took out of the registry, reading settings of its own while it fetches."""
    fetched = phase == "fetch" and process is not None and _program(process, phase) in _fetched()
    return fetched and owner_reads(process, path, phase)


def _reads(context: Context) -> Iterator[Signal]:
    for read in context.observation.canary_reads:
        process = context.processes.get(read.process)
        if owner_reads(process, read.path, read.blame.phase if read.blame else ""):
            continue
        canary = context.canaries.get(read.canary)
        label = secret_label(canary.kind) if canary else "secret"
        who = process.cmdline[:200] if process else "a process"
        own = _PROJECT_SETTINGS.fullmatch(read.path) is not None
        yield Signal(
            time_ns=read.time_ns,
            kind="credential_access",
            weight=kinds()["credential_access"].weight if not own else Class.INFO,
            subject=read.path,
            what=f"{who} read {read.path} ({label})",
            blame=read.blame or context.blame_of(read.process, read.time_ns),
            process=read.process,
            data={"path": read.path, "kind": label},
            facts={"content": not is_document(read.path), "settings": reads_settings(read.path)},
            explain=(_OWN_SETTINGS,) if own else (),
        )


def _detached(context: Context) -> Iterator[Signal]:
    """Processes that went on for a while after the one that started them had ended, or were started so that
    they can: by nohup and the like, however soon they end."""
    for process in context.processes.values():
        parent = context.processes.get(process.parent) if process.parent is not None else None
        if parent is None or is_runner(process, context):
            continue
        made_to = any(line.startswith(_DETACHERS) for line in (*process.execs, process.cmdline))
        left = parent.ended_ns
        outlived = left is not None and (process.ended_ns is None or process.ended_ns - left > OUTLIVED_NS)
        if not (made_to or outlived):
            continue
        time_ns = left if outlived and left is not None else process.started_ns
        how = (
            f"ran on after {parent.cmdline[:100]} had ended" if outlived else "was detached from its terminal"
        )
        yield Signal(
            time_ns=time_ns,
            kind="detached",
            weight=Class.INFO,
            subject=process.name,
            what=f"{process.cmdline[:200]} {how}",
            blame=context.blame_of(process.key, time_ns),
            process=process.key,
        )


def _hangs(context: Context) -> Iterator[Signal]:
    """Phases that were killed at their deadline, where no more than that is known of them."""
    for phase in context.coverage.phases:
        if phase.status != "timeout" or not _untold(context, phase.name):
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


def _untold(context: Context, phase: str) -> bool:
    """Whether its commands do not tell if it worked or waited (then ``_loops`` judges), or that the scan's time was
    over, which is nobody's doing."""
    mine = [run for run in context.runs if run.phase == phase]
    stopped = [run for run in mine if run.exit_code is None and run.scan_seconds is None]
    return not mine or any(run.ran_seconds is None for run in stopped)


def _loops(context: Context) -> Iterator[Signal]:
    """Commands of a package that kept the processor busy until they were stopped."""
    for run in context.runs:
        seconds = (run.ended_ns - run.started_ns) / 1e9
        if run.exit_code is not None or run.ran_seconds is None or run.command.joined:
            continue
        wanted = run.ran_seconds + run.starved_seconds
        if wanted < BUSY * seconds or run.ran_seconds < WORKED * _allowed(run):
            continue
        step = f"{run.command.script or 'command'} of {run.command.blame_purl or 'the project'}"
        yield Signal(
            time_ns=run.ended_ns,
            kind="hang",
            weight=kinds()["hang"].weight,
            subject=f"{run.phase} {run.command.script or ''}".strip(),
            what=f"{step} worked without end and was stopped after {seconds:.0f} s",
            blame=_blame_of_run(context, run),
            data={
                "phase": run.phase,
                "world": run.world,
                "seconds": seconds,
                "ran_seconds": run.ran_seconds,
            },
        )


def _allowed(run: CommandRun) -> float:
    """The seconds that a command could have had; one that the scan's end cut short need not be endless."""
    return min(run.command.timeout, run.scan_seconds or run.command.timeout)


def _blame_of_run(context: Context, run: CommandRun) -> Blame | None:
    process = context.first_of(run)
    return context.blame_of(process.key, run.started_ns) if process else None


def _destroyed(context: Context) -> Iterator[Signal]:
    """The user's files, put there before the package came, overwritten or deleted: several are no mistake. Lines that
    are added to settings are no loss."""
    lost: dict[str | None, dict[str, FileChange]] = {}
    own: set[str] = set()
    for change in context.observation.files:
        if not change.path.startswith(_USERS_OWN):
            continue
        if change.action == "created":
            own.add(change.path)
        elif change.action in _LOST and change.path not in own and not _is_added_to(change):
            blame = context.blame_of(change.process, change.time_ns)
            lost.setdefault(blame.package if blame else None, {}).setdefault(change.path, change)
    for changes in lost.values():
        weight = Class.PROOF if len(changes) >= MANY_FILES else Class.SUSPICIOUS
        for change in changes.values():
            yield Signal(
                time_ns=change.time_ns,
                kind="destruction",
                weight=weight,
                subject=change.path,
                what=f"{change.path}, a file of the user, was {_LOST[change.action]}",
                blame=context.blame_of(change.process, change.time_ns),
                process=change.process,
                data={"path": change.path, "action": change.action},
            )


def _is_added_to(change: FileChange) -> bool:
    return change.action == "written" and _ADDED_TO.fullmatch(change.path) is not None


def _package_files(context: Context) -> Iterator[Signal]:
    """A package's run that changed its own manifest or scripts, or files of another package."""
    for change in context.observation.files:
        having = context.owners.of(change.path)
        blame = context.blame_of(change.process, change.time_ns) if having else None
        if not having or blame is None or blame.package is None or blame.confidence == "tree":
            continue
        if is_manager(change.process, context):
            continue  # it puts packages where they belong
        own = next((p for p in having if p.purl == blame.package), None)
        together = own is not None and len(context.owners.brought_by(change.path)) > 1
        if own is not None and not together:
            kind = (
                "self_cleaning" if removes_traces(change, own, context) and blame.phase != "fetch" else None
            )
        else:
            mild = _is_inside(context, blame.package, having) or _takes_its_own(
                context, change, having, blame.package
            )
            kind = None if mild else "package_tampering"
        if kind is not None:
            cache = kind == "package_tampering" and _bytecode_cache(context, change)
            yield Signal(
                time_ns=change.time_ns,
                kind=kind,
                weight=kinds()[kind].weight if not cache else Class.INFO,
                subject=change.path,
                what=f"{change.path} was {_DONE.get(change.action, change.action)}",
                blame=blame if not together else _unsure(blame, having),
                process=change.process,
                data={
                    "path": change.path,
                    "action": change.action,
                    "owner": ", ".join(p.purl for p in having[:_MAX_OWNERS]),
                },
                explain=(_CACHED,) if cache else (),
            )


def _is_inside(context: Context, purl: str, having: tuple[Package, ...]) -> bool:
    """Whether the package lies in the folder of one that has the file: then it is that one's own part."""
    nested = context.packages.get(purl)
    if nested is None or not nested.path:
        return False
    return any(p.purl != purl and p.path and nested.path.startswith(f"{p.path}/") for p in having)


def _takes_its_own(context: Context, change: FileChange, having: tuple[Package, ...], purl: str) -> bool:
    """Whether it moved a file between its own folder and that of a dependency that nobody else in the tree has: a
    program for this system that comes as a package of its own (bun)."""
    doer = context.packages.get(purl)
    if change.action != "renamed" or doer is None or not doer.path or not change.other_path:
        return False
    if not any(end.startswith(f"{doer.path}/") for end in (change.path, change.other_path)):
        return False
    names = {package.name for package in having}
    others = (name for other in context.packages.values() if other.purl != purl for name in other.requires)
    return names <= set(doer.requires) and names.isdisjoint(others)


def _unsure(blame: Blame, having: tuple[Package, ...]) -> Blame:
    """Less sure, where the doer brought a file of that name itself."""
    basis = f"{blame.basis} The file is one that {names(having)} all brought."
    return replace(blame, confidence="likely", basis=basis)


def _bytecode_cache(context: Context, change: FileChange) -> bool:
    """Whether Python put what it compiled beside its source, as it does with whatever it imports."""
    process = context.processes.get(change.process)
    python = process is not None and re.match(r"/usr/(local/)?bin/python3", process.exepath)
    return bool(python) and re.search(r"/__pycache__(/[^/]+[.]pyc([.]\d+)?)?$", change.path) is not None


def signals(context: Context) -> Iterator[Signal]:
    """Everything of the host side that is no alert."""
    yield from _reads(context)
    yield from _detached(context)
    yield from _hangs(context)
    yield from _loops(context)
    yield from _destroyed(context)
    yield from own_patches.soften(_package_files(context), context)
