"""Health says what scans would say: no worker, no image, no probe; and no reason names a path of the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from sqlalchemy import update

from package_hunter.access.roles import Role
from package_hunter.audit.sealer import Sealer
from package_hunter.store.database import now_ms
from package_hunter.store.history_tables import UnsealedRow
from tests.support.access_server import AccessServer
from tests.support.requires import ROOT, needs_root
from tests.support.service_harness import ARCHIVE, free_port, open_folder, running, wait_for

WAITED = "package_hunter_history_unsealed_seconds"


def test_without_a_worker() -> None:
    with open_folder() as folder, running(folder, mode="serve-only") as server:
        health = server.client.get("/api/v1/health").json()
        assert health["status"] == "degraded"
        assert "worker" in health["reason"]
    with open_folder() as folder, running(folder) as server:
        health = wait_for(lambda: (h := server.client.get("/api/v1/health").json())["status"] == "ok" and h)
        assert health
        assert health["reason"] is None


def test_without_an_image_scans_wait_for_a_worker_that_has_one(tmp_path: Path) -> None:
    needs_root()
    port = free_port()
    archive = tmp_path / "t.tgz"
    subprocess.run(["tar", "-C", ROOT / "simulations/falco-test", "-czf", archive, "."], check=True)
    with open_folder() as folder, (folder / "log").open("wb") as log:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PACKAGE_HUNTER_")}
        environment |= {"PACKAGE_HUNTER_DATA_DIR": str(folder), "PACKAGE_HUNTER_DEVELOPMENT": "1"}
        program = Path(sys.executable).parent / "package-hunter"
        command = [program, "serve", "--host", "127.0.0.1", "--port", str(port)]
        with (
            subprocess.Popen(command, env=environment, stderr=log) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client,
        ):
            try:
                health = wait_for(lambda: _health(client), 90)
                assert health["status"] == "degraded"
                assert "image" in health["reason"]
                posted = client.post("/monitor/project/npm", content=archive.read_bytes(), headers=ARCHIVE)
                scan = f"/api/v1/scans/{posted.json()['id']}"
                wait_for(lambda: "no scans are taken here" in (folder / "log").read_text())
                time.sleep(1)  # some looks into the queue
                waiting = client.get(scan).json()
                assert waiting["status"] == "pending"
                assert client.get("/api/v1/health").json()["waiting"] == 1
                report = client.get(f"{scan}/report").text
                for told in (json.dumps(health), json.dumps(waiting), report):
                    assert str(folder) not in told
            finally:
                process.terminate()
        said = (folder / "log").read_text()
        assert str(folder) in said, "whoever runs the server is told"
        assert said.count("no scans are taken here") == 1
        assert "image is missing" in said
        assert "scan started" not in said


def _health(client: httpx.Client) -> dict[str, str]:
    """Once a worker was seen."""
    try:
        found: dict[str, str] = client.get("/api/v1/health").json()
    except httpx.TransportError:
        return {}
    return found if found["worker_seen_seconds"] is not None else {}


def test_a_history_that_nobody_seals_alarms(tmp_path: Path) -> None:
    server = AccessServer(tmp_path)
    server.queue.seen("w")
    token = server.token("watch", (Role.MONITOR, ""))

    def state() -> tuple[str, float]:
        health = server.ask(None, "GET", "/api/v1/health").json()
        figures = server.ask(token, "GET", "/metrics").text
        waited = next(line for line in figures.splitlines() if line.startswith(f"{WAITED} "))
        return f"{health['status']} {health['reason']}", float(waited.split()[1])

    def waits_since(seconds: float) -> None:
        with server.store.write() as session:
            session.execute(update(UnsealedRow).values(time=now_ms() - int(seconds * 1000)))

    waits_since(30)
    assert state()[0] == "ok None"
    waits_since(61)
    told, waited = state()
    assert told == "degraded Changes wait for their seal: the history's sealer does not work."
    assert waited >= 61
    Sealer(server.store, server.settings).seal()
    assert state() == ("ok None", 0.0)
    server.store.close()
