"""What a box is known by from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

OnOutput = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class CgroupPaths:
    """The box's cgroups: ``freezer`` (v1, holds freezer.state) or None; ``unified`` (v2, holds cgroup.freeze
    and cgroup.kill) or None; ``procs`` is a directory whose cgroup.procs lists every process of the box."""

    freezer: Path | None
    unified: Path | None
    procs: Path
