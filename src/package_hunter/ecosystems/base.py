"""A plan: what is run of a project, step by step, and what it starts from.

A plan is made from the source tree (before anything ran). What can only be known after the fetch (which
packages have scripts) is asked for then, from the box's own files, and kept: what packages' code writes later
can no longer change what was expected.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from package_hunter.ecosystems.failures import failure
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import HunterError, NothingToScanError
from package_hunter.model.box import HOME
from package_hunter.model.depth import QUICK, Depth
from package_hunter.model.interpreters import Interpreter
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import BoxFile, CommandRun, Coverage, Package, Phase, Target

T = TypeVar("T")
ALL_PHASES = ("fetch", "install", "import")
NO_LOCK = "There is no lock file, so versions were resolved at the time of this scan: they may be others than yours."
_MAX_LOCK_BYTES = 24 << 20
_MAX_WAY = 64  # names on the way from the root to a package
OPTIONAL_PHASES = ("startup", "exercise")


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the user asked for. Times in seconds. ``fetch`` is done in any case, ``startup`` goes with
    import."""

    phases: tuple[str, ...] = ALL_PHASES
    phase_timeout: float = 300.0
    script_timeout: float = 240.0  # a native build on a busy machine takes one or two minutes
    import_timeout: float = 10.0
    exercise_timeout: float = 5.0
    fetch_hosts: frozenset[str] = frozenset()  # from which what no registry has is fetched truly
    # hosts of the Python indexes that this host is set up for, of their files, and the managers' other names for
    # them; None: not known, and what a project names beside them is not judged
    indexes: frozenset[str] | None = None
    # whether the target is what its user works on; not where we made the project ourselves (a part of another)
    own_project: bool = True
    recursive: bool = False  # manifests in folders below are targets of their own
    depth: Depth = QUICK
    registry_hosts: frozenset[str] | None = None  # of every registry of this host, by each of its names
    interpreters: tuple[Interpreter, ...] = ()  # that the box's image has; none: what is on PATH is taken

    def asks(self, phase: str) -> bool:
        """Whether that phase is to be run."""
        return phase == "fetch" or phase in self.phases or (phase == "startup" and "import" in self.phases)


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A project that the unpacker left in ``folder`` (on the host), or a single package still to be fetched
    (``purl``, no folder).

    ``top`` is the one folder that the archive had around everything, ``""`` without one. ``name`` is what a
    person calls it, ``project`` where the box has it.
    """

    name: str
    project: str
    folder: Path | None = None
    top: str = ""
    sha256: str | None = None
    purl: str | None = None
    files: BoxTree | None = None  # how its files are read, where that is not from the folder itself
    root: str = ""  # where the box has the whole folder, where the project is a part of it

    @property
    def tree(self) -> BoxTree:
        """The project's files under the paths that the box has them at (no file at all for a purl)."""
        return self.files or BoxTree(self.folder or Path("/nonexistent"), self.root or self.project)

    def part(self, folder: str) -> SourceTree:
        """A folder of it (its path below the project) as a project of its own, in its place."""
        name, project = f"{self.name}/{folder}", f"{self.project}/{folder}"
        return replace(self, name=name, project=project, root=self.project, top="", sha256=None)


