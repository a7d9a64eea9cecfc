"""Clocks that jump: each of server and workers has a wall clock of its own, by a library that is loaded into it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ci.faults.deployment import Deployment, Shape
from ci.faults.row import Row
from ci.faults.scenario import Stage, disturbed

UNITS = ("server", "worker-1", "worker-2")
JUMPS = (-86_400.0, -7_200.0, -60.0, -2.0, 2.0, 90.0, 3_600.0, 86_400.0)  # seconds, from what the machine has


class Clock:
    """A unit's wall clock; ``env`` is what its process needs."""

    def __init__(self, library: Path, page: Path) -> None:
        self._page = page
        page.write_bytes(bytes(8))
        self.env = {"LD_PRELOAD": str(library), "FAULTS_CLOCK": str(page)}

    def jump(self, seconds: float) -> None:
        """From now on it differs by so many seconds from the machine's."""
        with self._page.open("r+b") as file:
            file.write(int(seconds * 1e9).to_bytes(8, "little", signed=True))


def library(folder: Path) -> Path:
    """The compiled library."""
    made = folder / "clock.so"
    compiler = shutil.which("cc") or shutil.which("clang") or "cc"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return made


def jumping(stage: Stage) -> Row:
    """One of them jumps every now and then; most of the time all three differ."""
    made = library(stage.folder)
    clocks = {name: Clock(made, stage.folder / f"clock-{name}") for name in UNITS}
    shape = Shape(env={name: clock.env for name, clock in clocks.items()})
    return disturbed(stage, lambda stage, made, going: _jump(stage, made, clocks, going), shape)


def _jump(stage: Stage, made: Deployment, clocks: Mapping[str, Clock], going: Callable[[], bool]) -> int:
    times = 0
    while going() and time.monotonic() < stage.deadline:
        clocks[stage.random.choice(UNITS)].jump(stage.random.choice(JUMPS))
        times += 1
        made.let_end(stage.random.randint(1, 3), going)
        stage.pause(0.0, 2.0)
    return times
