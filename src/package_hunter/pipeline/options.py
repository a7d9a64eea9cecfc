"""What a user may ask of a scan, and what every step of one scan shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from package_hunter.model.depth import QUICK, Depth, DepthName

if TYPE_CHECKING:
    from package_hunter.config import Settings
    from package_hunter.decoy.spec import Upstream
    from package_hunter.ecosystems.base import SourceTree
    from package_hunter.ecosystems.planner import Planner
    from package_hunter.model.interpreters import Interpreter
    from package_hunter.model.report import Report
    from package_hunter.model.withheld import WithheldFile
    from package_hunter.pipeline.dropped import DroppedFiles
    from package_hunter.rules import Matcher

Say = Callable[[str], None]
Timed = Callable[[str], AbstractContextManager[None]]
"""Around a step of this name: whoever wants to know takes its time."""
HOSTNAME = "devbox"


def untimed(_step: str) -> AbstractContextManager[None]:
    """Nobody wants to know."""
    return nullcontext()


@dataclass(frozen=True)
class ScanOptions:
    """What the user asked for. ``phases`` come after the fetch, which is always done; each world (by name, see
    ecosystems.worlds) is a box of its own; none: those of the depth. ``depth``: None is what the settings say, else
    ``standard`` for a package and ``quick`` for a project. ``on_source`` is shown the unpacked target and the host's
    registries before anything is built; a report that it returns ends the scan. ``settle``: for so many seconds what
    still runs is watched, None: as the settings say. ``hurry``: where something waits for longer, a further box
    hurries its time (docs/sandbox.md, What is left running); None: as the depth says. ``again``: where a process of
    ours died in the middle and the scan stays inconclusive for it, HelperDiedError is raised, for somebody to try it
    again. ``timed`` is told when steps begin and end."""

    ecosystem: str | None = None
    phases: tuple[str, ...] = ("install", "import")
    rule_files: tuple[Path, ...] = ()
    builtin_rules: bool = True
    depth: DepthName | None = None
    worlds: tuple[str, ...] = ()
    record: Path | None = None
    engine: str = ""  # "probe" or "falco"; "": as the settings say
    on_source: Callable[[Scan, SourceTree, Sequence[Upstream]], Report | None] | None = None
    again: bool = False
    recursive: bool = False  # manifests in folders below are targets, too
    own_project: bool = True  # not a project that we made of some packages of another (see PlanOptions)
    settle: float | None = None
    hurry: bool | None = None
    dropped: DroppedFiles | None = None  # where files go that packages left in the boxes; None: nowhere
    timed: Timed = untimed


@dataclass(frozen=True)
class Scan:
    """One scan under way: ``folder`` holds its working files, ``say`` takes words of progress."""

    id: str
    started: int  # ns since the epoch
    deadline: float  # of time.monotonic(), for all boxes together
    folder: Path
    options: ScanOptions
    matcher: Matcher
    config: Settings
    say: Say
    planner: Planner
    withheld: tuple[WithheldFile, ...] = ()  # by their paths in the project
    indexes: frozenset[str] | None = None  # see PlanOptions
    interpreters: tuple[Interpreter, ...] = ()  # see PlanOptions
    registry_hosts: frozenset[str] | None = None  # see PlanOptions
    depth: Depth = QUICK

    @property
    def hurries(self) -> bool:
        """Whether what waits at the end is given a box in which time passes faster."""
        return self.depth.hurried if self.options.hurry is None else self.options.hurry

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases to run after the fetch: those that were asked for, and what the depth adds."""
        asked = self.options.phases
        more = self.depth.exercise and "import" in asked and "exercise" not in asked
        return (*asked, "exercise") if more else asked


def quiet(message: str) -> None:
    """No progress."""
