"""Killing the server or the worker in the middle: no accepted scan is lost."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, update

from package_hunter.store.database import Store
from package_hunter.store.models import JobRow, Scan
from tests.support.archives import held
from tests.support.service_harness import Running, open_folder, running, wait_for


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def _running_scan(server: Running) -> None:
    wait_for(lambda: '"scan started"' in server.log())


def test_a_killed_worker_is_replaced_and_the_scan_runs_again(folder: Path) -> None:
    with running(folder) as server:
        scan_id = server.submit(b"sleep 1.5")
        _running_scan(server)
        os.kill(server.children()["worker-1"], signal.SIGKILL)
        assert server.ended(scan_id)["status"] == "finished"
        assert '"taken_back": 1' in server.log()
        assert '"attempt": 2' in server.log()


def test_a_scan_that_kills_its_worker_every_time_fails_with_that_reason(folder: Path) -> None:
    with running(folder, max_attempts=2, dead_letter_seconds=0) as server:
        scan_id = server.submit(b"sleep 30")
        for attempt in (1, 2):
            wait_for(lambda n=attempt: f'"attempt": {n},' in server.log())
            os.kill(server.children()["worker-1"], signal.SIGKILL)
        found = server.ended(scan_id)
        assert found["status"] == "failed"
        assert found["reason"] == "The worker died during this scan, 2 times: given up."
        assert wait_for(lambda: not held(folder), 90)


def test_a_killed_server_is_replaced_while_the_scan_goes_on(folder: Path) -> None:
    with running(folder) as server:
        scan_id = server.submit(b"sleep 2")
        _running_scan(server)
        first = server.children()["server"]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: server.children()["server"] != first)

        def answers() -> bool:
            try:
                return server.status(scan_id)["status"] in ("pending", "finished")
            except httpx.TransportError:
                return False

        wait_for(answers)
        assert server.ended(scan_id)["status"] == "finished"
        assert '"attempt": 2' not in server.log()


def test_everything_killed_at_once_and_started_again(folder: Path) -> None:
    with running(folder) as server:
        scan_ids = [server.submit(b"sleep 5"), server.submit(b"malicious")]
        _running_scan(server)
        children = server.children()
        server.process.kill()
        for pid in children.values():
            with contextlib.suppress(ProcessLookupError):  # it ended with the supervisor: so much the better
                os.kill(pid, signal.SIGKILL)
        server.process.wait()
    assert sorted(p.read_bytes() for p in held(folder)) == [b"malicious", b"sleep 5"]
    with running(folder) as server:
        assert server.status(scan_ids[0])["status"] in ("pending", "finished")  # known, and no failure
        assert [server.ended(i)["status"] for i in scan_ids] == ["finished", "finished"]


def test_the_children_end_with_a_killed_supervisor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GRACE", "0.3")
    with running(folder) as server:
        server.submit(b"sleep 30")
        _running_scan(server)
        children = server.children()
        server.process.kill()
        server.process.wait()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children.values()))
    assert server.process.returncode == -signal.SIGKILL


def test_sigterm_lets_a_short_scan_end_and_gives_a_long_one_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GRACE", "2")
    with running(folder) as server:
        scan_id = server.submit(b"sleep 1")
        _running_scan(server)
        assert server.stop() == 0
        assert '"how": "finished"' in server.log()
    with running(folder) as server:
        assert server.status(scan_id)["status"] == "finished"
        long = server.submit(b"hang")
        _running_scan(server)
        assert server.stop() == 0
        assert '"how": "given back"' in server.log()
    with running(folder, mode="serve-only") as server:
        info = server.client.get(f"/api/v1/scans/{long}").json()
        assert (info["status"], info["started"]) == ("pending", None)


def test_workers_apart_from_their_server(folder: Path) -> None:
    with running(folder, mode="serve-only") as server:
        scan_ids = [server.submit(b"sleep 6"), server.submit(b"sleep 6 other")]
        assert server.client.get("/api/v1/health").json()["status"] == "degraded"
        with running(folder, mode="worker", workers=2) as workers:
            wait_for(lambda: workers.log().count('"scan started"') == 2)
            assert '"scan ended"' not in workers.log(), "at the same time"
            assert [server.ended(i)["status"] for i in scan_ids] == ["finished", "finished"]
            assert server.client.get("/api/v1/health").json()["status"] == "ok"


def test_a_scan_that_hangs_fails_and_the_next_one_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_OVERTIME", "0.5")
    with running(folder, scan_timeout=0.5) as server:
        hanging, next_one = server.submit(b"hang"), server.submit(b"x")
        found = server.ended(hanging)
        assert found["status"] == "failed"
        assert found["reason"] == "The scan hung: it went on long after its time limit."
        assert server.ended(next_one)["status"] == "finished"


def test_a_worker_that_lost_its_lease_breaks_off(folder: Path) -> None:
    with running(folder, lease_seconds=1.0) as server:
        scan_id = server.submit(b"hang")
        _running_scan(server)
        store = Store(server.settings)
        with store.write() as session:
            session.execute(delete(JobRow))
            session.execute(update(Scan).values(status="failed", reason="An administrator ended it."))
        store.close()
        wait_for(lambda: '"how": "lost to another worker"' in server.log())
        assert server.status(scan_id)["reason"] == "An administrator ended it."
        assert server.ended(server.submit(b"x"))["status"] == "finished"


def test_a_long_scan_keeps_its_lease(folder: Path) -> None:
    # Beats come each half second. A busy machine held one up by 0.4 s, with or without the sealer at work; a lease of
    # less than a second would then be lost now and again, and that would say nothing of the heart.
    with running(folder, lease_seconds=2.0, workers=2) as server:
        scan_id = server.submit(b"sleep 5")
        assert server.ended(scan_id)["status"] == "finished"
        assert '"attempt": 2' not in server.log()
