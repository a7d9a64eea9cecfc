"""A real `package-hunter serve` with a real worker: nothing of it is made up."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from package_hunter.config import Settings
from tests.support.service_harness import free_port, open_folder, wait_for


@dataclass(frozen=True)
class Server:
    """A running `package-hunter serve` in development mode."""

    url: str
    log: Path
    data_dir: Path

    def stacks(self) -> str:
        """What it said so far, and where each of its processes is."""
        for line in self.log.read_text().splitlines():
            if '"process started"' in line:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(json.loads(line)["pid"], signal.SIGUSR2)
        time.sleep(1.0)
        return self.log.read_text()[-20_000:]


@contextlib.contextmanager
def served(**environment: str) -> Iterator[Server]:
    """One for a block, with these variables beside its own."""
    with open_folder() as folder:
        for name in ("image", "probe", "cache"):  # built once, used by all
            shared = Settings().data_dir / name
            shared.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(shared)
        own = {"PACKAGE_HUNTER_DATA_DIR": str(folder), "PACKAGE_HUNTER_DEVELOPMENT": "1"}
        port = free_port()
        program = str(Path(sys.executable).parent / "package-hunter")
        with (folder / "log").open("wb") as log:
            command = [program, "serve", "--port", str(port)]
            process = subprocess.Popen(command, env={**os.environ, **own, **environment}, stderr=log)
        try:
            try:
                wait_for(lambda: _answers(port), 120)
            except AssertionError as error:
                raise AssertionError((folder / "log").read_text()[-3000:]) from error
            yield Server(f"http://localhost:{port}", folder / "log", folder)
        finally:
            process.terminate()
            code = process.wait(60)
        assert code == 0, (folder / "log").read_text()[-3000:]


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://localhost:{port}/api/v1/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
