"""Runs a plan on this host, in a scratch folder that stands in for the box: for harmless packages only."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from package_hunter.ecosystems.base import Plan
from package_hunter.ecosystems.python import closed
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import Command, CommandRun, Phase


class HostBox:
    """What the sandbox does for a plan, without any of its walls."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = BoxTree(root)
        (root / "home/dev").mkdir(parents=True)

    def run(self, plan: Plan) -> list[CommandRun]:
        if plan.plant is not None:
            shutil.copytree(plan.plant, self._host(plan.project), symlinks=True)
        for file in plan.files:
            path = self._host(file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        runs = self.phase(plan.fetch)
        if all(run.exit_code == 0 for run in runs if run.command.essential):
            runs += self.phase(plan.after_fetch(self.tree, runs))
            for phase in plan.later(self.tree):
                runs += self.phase(phase)
        return runs

    def phase(self, phase: Phase) -> list[CommandRun]:
        return [self._command(phase, command) for command in phase.commands]

    def _command(self, phase: Phase, command: Command) -> CommandRun:
        started = time.time_ns()
        if closed.SCRIPT in command.argv:  # uv is in the box's image only: pip resolves here
            return CommandRun(phase.name, phase.world, command, os.getpid(), started, started, 127)
        argv = [self._argument(part) for part in command.argv]
        env = {**os.environ, "HOME": str(self.root / "home/dev"), **command.env}
        process = subprocess.Popen(
            argv,
            cwd=self._host(command.cwd),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            out, _ = process.communicate(timeout=command.timeout)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, _ = process.communicate()
            code = None
        return CommandRun(
            phase.name,
            phase.world,
            command,
            process.pid,
            started,
            time.time_ns(),
            code,
            out.decode("utf-8", "replace"),
        )

    def _argument(self, part: str) -> str:
        if part.startswith(("/usr/local/bin/", "/usr/bin/")):
            return Path(part).name  # wherever this host has it
        return str(self._host(part)) if part.startswith(("/home/dev", "/usr/share/")) else part

    def _host(self, path: str) -> Path:
        return self.root / path.lstrip("/")


@pytest.fixture
def host_box(tmp_path: Path) -> HostBox:
    return HostBox(tmp_path / "box")
