"""Who only reads is served where nothing can be written: a full disk, a locked store."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.requires import needs_root
from tests.support.service_harness import ARCHIVE, Running, open_folder, running


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def everything_read(server: Running, scan: str) -> dict[str, int]:
    """Statuses of all that reads: a login that was never seen, and one whose verification is over."""
    paths = [f"/?id={scan}", f"/api/v1/scans/{scan}", "/api/v1/scans", "/metrics", "/api/v1/health"]
    paths.append(f"/api/v1/scans/{scan}/report")
    token = {"Authorization": f"Bearer {server.token}"}
    found = {}
    with httpx.Client(base_url=server.client.base_url, trust_env=False, timeout=60, headers=token) as client:
        for path in paths:
            found[f"token {path}"] = client.get(path).status_code
            found[f"user {path}"] = server.client.get(path, timeout=60).status_code
    return {path: status for path, status in found.items() if status != 200}


def why(answer: httpx.Response) -> str:
    """What a refusal says: a problem document's detail, or the original's reason."""
    told: dict[str, str] = answer.json()
    return told["detail"] if "instance" in told else told["reason"]


def is_unavailable(answer: httpx.Response, folder: Path) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert why(answer)
    assert str(folder) not in answer.text


def test_on_a_full_disk(folder: Path) -> None:
    needs_root()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder], check=True)
    try:
        with running(folder, min_free_bytes=0, credential_cache_seconds=0) as server:
            scan = server.submit(b"malicious")
            server.ended(scan)
            (folder / "log").symlink_to(server.log_path)  # it lies on the same disk
            with (
                (folder / "ballast").open("wb", buffering=0) as ballast,
                pytest.raises(OSError, match="space"),
            ):
                while True:
                    ballast.write(bytes(4096))
            assert everything_read(server, scan) == {}
            for _ in range(3):
                is_unavailable(
                    server.client.post("/monitor/project/npm", content=b"x" * 9_000, headers=ARCHIVE), folder
                )
                is_unavailable(server.client.post("/api/v1/scans", json={"purl": "pkg:npm/x"}), folder)
            assert server.client.get("/metrics", auth=("ana", "wrong one")).status_code == 401  # it is logged
            assert everything_read(server, scan) == {}
            (folder / "ballast").unlink()
            assert server.ended(server.submit(b"x"), 40)["status"] == "finished"
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_after_a_restart_on_a_full_disk(folder: Path) -> None:
    """SQLite cannot even make the files then that it needs for reading."""
    needs_root()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder], check=True)
    try:
        with running(folder, min_free_bytes=0) as server:
            scan = server.submit(b"malicious")
            server.ended(scan)
            token = server.token
        with (folder / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="space"):
            while True:
                ballast.write(bytes(4096))
        environment = {"PACKAGE_HUNTER_DATA_DIR": str(folder), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        program = Path(sys.executable).parent / "package-hunter"
        listed = subprocess.run([program, "user", "list"], env=environment, capture_output=True, text=True)
        assert (listed.returncode, "ana" in listed.stdout) == (0, True), listed.stderr
        added = subprocess.run(
            [program, "token", "add", "x"], env=environment, capture_output=True, text=True
        )
        assert added.returncode == 70
        assert "disk is full" in added.stderr
        with running(folder, fork=False, min_free_bytes=0) as server:
            server.token = token
            assert everything_read(server, scan) == {}
            is_unavailable(server.client.post("/api/v1/scans", json={"purl": "pkg:npm/x"}), folder)
            (folder / "ballast").unlink()
            assert server.ended(server.submit(b"x"), 60)["status"] == "finished"
            assert everything_read(server, scan) == {}
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
connection.execute("INSERT INTO workers (name, seen) VALUES ('lock', 1)")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-c", _LOCK, str(folder / "store/store.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield
        process.communicate()


def test_while_another_process_writes_for_long(folder: Path) -> None:
    with running(folder, mode="serve-only", credential_cache_seconds=0) as server:
        scan = server.submit(b"x")
        with locked(folder):
            assert set(everything_read(server, scan).values()) == {409}  # a pending scan has no report
            answer = server.client.post("/monitor/project/npm", content=b"x", headers=ARCHIVE)
            is_unavailable(answer, folder)
            assert "locked" in why(answer)
        assert server.client.post("/api/v1/scans", json={"purl": "pkg:npm/x"}).status_code == 202


def test_a_store_that_is_broken_is_503_wherever_it_is_asked(folder: Path) -> None:
    """Also where credentials are checked, before any route."""
    with running(folder, mode="serve-only", credential_cache_seconds=0) as server:
        scan = server.submit(b"x")
        database = sqlite3.connect(folder / "store/store.db")
        for table in ("users", "tokens", "scans", "jobs"):
            database.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        database.close()
        for path in (f"/?id={scan}", "/api/v1/scans", "/metrics", "/api/v1/health", "/no/such"):
            is_unavailable(server.client.get(path), folder)
        headers = {"Authorization": f"Bearer {server.token}"}
        is_unavailable(
            httpx.get(f"{server.client.base_url}/metrics", headers=headers, trust_env=False), folder
        )