def stage(
    name: str, dest: Path | None = None, top: str = "", sha256: str | None = None, purl: str | None = None
) -> SourceTree:
    """What the pipeline hands to the ecosystems: ``dest`` and ``top`` as the unpacker gave them."""
    folder = dest / top if dest is not None and top else dest
    return SourceTree(name, project_folder("app" if purl else name), folder, top, sha256, purl)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the fetch left: the packages, which of them should be there and are not, and sentences about
    it."""

    packages: tuple[Package, ...] = ()
    missing: tuple[str, ...] = ()  # names that should be there
    expected: int = 0
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()  # names that scripts may ask a registry for beside the packages


class Plan(ABC):
    """What one target needs of a box, in the order of use: ``fetch``, ``after_fetch``, ``later``,
    ``coverage``.

    Attributes: ``target``; ``project`` (its folder in the box); ``plant`` (the host folder to copy there;
    None: an empty one is made); ``files`` to plant after it and ``env`` to set; ``registry`` (what the
    gateway may pass on); ``notes`` (sentences for the report); ``looks_into`` (folders below the project that
    are scanned with it); ``own_scripts`` (scripts of the project itself that run nowhere but where people work on it);
    ``patched`` (files of packages that patch files of the project name);
    ``within`` (the planted folder in the box, where the project is a part of it); ``reasons`` (what cannot be seen of
    it, sentences); ``fetches_alone`` (while it fetches, no code runs but the package manager's own); ``package`` (the
    target is one package, and not a project that asks for some); ``lock_paths`` (where the manager leaves its lock
    files in the box) and ``frozen`` (what lay there after such a fetch: the lock of later boxes).
    """

    target: Target
    options: PlanOptions
    project: str
    plant: Path | None = None
    files: tuple[BoxFile, ...] = ()
    env: Mapping[str, str] = {}
    registry: tuple[RegistryAllow, ...] = ()
    fetches_alone: bool = False
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    looks_into: tuple[str, ...] = ()
    own_scripts: tuple[str, ...] = ()
    patched: frozenset[str] = frozenset()
    within: str = ""
    reasons: tuple[str, ...] = ()
    package: bool = False
    lock_paths: tuple[str, ...] = ()
    frozen: tuple[BoxFile, ...] = ()

    @property
    def root(self) -> str:
        """Where the box has what is planted."""
        return self.within or self.project

    def keep_locks(self, tree: BoxTree) -> None:
        """Take the lock files as the fetch left them, where nothing foreign had a hand in them. Call it before any
        foreign code runs."""
        if self.fetches_alone:
            held = ((path, tree.read(path, _MAX_LOCK_BYTES)) for path in self.lock_paths)
            self.frozen = tuple(BoxFile(path, data) for path, data in held if data is not None)

    def take_locks(self, files: Sequence[BoxFile]) -> None:
        """Start from the lock files that an earlier box's fetch left (``frozen``)."""
        self.files = (*self.files, *files)

    @property
    @abstractmethod
    def fetch(self) -> Phase:
        """Download and unpack every package, running none of their code."""

    @abstractmethod
    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        """Take the inventory, now that no package's code has run yet; then the install phase."""

    def fetch_again(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase | None:
        """The fetch once more, where it missed something for want of another interpreter and the image has that; None
        else. Ask once, after the fetch and before any foreign code runs."""
        return None

    def second_try(self, runs: Sequence[CommandRun]) -> Phase | None:
        """The install once more, where it failed for want of another interpreter and the image has that; None else.
        Ask once, after the install: what failed before it is no longer held against the project."""
        return None

    def learnt(self, tree: BoxTree) -> tuple[Phase, RegistryAllow] | None:
        """What builds in the install turned out to need, which nobody could know before: what may be asked for from
        now on, and how it is installed. None where it is nothing. Ask once, after the install."""
        return None

    @abstractmethod
    def imports(self, tree: BoxTree) -> Phase:
        """The import phase: each direct dependency loaded in a process of its own."""

    def later(self, tree: BoxTree) -> tuple[Phase, ...]:
        """Every phase after the install that was asked for, in order: ``startup`` where the ecosystem has
        one, ``import``, ``exercise``."""
        asked = (self.imports, "import"), (self.exercise, "exercise")
        phases = [make(tree) for make, name in asked if self.options.asks(name)]
        return tuple(phase for phase in phases if phase.commands)

    def exercise(self, tree: BoxTree) -> Phase:
        """What direct dependencies export is called, where the ecosystem knows how (by option only)."""
        return Phase("exercise", ())

    def narrow(self, purl: str) -> Phase | None:
        """Where the load of a package showed something: its own dependencies loaded apart, each in a process
        of its own, to see which of them it is. None where it has none, or the ecosystem cannot. Call
        ``later`` before."""
        return None

    @abstractmethod
    def inventory(self) -> tuple[Package, ...]:
        """The packages of the tree as they were after the fetch (before it: as the lock file lists them)."""

    def without_scripts(self, tree: BoxTree) -> frozenset[str]:
        """The packages (purls) whose manifest, as it lies in ``tree`` now, no longer has the scripts that it had
        after the fetch."""
        return frozenset()

    def failure(self, runs: Sequence[CommandRun]) -> HunterError | None:
        """The error to end with where a single package could not be fetched (unknown: NothingToScanError,
        registry down: UnreachableError); None where the scan goes on to a report. Ask after fetch and
        install.
        """
        return failure(self.target, runs)

    @abstractmethod
    def coverage(self, runs: Sequence[CommandRun]) -> Coverage:
        """What was covered of the plan; the event counts are the caller's to add."""


class NothingAskedError(NothingToScanError):
    """The manifest is sound and asks for nothing."""


class UnsoundError(NothingAskedError):
    """The manifest cannot be read: what it asks for is not known."""


def project_folder(name: str) -> str:
    """Where a project of that name lies in the box: a name that says nothing of scans."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name).strip("-._")
    for ending in (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar", ".zip", ".whl", ".gem"):
        safe = safe.removesuffix(ending)
    return f"{HOME}/projects/{safe[:60] or 'app'}"


def longer_way(way: tuple[str, ...], name: str) -> tuple[str, ...]:
    """A way with one more name; its middle is left out where a hostile tree would make it endless."""
    return (*way, name) if len(way) < _MAX_WAY else (*way[: _MAX_WAY - 2], "…", name)


def in_turn(lists: Iterable[Sequence[T]]) -> list[T]:
    """The first of each, then the second of each, and so on: where time is short, each has its share."""
    rows = zip_longest(*lists, fillvalue=None)
    return [item for row in rows for item in row if item is not None]


@dataclass(slots=True)
class Tally:
    """Collects reasons and notes, each once."""

    reasons: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def reason(self, text: str) -> None:
        """Something makes the scan inconclusive."""
        self.reasons.setdefault(text)

    def note(self, text: str) -> None:
        """Something is worth knowing."""
        self.notes.setdefault(text)
