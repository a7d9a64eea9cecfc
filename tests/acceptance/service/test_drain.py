"""A worker is told from afar to take no more: by the command line, as whoever runs an upgrade does it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hunter import hunt
from tests.support.service_harness import Running, open_folder, running, wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder) as made:
        yield made


def workers(server: Running, *words: str) -> Any:
    done = hunt("workers", *words, env={**os.environ, "PACKAGE_HUNTER_DATA_DIR": str(server.data_dir)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "json" in words else done.stdout + done.stderr


def only(server: Running) -> dict[str, Any]:
    (one,) = workers(server, "list", "--format", "json")
    return dict(one)


def pending(server: Running, scan_id: str) -> bool:
    return bool(server.client.get(f"/api/v1/scans/{scan_id}").json()["status"] == "pending")


def test_what_runs_ends_and_nothing_more_is_taken(server: Running) -> None:
    first = server.submit(b"sleep 8")
    wait_for(lambda: '"scan started"' in server.log())
    name = only(server)["name"]
    said = workers(server, "drain", name.rpartition("/")[2], "--why", "a new kernel")
    assert "takes no more scans" in said
    second = server.submit(b"x")
    assert server.ended(first, 60)["status"] == "finished"
    wait_for(lambda: '"no more scans are taken"' in server.log())
    time.sleep(1.0)
    assert pending(server, second)
    shown = only(server)
    assert (shown["state"], shown["free"], shown["name"]) == ("drained", 0, name)
    assert "drained" in workers(server, "show", name)
    workers(server, "drain", name, "--undo")
    assert server.ended(second, 60)["status"] == "finished"


def test_what_does_not_end_in_time_is_given_back(server: Running) -> None:
    scan_id = server.submit(b"hang")
    wait_for(lambda: server.log().count('"scan started"') == 3)
    name = only(server)["name"]
    workers(server, "drain", name, "--seconds", "0.5")
    wait_for(lambda: '"how": "given back"' in server.log(), 60)
    assert pending(server, scan_id)
    assert only(server)["state"] == "drained"


def test_a_name_that_nobody_has(server: Running) -> None:
    environment = {**os.environ, "PACKAGE_HUNTER_DATA_DIR": str(server.data_dir)}
    done = hunt("workers", "drain", "nobody", env=environment)
    assert done.returncode == 2 and "no worker of the name" in done.stderr
