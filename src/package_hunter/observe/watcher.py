"""The port: what a round asks of whoever watches its box, our own probe or a Falco that runs already.

with watcher:                     # what takes long is ready before there is a box
    ...                           # the box is created: its first process is blocked
    watcher.attach(box)
    ...                           # the gateway opens
    with watcher.begin():         # from here on nothing goes by unseen
        ...                       # the box is started
        watcher.confirm()
        ...                       # the phases run, the box is killed
        result = watcher.finish(runs)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from package_hunter.model.box import BoxSpec
from package_hunter.model.observation import Observation
from package_hunter.model.scan import CommandRun
from package_hunter.sandbox import RuncSandbox


@dataclass(frozen=True, slots=True)
class WatchSpec:
    """What is to be watched, and how much of it is kept. ``driver`` begins the command line of our own spawn in the
    box, ``canaries`` maps paths there to canary ids, ``names`` is the gateway's table of addresses. Working files
    lie in ``folder``; ``record`` is where the recording goes."""

    scan_id: str
    target: str
    box: BoxSpec
    driver: str
    canaries: Mapping[str, str]
    names: Path
    folder: Path
    record: Path | None
    fetches_alone: bool  # see ecosystems.base.Plan
    ring_bytes: int
    max_alerts: int
    max_records: int


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What a watcher says of a box that is gone. ``reasons`` are sentences about what it could not see."""

    observation: Observation
    reasons: tuple[str, ...] = ()
    dropped: int = 0  # events
    filtered: Mapping[str, int] = field(default_factory=dict)  # events that stayed in the kernel, by type
    by_falco: bool = False  # known from alerts alone: no births, and no end of any process
    fault: str = ""  # the sentence of what failed through a fault of ours


class Watcher(Protocol):
    """Watches one box, once. A context: what it needs is made ready at its begin, and gone at its end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def attach(self, box: RuncSandbox) -> None:
        """Learn which box it is: created, and nothing untrusted has run."""
        ...

    def begin(self) -> AbstractContextManager[None]:
        """Watch from now on; what still watches at the context's end is ended without being asked."""
        ...

    def confirm(self) -> None:
        """Make sure that the box is watched, once it takes commands. UnreachableError where it is not."""
        ...

    def finish(self, runs: Sequence[CommandRun]) -> WatchResult:
        """Everything that was seen of a box that was killed. ``runs`` are the commands that ran in it."""
        ...
