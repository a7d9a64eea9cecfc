"""A worker is told from afar to take no more: by the command line, as whoever runs an upgrade does it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from package_hunter.cli import asking
from package_hunter.cli import workers as cli
from package_hunter.errors import UsageError
from tests.support.service_harness import Running, open_folder, running, wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(autouse=True)
def _here(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "settings", lambda: server.settings)
    monkeypatch.delenv("PACKAGE_HUNTER_SERVER", raising=False)


def workers(server: Running, *words: str) -> Any:
    """The command, in this process: starting one takes longer than a scan, on a busy machine."""
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "json" in words else done.output


def only(server: Running) -> dict[str, Any]:
    (one,) = workers(server, "list", "--format", "json")["items"]
    return dict(one)


def pending(server: Running, scan_id: str) -> bool:
    return bool(server.client.get(f"/api/v1/scans/{scan_id}").json()["status"] == "pending")


def test_what_runs_ends_and_nothing_more_is_taken(server: Running) -> None:
    first = server.submit(b"sleep 8")
    wait_for(lambda: '"scan started"' in server.log())
    name = only(server)["name"]
    said = workers(server, "drain", name.rpartition("/")[2], "--why", "a new kernel")
    assert "takes no more scans" in said, said
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
    done = CliRunner().invoke(cli.app, ["drain", "nobody"])
    assert isinstance(done.exception, UsageError) and "no worker of the name" in str(done.exception)
