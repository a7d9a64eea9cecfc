"""The same server on PostgreSQL: a scan, a killed worker, accounts."""

from __future__ import annotations

import os
import signal

from tests.support.service_harness import open_folder, running, wait_for
from tests.support.service_postgres import postgres


def test_the_server_on_postgresql() -> None:
    with postgres() as url, open_folder() as folder, running(folder, database_url=url) as server:
        assert not (folder / "store" / "store.db").exists()
        first = server.submit(b"malicious")
        assert len(server.ended(first)["result"]) == 1
        second = server.submit(b"sleep 1.5")
        wait_for(lambda: server.client.get(f"/api/v1/scans/{second}").json()["status"] == "running")
        os.kill(server.children()["worker-1"], signal.SIGKILL)
        assert server.ended(second)["status"] == "finished"
        assert '"attempt": 2' in server.log()
        assert server.client.get(f"/api/v1/scans/{first}/report?format=json").json()["alerts"]
        assert server.client.get("/metrics").status_code == 200
        assert server.client.get("/metrics", auth=("a\0na", "x" * 9)).status_code == 401
