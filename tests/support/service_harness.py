"""Real servers for tests: a fresh data directory, `service_fake.py` as a subprocess, real HTTP."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx

from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.store import accounts
from tests.support import service_fake

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = {"Content-Type": "application/octet-stream"}
USER, PASSWORD = "ana", "correct horse"
T = TypeVar("T")


def wait_for(what: Callable[[], T], seconds: float = 90.0) -> T:
    """The first true value that ``what`` gives."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Forked:
    """`service_fake.main` in a fork of this process: as good as a fresh one, without a second of imports."""

    def __init__(self, arguments: list[str], environment: dict[str, str], stderr: int) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 70
            try:
                os.dup2(stderr, 2)
                sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
                os.environ.clear()
                os.environ.update(environment)
                code = service_fake.main(arguments)
            except HunterError as error:
                print(error, file=sys.stderr)
                code = error.exit_code
            finally:
                os._exit(code)

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float = 30.0) -> int:
        """The exit code; AssertionError where it does not end."""
        wait_for(lambda: self.poll() is not None, timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """As os.kill, while it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Running:
    """A server process (and its children) on a data directory."""

    def __init__(
        self,
        data_dir: Path,
        mode: str = "serve",
        fork: bool = True,
        accounts_too: bool = True,
        port: int | None = None,
        **settings: Any,
    ) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PACKAGE_HUNTER_")}
        environment |= {"PACKAGE_HUNTER_DATA_DIR": str(data_dir)}
        environment |= {f"PACKAGE_HUNTER_{k.upper()}": str(v) for k, v in settings.items()}
        self.settings = Settings(data_dir=data_dir, **settings)
        store = open_store(self.settings)
        with store.write() as session:
            self.token: str | None = None
            if accounts_too and not accounts.any_account(session):
                accounts.add_user(session, USER, PASSWORD)
                self.token = accounts.add_token(session, "ci")
        store.close()
        self.log_path = data_dir / f"server-{self.port}.log"
        with self.log_path.open("wb") as log:
            command = [sys.executable, "-m", "tests.support.service_fake", mode, str(self.port)]
            self.process: Forked | subprocess.Popen[bytes] = (
                Forked(command[3:], environment, log.fileno())
                if fork
                else subprocess.Popen(command, env=environment, stderr=log, cwd=ROOT)
            )
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", auth=(USER, PASSWORD), timeout=30, trust_env=False
        )
        wait_for(lambda: "worker started" in self.log() if mode == "worker" else self._answers(), 90)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/api/v1/health").status_code == 200
        return False

    def log(self) -> str:
        """What it said so far."""
        return self.log_path.read_text()

    def submit(self, body: bytes, manager: str = "npm") -> str:
        """Submit in the original's way; the id."""
        answer = self.client.post(f"/monitor/project/{manager}", content=body, headers=ARCHIVE)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "ok"
        return str(answer.json()["id"])

    def status(self, scan_id: str) -> dict[str, Any]:
        """The original's answer."""
        answer = self.client.get("/", params={"id": scan_id})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, scan_id: str, seconds: float = 90.0) -> dict[str, Any]:
        """The original's answer, once it is not ``pending``."""

        def look() -> dict[str, Any] | None:
            found = self.status(scan_id)
            return None if found["status"] == "pending" else found

        found = wait_for(look, seconds)
        assert found is not None
        return found

    def children(self) -> dict[str, int]:
        """Process ids by name (``server``, ``worker-1``), the latest of each."""
        import json

        found = {}
        for line in self.log().splitlines():
            if '"process started"' in line:
                entry = json.loads(line)
                found[entry["process"]] = entry["pid"]
        return found

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM, and the exit code."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """Make sure that nothing is left."""
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the server's user can reach (pytest's own are closed to others)."""
    folder = Path(tempfile.mkdtemp(prefix="package-hunter-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def running(data_dir: Path, mode: str = "serve", fork: bool = True, **more: Any) -> Iterator[Running]:
    """A server for one block; ``fork=False``: a fresh interpreter. ``more``: settings, and what `Running` takes."""
    server = Running(data_dir, mode, fork, **more)
    try:
        yield server
        if server.process.poll() is None:
            assert server.stop() == 0, server.log()
    finally:
        server.kill()
