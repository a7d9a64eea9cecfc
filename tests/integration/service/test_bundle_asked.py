"""A bundle asked for over the API: made by the chore that holds the key, fetched, verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.access.roles import Role
from package_hunter.audit import keys
from package_hunter.bundle import Trust, asked, verify
from package_hunter.config import Settings
from package_hunter.model.scan import ScanStatus
from package_hunter.storage.base import Kind
from package_hunter.store import artefacts, history
from tests.integration.service.test_bundle import scanned
from tests.support import scan_asks
from tests.support.access_server import OWN, AccessServer


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path, database_url=settings.database_url, recordings_bytes=1 << 20)
    yield made
    made.store.close()


def test_it_is_made_once_it_is_asked_for_and_anybody_can_verify_it(
    server: AccessServer, tmp_path: Path
) -> None:
    record = tmp_path / "scan"
    record.mkdir()
    scan, _ = scanned(server.store, record)
    token = server.token("auditor", (Role.ANALYST, ""))
    url = f"/api/v1/scans/{scan}/bundle"
    assert "Nobody asked" in server.ask(token, "GET", url).json()["detail"]
    first, again = (server.ask(token, "POST", url).json() for _ in range(2))
    assert (first["state"], first) == ("waiting", again)
    early = server.ask(token, "GET", url)
    assert (early.status_code, early.headers["retry-after"]) == (409, "3")
    assert asked.step(server.store, server.settings)
    assert not asked.step(server.store, server.settings)
    sent = server.ask(token, "GET", url)
    file = tmp_path / "b.zip"
    file.write_bytes(sent.content)
    found = verify(file, Trust(keys=(keys.signing_key(server.settings).public_key(),)))
    assert (found.exit_code, found.differences) == (0, ())
    assert server.ask(token, "GET", url, headers={"If-None-Match": sent.headers["etag"]}).status_code == 304
    assert fetched(server) == [("token:auditor", str(scan), hashlib.sha256(sent.content).hexdigest())]
    server.ask(token, "POST", url)
    assert asked.step(server.store, server.settings)
    with server.store.read() as session:
        assert len(artefacts.of_scan(session, scan, Kind.BUNDLE)) == 1, "a new one takes the old one's place"


def fetched(server: AccessServer) -> list[tuple[str, str, str]]:
    """Who was given which bundle, as the history has it."""
    with server.store.read() as session:
        entries = [e for e in history.entries(session, 999) if e.action == "scan.fetch-bundle"]
        return [(e.who, e.object, json.loads(e.after or "{}")["sha256"]) for e in entries]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (ScanStatus.CANCELLED, "The scan was cancelled: there is no verdict."),
        (ScanStatus.FAILED, "The scan failed: there is no verdict."),
        (ScanStatus.PENDING, "The scan is pending: there is no verdict yet."),
        (ScanStatus.RUNNING, "The scan is running: there is no verdict yet."),
    ],
)
def test_of_a_scan_without_a_verdict_none_is_made(
    server: AccessServer, status: ScanStatus, said: str
) -> None:
    token = server.token("auditor", (Role.ANALYST, ""))
    scan = scan_asks.new_scan(server, OWN, status=status.value)
    url = f"/api/v1/scans/{scan}/bundle"
    refused = server.ask(token, "POST", url)
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    assert said in refused.json()["detail"]
    assert "Nobody asked" in server.ask(token, "GET", url).json()["detail"]
    assert not asked.step(server.store, server.settings)


def test_who_may_not_fetch_recordings_gets_none_by_a_bundle(server: AccessServer) -> None:
    viewer, analyst = (server.token(role, (role, OWN)) for role in (Role.VIEWER, Role.ANALYST))
    url = f"/api/v1/scans/{server.scans[OWN]}/bundle"
    for method in ("POST", "GET"):
        assert server.ask(viewer, method, url).status_code == 404
    assert server.ask(analyst, "POST", url).status_code == 202


def test_why_none_can_be_made_is_told(server: AccessServer) -> None:
    token = server.token("auditor", (Role.ANALYST, ""))
    url = f"/api/v1/scans/{server.scans[OWN]}/bundle"
    assert server.ask(token, "POST", url).status_code == 202
    assert asked.step(server.store, server.settings)
    refused = server.ask(token, "GET", url)
    assert (refused.status_code, "No bundle can be made" in refused.json()["detail"]) == (409, True)


def test_a_scan_that_is_deleted_meanwhile_takes_its_request_along(server: AccessServer) -> None:
    lead = server.token("lead", (Role.SECURITY_ADMIN, ""))
    scan = server.scans[OWN]
    assert server.ask(lead, "POST", f"/api/v1/scans/{scan}/bundle").status_code == 202
    assert server.ask(lead, "DELETE", f"/api/v1/scans/{scan}?why=x&force=true").status_code == 204
    assert not asked.step(server.store, server.settings)
