"""429 and 503, development mode, and starting where one cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.archives import held
from tests.support.requires import needs_root
from tests.support.service_harness import ARCHIVE, open_folder, running


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def test_too_many_at_once_and_too_often(folder: Path) -> None:
    limits = {"max_pending_scans": 2, "submissions_per_minute": 4, "failed_logins_per_minute": 3}
    with running(folder, mode="serve-only", **limits) as server:

        def post() -> httpx.Response:
            return server.client.post("/monitor/project/npm", content=b"x", headers=ARCHIVE)

        assert [post().status_code for _ in range(3)] == [200, 200, 429]
        refused = post()
        assert "2 scans are waiting already." in refused.json()["reason"]
        assert int(refused.headers["retry-after"]) >= 1
        package = {"purl": "pkg:npm/x"}
        assert server.client.post("/api/v1/scans", json=package).status_code == 429
        bad = [server.client.get("/metrics", auth=("ana", str(n))).status_code for n in range(5)]
        assert bad == [401, 401, 401, 429, 429]
        assert server.client.get("/metrics").status_code == 200  # who was verified is not locked out


def test_a_queue_that_stands_still(folder: Path) -> None:
    with running(folder, mode="serve-only", queue_stalled_seconds=0.2) as server:
        first = server.submit(b"x")
        time.sleep(0.3)
        answer = server.client.post("/monitor/project/npm", content=b"x", headers=ARCHIVE)
        assert answer.status_code == 503
        assert answer.json()["reason"] == "No worker is running, and scans wait."
        with running(folder, mode="worker"):
            assert server.ended(first)["status"] == "finished"
            server.submit(b"x")


def test_a_disk_without_room(folder: Path) -> None:
    with running(folder, min_free_bytes=1 << 60) as server:
        answer = server.client.post("/monitor/project/npm", content=b"x", headers=ARCHIVE)
        assert answer.status_code == 503
        assert "too full" in answer.json()["reason"]
        assert not held(folder)


def test_a_disk_that_fills_up_while_an_archive_comes_in(folder: Path) -> None:
    needs_root()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], check=True)
    try:
        with running(folder, min_free_bytes=0) as server:

            def chunks() -> Iterator[bytes]:
                for _ in range(80):
                    yield b"x" * 100_000

            answer = server.client.post("/monitor/project/npm", content=chunks(), headers=ARCHIVE)
            assert answer.status_code == 503
            assert answer.json()["reason"] == "The disk is full."
            assert not held(folder)
            assert server.ended(server.submit(b"x"))["status"] == "finished"
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_store_that_breaks_is_503_and_heals(folder: Path) -> None:
    with running(folder, mode="serve-only") as server:
        scan_id = server.submit(b"x")
        store = folder / "store"
        away = folder / "away"
        (store / "store.db").rename(away)
        (store / "store.db").write_bytes(b"")
        # connections that are open keep the old file: only new ones see the empty one
        answers = {server.client.get(f"/api/v1/scans/{scan_id}").status_code for _ in range(3)}
        assert answers <= {200, 503}
        away.rename(store / "store.db")
        assert server.status(scan_id)["status"] == "pending"


def test_development_asks_nobody_and_stays_at_home(folder: Path) -> None:
    with running(folder, development="1") as server:
        open_client = httpx.Client(base_url=server.client.base_url, trust_env=False)
        with open_client:
            assert open_client.get("/api/v1/scans").status_code == 200
            rebound = open_client.get("/api/v1/scans", headers={"Host": "evil.example"})
            assert rebound.status_code == 403
            assert open_client.get("/api/v1/scans", headers={"Host": "[::1]:3000"}).status_code == 200
            submitted = open_client.post("/monitor/project/npm", content=b"x", headers=ARCHIVE)
            assert submitted.status_code == 200


def _serve(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [str(Path(sys.executable).parent / "package-hunter"), "serve", "--no-worker", *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PACKAGE_HUNTER_")}
    return subprocess.run(
        program, env=clean | environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_development_is_not_offered_to_others(folder: Path) -> None:
    environment = {"PACKAGE_HUNTER_DATA_DIR": str(folder), "PACKAGE_HUNTER_DEVELOPMENT": "1"}
    done = _serve(environment, "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "asks no credentials" in done.stderr


def test_a_port_that_is_taken(folder: Path) -> None:
    with running(folder) as server:
        done = _serve(
            {"PACKAGE_HUNTER_DATA_DIR": str(folder)}, "--host", "127.0.0.1", "--port", str(server.port)
        )
    assert done.returncode == 70
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_directory_that_the_server_s_user_cannot_reach(folder: Path) -> None:
    needs_root()
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    done = _serve({"PACKAGE_HUNTER_DATA_DIR": str(closed / "data")}, "--port", "0")
    assert done.returncode == 2
    assert "chmod o+x" in done.stderr


def test_code_that_the_server_s_user_cannot_read(folder: Path) -> None:
    """As in a checkout under /root: everything is loaded before rights are given up."""
    needs_root()
    import shutil

    import package_hunter

    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(Path(package_hunter.__file__).parent, closed / "package_hunter")
    os.environ["PYTHONPATH"] = str(closed)
    try:
        with running(folder / "data", fork=False) as server:
            assert server.ended(server.submit(b"malicious"))["status"] == "finished"
            assert server.client.get("/api/v1/scans?limit=x").status_code == 400
            assert server.client.get("/metrics").status_code == 200
            assert "Permission" not in server.log()
    finally:
        del os.environ["PYTHONPATH"]


def test_guesses_over_http_are_limited_and_keep_nobody_out(folder: Path) -> None:
    """Twenty at once, at a known name and at names that are nobody's, while others work."""
    limits = {"failed_logins_per_minute": 5, "credential_cache_seconds": 0.05}
    with running(folder, mode="serve-only", **limits) as server:
        url = f"{server.client.base_url}/api/v1/scans"
        token = {"Authorization": f"Bearer {server.token}"}
        good = [server.client.get("/api/v1/scans").status_code]

        def guess(n: int) -> tuple[str, int]:
            name = "ana" if n % 2 else f"nobody{n}"
            return name[:3], httpx.get(
                url, auth=(name, f"guess {n}"), trust_env=False, timeout=60
            ).status_code

        with ThreadPoolExecutor(20) as pool:
            guesses = pool.map(guess, range(60))
            for _ in range(20):
                good.append(server.client.get("/api/v1/scans").status_code)
                good.append(httpx.get(url, headers=token, trust_env=False).status_code)
            found = Counter(guesses)
        assert set(good) == {200}
        assert found["ana", 401] <= 5
        assert found["nob", 401] <= 5
        assert found["ana", 401] + found["ana", 429] == 30
        assert found["nob", 401] + found["nob", 429] == 30
