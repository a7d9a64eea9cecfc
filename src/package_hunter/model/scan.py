"""What a scan asks for, what it ran, and what it covered."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Verdict(enum.StrEnum):
    MALICIOUS = "malicious"
    SUSPICIOUS = "suspicious"
    NO_FINDINGS = "no_findings"
    INCONCLUSIVE = "inconclusive"


class Decision(enum.StrEnum):
    """What a verdict means for whoever asked, grave to mild."""

    BLOCK = "block"
    REVIEW = "review"
    PASS = "pass"

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return _MILD_TO_GRAVE.index(self)


_MILD_TO_GRAVE = (Decision.PASS, Decision.REVIEW, Decision.BLOCK)


class FailOn(enum.StrEnum):
    """The decision from which on a command ends with an error."""

    REVIEW = "review"
    BLOCK = "block"
    NEVER = "never"

    def reached(self, decision: Decision) -> bool:
        """Whether this decision is at or above it."""
        return self is not FailOn.NEVER and decision.rank >= Decision(self.value).rank


class ScanStatus(enum.StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"  # somebody wanted no result any more


@dataclass(frozen=True, slots=True)
class Target:
    """What is scanned. ``purl`` is set for a single package, ``sha256`` for an archive."""

    name: str
    ecosystem: str
    purl: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class BoxFile:
    """A file to plant in the box. ``path`` is absolute in the box; ``owner`` is the box's user, or root for what
    packages must not be able to change. ``pack``: in place of ``content`` the project, packed as its
    package manager takes it."""

    path: str
    content: bytes
    mode: int = 0o644
    mtime: float | None = None
    owner: str = "dev"  # "dev" | "root"
    pack: str = ""  # "" | "tgz" | "tar" | "zip"


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a phase, run in the box as the box's user.

    ``blame_purl`` is the package on whose behalf the command runs (``None``: the package manager itself or the
    project), ``script`` the lifecycle script or step, e.g. ``postinstall``, ``require``. ``timeout`` in seconds.
    ``because_of`` are the files in the box whose change may show in what the command does, first the one that it is
    there for: whoever wrote them is to blame for it. A load that a phase has no time for can be done with others of its
    package in one process: ``together`` is the command line that their ``item``s are added to (empty: it is done alone
    or not at all), ``joined`` how many a command does so.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 120.0
    blame_purl: str | None = None
    script: str | None = None
    essential: bool = True  # a failure makes the phase failed (coverage), not merely noted as behaviour
    within: float | None = None  # only begun while its phase has run for less than so many seconds
    because_of: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    item: str = ""
    joined: int = 0


@dataclass(frozen=True, slots=True)
class Phase:
    """Commands run in order: ``fetch``, ``install``, ``import``, ..."""

    name: str
    commands: tuple[Command, ...]
    world: str = "default"


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A command that was run. ``pid`` is its first process as the host sees it; times in ns since the epoch."""

    phase: str
    world: str
    command: Command
    pid: int
    started_ns: int
    ended_ns: int
    exit_code: int | None  # None: killed at its deadline; -N: signal N
    output_tail: str = ""  # last 16 KiB of stdout and stderr together, untrusted text
    # of one killed at its deadline: for how long its busiest thread ran, and waited for a processor
    ran_seconds: float | None = None
    starved_seconds: float = 0.0
    # the scan's own limit in seconds, where that ended it and not the command's
    scan_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """What a thread waited for when it was looked at. ``what`` is ``timer``, ``signal``, ``data``, ``child``,
    ``lock``, ``work`` (it did not wait) or ``unknown``; ``seconds`` is how long it had been told to wait, or the rest
    of that where only the rest can be seen; None: without end, or not known. ``soonest``: it will not go on by itself
    before so many seconds have passed (0 where that is not known, infinity where only another can wake it)."""

    what: str
    seconds: float | None
    soonest: float
    call: str = ""  # the system call, "" where there is none


@dataclass(frozen=True, slots=True)
class LeftRunning:
    """A process of the box that lived when all were ended. ``cmdline`` as it shows itself (untrusted, at most 4 KiB);
    ``program`` is the path of the file that it runs, as the kernel has it; ``of_image``: those bytes came with the
    box's image, where nothing that runs in the box can write. ``waits`` are its threads' and timers'; ``hurried``:
    the library that hurries time is in its memory."""

    pid: int  # as the host sees it
    time_ns: int
    cmdline: str
    program: str
    of_image: bool
    waits: tuple[Wait, ...] = ()
    hurried: bool = False


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What of the commands lived on. ``since_ns``: from then on what was killed was ended by us, and had not ended
    by itself; None where nothing lived at the end (or the record of processes cannot tell when they ended)."""

    found: tuple[LeftRunning, ...] = ()
    since_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the dependency tree. ``path`` is its folder in the box, ``chain`` the way from the root of
    the tree to it (names, root first, itself last). ``scripts`` are its install-time lifecycle scripts.
    ``places`` are the folders and files that are its own, where ``path`` does not say it all; others may have
    the same ones (model.owners)."""

    purl: str
    name: str
    version: str
    path: str | None = None
    integrity: str | None = None
    chain: tuple[str, ...] = ()
    direct: bool = False
    dev: bool = False
    optional: bool = False
    scripts: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()  # names of what it depends on
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PhaseCoverage:
    """How a phase went. ``status`` is ``ok``, ``failed``, ``timeout`` or ``skipped``; ``seconds`` wall time;
    ``started_ns`` when it began (ns since the epoch), None where it did not, or in reports of before."""

    name: str
    world: str
    status: str
    exit_code: int | None
    seconds: float
    ecosystem: str = ""  # where the target has several
    started_ns: int | None = None


@dataclass(frozen=True, slots=True)
class FailedCommand:
    """A command that ended with an error. ``reason`` is our sentence about why, ``line`` the line of its output that
    tells it, ``output`` the last lines (at most 40, untrusted, made fit to be shown; ecosystems.reasons)."""

    phase: str
    command: str  # its script, or the beginning of its command line
    package: str | None  # a purl; None: the package manager or the project
    exit_code: int | None  # None: stopped at its deadline; -N: signal N
    reason: str
    line: str
    output: tuple[str, ...]
    ecosystem: str = ""  # where the target has several
    world: str = "default"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the scan saw and what it missed; each of ``reasons`` is a sentence, any makes it inconclusive."""

    events: int = 0
    dropped: int = 0
    frozen_seconds: float = 0.0
    phases: tuple[PhaseCoverage, ...] = ()
    packages_expected: int = 0
    packages_installed: int = 0
    scripts_expected: int = 0
    scripts_run: int = 0
    reasons: tuple[str, ...] = ()
    filtered: Mapping[str, int] = field(default_factory=dict)  # events, by type, that no rule asks for
    notes: tuple[str, ...] = ()  # worth knowing, but not making the scan inconclusive
    failed: tuple[FailedCommand, ...] = ()  # the gravest and first of them, a few
