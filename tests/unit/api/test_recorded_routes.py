"""Events of recordings that a server keeps, sought by a Falco condition."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from package_hunter.access.roles import Role
from package_hunter.pipeline import tryout
from package_hunter.storage.base import Kind
from package_hunter.store import documents, rule_sets
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer
from tests.support.archives import keep
from tests.support.bundle_samples import BEGAN, recording
from tests.support.scan_asks import with_file

MACRO = "- macro: our_own\n  condition: evt.type = close\n"


def recorded(server: AccessServer, folder: Path, target: str, events: int = 3) -> str:
    """A scan of which a recording is kept, of a process that closes so many descriptors."""
    scan = server.scans[target]
    keep(server.store, uuid.UUID(scan), recording(folder / f"{scan}.scap", scan=scan, events=events))
    return scan


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("recorded"), recordings_bytes=1 << 20)
    for target in (OWN, FOREIGN):
        recorded(made, tmp_path_factory.mktemp("scap"), target)
    yield made
    made.close()


@pytest.fixture(scope="module")
def analyst(server: AccessServer) -> str:
    return server.token("analyst", (Role.ANALYST, OWN))


def _ask(
    server: AccessServer, who: str, condition: str = "", target: str = OWN, **more: Any
) -> httpx.Response:
    query = {"condition": condition, **more}
    return server.ask(who, "GET", f"/api/v1/scans/{server.scans[target]}/recorded", params=query)


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ("", 3),
        ("  ", 3),
        ("evt.type = close", 3),
        ("evt.type = close and\n proc.pid = 8", 3),
        ("evt.type = close and evt.num > 2", 1),
        ("proc.pid = 9", 0),
        ("evt.type = execve", 0),
        ("evt.type in (close, openat) and not proc.name = b", 3),
    ],
)
def test_events_that_a_condition_holds_for(
    server: AccessServer, analyst: str, condition: str, matches: int
) -> None:
    answer = _ask(server, analyst, condition)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["events"], said["matches"], len(said["items"]), said["all"]) == (3, matches, matches, True)
    for one in said["items"]:
        assert (one["type"], one["process"], one["fields"]["proc.name"]) == ("close", 8, "a")
        assert "evt.time" not in one["fields"]


def test_the_first_are_shown_and_all_are_counted(server: AccessServer, analyst: str) -> None:
    said = _ask(server, analyst, limit=2).json()
    assert (said["matches"], len(said["items"])) == (3, 2)
    times = [one["time"] for one in said["items"]]
    assert times == sorted(times)
    assert times[0].startswith("2026-09-21T14:13:20"), BEGAN


def test_more_than_anybody_reads_are_not_all_kept(
    server: AccessServer, analyst: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tryout, "MAX_SOUGHT", 2)
    said = _ask(server, analyst).json()
    assert (said["events"], said["matches"], said["all"]) == (3, 2, False)


def test_macros_of_the_scans_own_project_may_be_used(server: AccessServer, analyst: str) -> None:
    assert _ask(server, analyst, "our_own").status_code == 400
    with server.store.write() as session:
        key = server.place(session, OWN).key
        documents.put(session, rule_sets.KIND, key, "team", {"name": "team", "rules": MACRO}, TEST)
    assert _ask(server, analyst, "our_own and installer").json()["matches"] == 0
    assert _ask(server, analyst, "our_own").json()["matches"] == 3


@pytest.mark.parametrize(
    "condition",
    [
        *("evt.typo = close", "proc.name =", "evt.type = close\n- rule: another", "<b>", "'", "\u202e"),
        *("not " * 1_900 + "a", "evt.latency > 5"),
    ],
)
def test_what_is_no_condition_is_refused_with_words(
    server: AccessServer, analyst: str, condition: str
) -> None:
    answer = _ask(server, analyst, condition)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(("The condition can", "evt.latency is not supported")), (
        answer.text
    )


@pytest.mark.parametrize("query", [{"condition": "a" * 8_001}, {"limit": 0}, {"limit": 501}, {"other": 1}])
def test_what_cannot_be_asked_is_refused(server: AccessServer, analyst: str, query: dict[str, Any]) -> None:
    answer = server.ask(analyst, "GET", f"/api/v1/scans/{server.scans[OWN]}/recorded", params=query)
    assert answer.status_code in (400, 422)


def test_who_may_not_fetch_a_recording_sees_nothing_of_it(server: AccessServer, analyst: str) -> None:
    assert _ask(server, analyst, target=FOREIGN).status_code == 404
    developer = server.token("developer", (Role.DEVELOPER, OWN))
    assert _ask(server, developer).status_code == 404
    lead = server.token("lead", (Role.SECURITY_ADMIN, ""))
    assert _ask(server, lead, target=FOREIGN).json()["events"] == 3


def test_a_scan_without_a_recording_and_a_server_that_keeps_none(tmp_path: Path) -> None:
    keeps = AccessServer(tmp_path / "keeps", recordings_bytes=1 << 20)
    none = AccessServer(tmp_path / "none")
    for number, one in enumerate((keeps, none)):
        analyst = one.token("analyst", (Role.ANALYST, OWN))
        if number:
            recorded(one, tmp_path, OWN)
        answer = _ask(one, analyst)
        assert (answer.status_code, answer.json()["detail"]) == (409, "No recording of this scan is kept.")
        one.close()


def test_what_is_too_long_or_damaged_is_told(tmp_path: Path) -> None:
    slow = AccessServer(tmp_path / "slow", recordings_bytes=1 << 20, impact_seconds=0.00001)
    damaged = AccessServer(tmp_path / "damaged", recordings_bytes=1 << 20)
    recorded(slow, tmp_path, OWN)
    with_file(damaged, OWN, Kind.RECORDING)  # that is none
    for one in (slow, damaged):
        answer = _ask(one, one.token("analyst", (Role.ANALYST, OWN)))
        assert answer.status_code == 409, answer.text
        assert "package-hunter replay" in answer.json()["advice"]
        one.close()
