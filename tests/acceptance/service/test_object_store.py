"""A server and a worker that share a database and a bucket, and no file; the network to the bucket is cut."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.archives import held
from tests.support.object_store import BUCKET, Line, object_store
from tests.support.service_harness import ARCHIVE, open_folder, running, wait_for


@pytest.fixture
def line() -> Iterator[Line]:
    with object_store() as made:
        yield made


def settings(line: Line, here: Path, keys: Path) -> dict[str, Any]:
    return {
        "database_url": f"sqlite:///{here}/store/store.db",
        "artefacts_url": f"s3://{BUCKET}/hunter",
        "artefacts_endpoint": line.url,
        "artefacts_key_file": str(keys),
        "artefacts_seconds": 2.0,
    }


def archive(size: int) -> bytes:
    """One that says nothing to the made-up scan, of several pieces."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("x")
        info.size = size
        tar.addfile(info, io.BytesIO(bytes(size)))
    return out.getvalue()


def test_nothing_is_shared_but_database_and_bucket(line: Line) -> None:
    with open_folder() as here, open_folder() as there:
        keys = there / "keys"
        keys.write_text("ab" * 32)
        keys.chmod(0o600)  # the server reads it before it gives up its rights
        both = settings(line, here, keys)
        with (
            running(here, "serve-only", fork=False, **both) as server,
            running(there, "worker", fork=False, accounts_too=False, **both),
        ):
            first = server.submit(archive(9 << 20))
            assert server.ended(first, 60)["status"] == "finished"
            assert held(here) == held(there) == []
            wait_for(lambda: line.names("hunter/archive/") == [])
            (report,) = line.names("hunter/report/")
            assert report.endswith(".sealed")
            line.cut()
            answer = server.client.post("/monitor/project/npm", content=b"x", headers=ARCHIVE)
            assert answer.status_code == 503, answer.text
            assert "127.0.0.1" not in answer.text and "artefact store" in answer.text
            assert int(answer.headers["Retry-After"]) > 0
            assert server.client.get("/api/v1/health").status_code == 200
            assert held(here) == []
            line.mend()
            second = server.submit(b"malicious")
            assert server.ended(second, 60)["status"] == "finished"
            assert server.client.get(f"/api/v1/scans/{first}/report").status_code == 200


def test_scans_that_were_taken_wait_out_a_store_that_is_away(line: Line) -> None:
    with open_folder() as here:
        keys = here / "keys"
        keys.write_text("ab" * 32)
        keys.chmod(0o600)
        both = settings(line, here, keys)
        with running(here, "serve-only", fork=False, **both) as server:
            ids = [server.submit(f"sleep {n / 10}".encode()) for n in range(3)]
            line.cut()
            with running(here, "worker", fork=False, **both) as worker:
                wait_for(lambda: worker.log().count("given back") > 3, 60)
                assert {server.status(scan_id)["status"] for scan_id in ids} == {"pending"}
                line.mend()
                assert {server.ended(scan_id, 60)["status"] for scan_id in ids} == {"finished"}


def test_a_result_is_not_lost_to_a_store_that_goes_away(line: Line) -> None:
    with open_folder() as here:
        keys = here / "keys"
        keys.write_text("ab" * 32)
        keys.chmod(0o600)
        both = settings(line, here, keys)
        with running(here, fork=False, **both) as server:
            scan_id = server.submit(b"sleep 2")
            wait_for(lambda: "made-up scan sleeps" in server.log(), 60)
            line.cut()
            assert server.ended(scan_id, 60)["status"] == "finished"
            assert "report kept in the database for now" in server.log()
            report = server.client.get(f"/api/v1/scans/{scan_id}/report")
            assert report.status_code == 200
            line.mend()
