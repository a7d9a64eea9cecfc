"""Plays the host's init (systemd): keeps processes running, each started again a second after it died."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESTART_SECONDS = 1.0
_STOP_SECONDS = 45.0


@dataclass
class Unit:
    """A command to keep running, with its environment; what it says goes to ``log``."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    died: float = field(default=-RESTART_SECONDS)
    starts: int = 0

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        return 0 if self.process is None or self.process.poll() is not None else self.process.pid


class Keeper:
    """Keeps units from ``start`` to ``stop``."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = {unit.name: unit for unit in units}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Start all."""
        self._thread.start()

    def stop(self) -> list[str]:
        """SIGTERM to all; the names of those that had to be killed. May be called again."""
        self._stopping.set()
        self._thread.join()
        alive = [unit for unit in self.units.values() if unit.pid]
        for unit in alive:
            os.kill(unit.pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        slow = []
        for unit in alive:
            assert unit.process is not None
            try:
                unit.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                slow.append(unit.name)
                unit.process.kill()
                unit.process.wait()
        return slow

    def _keep(self) -> None:
        while not self._stopping.wait(0.05):
            for unit in self.units.values():
                self._look(unit)

    def _look(self, unit: Unit) -> None:
        if unit.process is not None and unit.process.poll() is not None:
            unit.process, unit.died = None, time.monotonic()
        if unit.process is None and time.monotonic() >= unit.died + RESTART_SECONDS:
            unit.starts += 1
            with unit.log.open("ab") as log:
                unit.process = subprocess.Popen(unit.command, env=unit.env, stdout=log, stderr=log)
