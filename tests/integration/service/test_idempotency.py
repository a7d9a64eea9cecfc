"""A POST that is sent again is not done again: not while the first is under way, not after the server died."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.store import requests, scan_list
from package_hunter.store.database import now_ms
from package_hunter.store.request_tables import KeptRequest
from package_hunter.store.requests import Name
from package_hunter.store.scan_list import ScanFilters
from tests.support.access_server import OWN, AccessServer

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path, database_url=settings.database_url)
    yield made
    made.store.close()


@pytest.fixture
def token(server: AccessServer) -> str:
    return server.token("ci", (Role.SECURITY_ADMIN, ""), (Role.ADMINISTRATOR, ""))


def post(server: AccessServer, token: str, path: str, key: str, **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} | more.pop("headers", {})
    return server.ask(token, "POST", f"/api/v1{path}", headers=headers, **more)


def submitted(server: AccessServer) -> int:
    with server.store.read() as session:
        filters = ScanFilters(submitter="token:ci")
        return len(scan_list.page(session, EVERYTHING, filters).rows)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/scans", {"json": {"purl": "pkg:npm/left-pad@1.3.0"}}),
        ("/scans?name=shop", {"content": b"an archive", "headers": OCTETS}),
        ("/projects", {"json": {"path": "web/new"}}),
        ("/sboms", {"json": {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}}),
    ],
)
def test_sent_again_it_gets_the_same_answer(server: AccessServer, token: str, path: str, sent: Any) -> None:
    first, again = (post(server, token, path, "k", **dict(sent)) for _ in range(2))
    assert first.is_success, first.text
    assert "idempotency-replayed" not in first.headers
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers.get("location") == first.headers.get("location")


def test_the_same_key_with_quotes_is_the_same(server: AccessServer, token: str) -> None:
    body = {"purl": "pkg:npm/x"}
    ids = {post(server, token, "/scans", key, json=body).json()["id"] for key in ("k", '"k"', " k ")}
    assert len(ids) == submitted(server) == 1


def test_another_body_is_refused_and_does_nothing(server: AccessServer, token: str) -> None:
    post(server, token, "/scans", "k", json={"purl": "pkg:npm/a"})
    for path, sent in (
        ("/scans", {"json": {"purl": "pkg:npm/b"}}),
        ("/scans?fresh=true", {"json": {"purl": "pkg:npm/a"}}),
        ("/projects", {"json": {"path": "web/k"}}),
        ("/scans", {"content": b"an archive", "headers": OCTETS}),
    ):
        refused = post(server, token, path, "k", **dict(sent))
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, "idempotency-key")
    assert submitted(server) == 1


def test_another_account_has_keys_of_its_own(server: AccessServer, token: str) -> None:
    other = server.token("other", (Role.DEVELOPER, OWN))
    ids = {
        post(server, who, "/scans", "k", json={"purl": "pkg:npm/a"}).json()["id"] for who in (token, other)
    }
    assert len(ids) == 2


def test_what_was_refused_may_be_tried_anew(server: AccessServer, token: str) -> None:
    assert post(server, token, "/projects", "k", json={"path": "nowhere/x"}).status_code == 404
    assert server.ask(token, "POST", "/api/v1/groups", json={"path": "nowhere"}).status_code == 201
    assert post(server, token, "/projects", "k", json={"path": "nowhere/x"}).status_code == 201


@pytest.mark.parametrize("key", ["", '""', "a b", "x" * 129, "\u00e9".encode()])
def test_what_is_no_key(server: AccessServer, token: str, key: Any) -> None:
    refused = post(server, token, "/scans", key, json={"purl": "pkg:npm/a"})
    assert (refused.status_code, submitted(server)) == (400, 0)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokens", {"name": "t", "roles": []}),
        ("/users/invitations", {"name": "new"}),
        ("/session", {"name": "a", "password": "b"}),
    ],
)
def test_no_secret_is_kept(server: AccessServer, token: str, path: str, body: Any) -> None:
    refused = post(server, token, path, "k", json=body)
    assert (refused.status_code, "takes no Idempotency-Key" in refused.json()["detail"]) == (400, True)
    with server.store.read() as session:
        assert session.get(KeptRequest, ("token:ci", "k")) is None


def test_many_at_once_are_one(server: AccessServer, token: str) -> None:
    """Over one event loop, as a server has it: the first is held back until all have arrived."""
    held, accept = threading.Event(), server.app.state.service._accept

    def slowly(*given: Any) -> Any:
        held.wait(5)
        return accept(*given)

    server.app.state.service._accept = slowly

    async def all_of_them() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=server.app)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            asked = [
                asyncio.create_task(
                    client.post("/api/v1/scans", headers=headers | OCTETS, content=b"the same archive")
                )
                for _ in range(6)
            ]
            await asyncio.sleep(0.5)
            assert not any(one.done() for one in asked)
            held.set()
            return await asyncio.gather(*asked)

    answers = asyncio.run(all_of_them())
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == submitted(server) == 1


def test_a_server_that_died_before_it_did_anything_leaves_the_key_free(
    server: AccessServer, token: str
) -> None:
    with server.store.write() as session:
        assert requests.reserve(server.store, session, Name("token:ci", "k", "dead")) is None
        row = session.get_one(KeptRequest, ("token:ci", "k"))
        row.until = now_ms() - 1
    assert post(server, token, "/scans", "k", json={"purl": "pkg:npm/a"}).status_code == 202
    assert submitted(server) == 1


def test_one_that_lost_its_key_changes_nothing(server: AccessServer, token: str) -> None:
    """It was so slow that another took the key, and did it."""
    service, accept = server.app.state.service, server.app.state.service._accept

    def robbed(*given: Any) -> Any:
        with server.store.write() as session:
            session.get_one(KeptRequest, ("token:ci", "k")).holder = "another"
        return accept(*given)

    service._accept = robbed
    refused = post(server, token, "/scans", "k", json={"purl": "pkg:npm/a"})
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "under-way")
    assert submitted(server) == 0


def test_a_server_that_died_after_it_was_done_does_not_double_it(server: AccessServer, token: str) -> None:
    """The answer was not written: of a scan it was kept with the scan, of others it is said that it was done."""
    service = server.app.state.service
    post(server, token, "/scans", "scan", json={"purl": "pkg:npm/a"})
    post(server, token, "/projects", "project", json={"path": "web/died"})
    with server.store.write() as session:
        session.get_one(KeptRequest, ("token:ci", "project")).status = None
    again = post(server, token, "/projects", "project", json={"path": "web/died"})
    assert (again.status_code, "was done" in again.json()["detail"]) == (409, True)
    assert post(server, token, "/scans", "scan", json={"purl": "pkg:npm/a"}).status_code == 202
    assert (submitted(server), service.settings.data_dir) == (1, server.settings.data_dir)


def test_after_a_day_a_key_is_new(server: AccessServer, token: str) -> None:
    post(server, token, "/scans", "k", json={"purl": "pkg:npm/a"})
    with server.store.write() as session:
        session.get_one(KeptRequest, ("token:ci", "k")).created -= requests.KEPT_MS + 1
    assert post(server, token, "/scans", "k", json={"purl": "pkg:npm/b"}).status_code == 202
    assert submitted(server) == 2


def test_an_account_has_so_many_keys_a_day(
    server: AccessServer, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MAX_KEYS", 2)
    statuses = [
        post(server, token, "/scans", f"k{n}", json={"purl": "pkg:npm/a"}).status_code for n in range(3)
    ]
    assert statuses == [202, 202, 429]
