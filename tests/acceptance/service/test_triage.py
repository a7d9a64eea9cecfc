"""A running server: a scan becomes a finding, the policies decide, a person decides, the clock submits what is due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.serve import open_store
from package_hunter.governance import policies
from package_hunter.store import members, places
from package_hunter.store.finding_tables import ScanResultRow
from package_hunter.store.members import Place
from package_hunter.store.policy_tables import PolicyRow
from tests.support.service_harness import USER, Running, open_folder, running, wait_for

BY = Actor("test", "test")


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def _finished(server: Running, scan: str) -> bool:
    return bool(server.client.get(f"/api/v1/scans/{scan}").json()["status"] == "finished")


def test_from_a_scan_to_a_decision(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKAGE_HUNTER_CLOCK_SECONDS", "0.3")
    file = folder / "policy.toml"
    file.write_text('[verdicts]\nsuspicious = "block"\n')
    file.chmod(0o600)  # whom the server runs as cannot read it: it was read before
    with running(folder, policy_file=file) as server:
        scan = server.submit(b"finding")
        wait_for(lambda: _finished(server, scan))
        [found] = server.client.get("/api/v1/findings").json()["items"]
        assert (found["state"], found["decision"], found["last_scan"]) == ("needs_triage", "block", scan)
        url = f"/api/v1/findings/{found['id']}"
        false = {"state": "false_positive", "reason": "stated_purpose"}
        assert server.client.put(f"{url}/state", json=false).status_code == 403, "a developer triages nothing"
        store = open_store(server.settings)
        with store.write() as session:
            legacy = Place(project=places.project_at(session, EVERYTHING, "legacy"))
            members.give(session, USER, Role.ANALYST, legacy, BY)
            schedule = {"name": "often", "cron": "* * * * *", "targets": ["pkg:npm/left-pad"]}
            policies.put(session, BY, legacy, {"schedule": [schedule]})
            session.execute(update(PolicyRow).values(time=1))
        store.close()
        assert server.client.put(f"{url}/state", json=false).json()["decision"] == "pass"
        again = server.submit(b"finding")
        wait_for(lambda: _finished(server, again))
        after = server.client.get(url).json()
        assert (after["state"], after["scans"], after["last_scan"]) == ("false_positive", 2, again)
        with open_store(server.settings).write() as session:
            session.execute(delete(ScanResultRow))  # as a store of an earlier version
        wait_for(lambda: server.client.get(url).json()["decision"] == "pass", 90)
        wait_for(lambda: _scheduled(server), 90)
        told = server.client.get(f"/api/v1/projects/{found['project']}/policy").json()
        assert told["schedules"][0]["submitted"] == 1
        assert [layer["scope"] for layer in told["layers"]] == ["all", "project:legacy"]


def _scheduled(server: Running) -> bool:
    scans = server.client.get("/api/v1/scans").json()["scans"]
    return any(s["submitter"] == "schedule:often" and s["status"] == "finished" for s in scans)


def test_a_server_whose_policy_file_is_wrong_does_not_start(folder: Path) -> None:
    file = folder / "policy.toml"
    file.write_text("nonsense = 1\n")
    with pytest.raises(AssertionError, match="unknown key 'nonsense'"), running(folder, policy_file=file):
        pass
