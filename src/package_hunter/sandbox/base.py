"""The port: what the pipeline asks of a sandbox, whichever runtime is behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from package_hunter.model.scan import Command, CommandRun

OnOutput = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class CgroupPaths:
    """The box's cgroups: ``freezer`` (v1, holds freezer.state) or None; ``unified`` (v2, holds cgroup.freeze
    and cgroup.kill) or None; ``procs`` is a directory whose cgroup.procs lists every process of the box."""

    freezer: Path | None
    unified: Path | None
    procs: Path


class Sandbox(Protocol):
    """A box: ``create``, then look at it, ``start``, ``run`` ..., ``destroy``. All raise SandboxError."""

    def create(self) -> None:
        """Build everything; the first process exists and is blocked: nothing untrusted has run."""
        ...

    def start(self) -> None:
        """Let the first process go on; returns when it takes commands."""
        ...

    def run(
        self, command: Command, phase: str, world: str = "default", on_output: OnOutput | None = None
    ) -> CommandRun:
        """Run one command to its end or its deadline (then every process but the box's first is killed)."""
        ...

    def alive(self) -> list[tuple[int, str]]:
        """Host pid and (untrusted) name of each process in the box but the first."""
        ...

    def destroy(self) -> None:
        """End every process and remove every trace; may be called at any time and twice."""
        ...
