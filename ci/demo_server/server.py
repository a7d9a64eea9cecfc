"""`package-hunter serve` on the data folder, as somebody would start it by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from ci.demo_server.client import wait_for
from ci.demo_server.plan import ANA

from package_hunter.errors import HostError
from package_hunter.queue.supervisor import die_with_parent

HUNT = Path(sys.executable).parent / "package-hunter"
_START_SECONDS, _STOP_SECONDS = 600.0, 60.0
_SETTINGS = {
    "WORKERS": "2",
    "RECORDINGS_BYTES": str(1 << 30),  # so that proposed rules can be tried
    "MIN_FREE_BYTES": str(64 << 20),
}


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]


@contextmanager
def serving(folder: Path, port: int, password: str) -> Iterator[Server]:
    """For one block; ``password`` is that of the first account, made before anybody can ask. HostError: it ended."""
    environment = _environment(folder)
    _first_account(environment, password)
    log = folder / "server.log"
    parent = os.getpid()
    with log.open("ab") as out:
        process = subprocess.Popen(
            [HUNT, "serve", "--port", str(port)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is ours to pass on, once
            preexec_fn=lambda: die_with_parent(parent),  # no thread runs yet
        )
    try:
        server = Server(f"http://localhost:{port}", log, process)
        wait_for(lambda: _answers(server), _START_SECONDS, f"the server answers; see {log}")
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_SECONDS)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PACKAGE_HUNTER_")}
    own = {f"PACKAGE_HUNTER_{name}": value for name, value in _SETTINGS.items()}
    return {**kept, **own, "PACKAGE_HUNTER_DATA_DIR": str(folder)}


def _first_account(environment: dict[str, str], password: str) -> None:
    """Who makes all others; nothing to do where it is there."""
    roles = [word for role, _ in ANA.roles for word in ("--role", role)]
    command = [HUNT, "user", "add", ANA.name, *roles, "--why", ANA.who]
    done = subprocess.run(
        command, input=password + "\n", env=environment, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0 and "already" not in done.stderr:
        raise HostError("The first account could not be made.", done.stderr[-1000:])


def _answers(server: Server) -> bool | None:
    if server.process.poll() is not None:
        raise HostError("The server did not start.", server.log.read_text(errors="replace")[-1500:])
    try:
        health = httpx.get(f"{server.url}/api/v1/health", trust_env=False)
    except httpx.TransportError:
        return None
    return True if health.status_code == 200 else None
