"""How often an account may ask."""

from __future__ import annotations

from pathlib import Path

from package_hunter.access.roles import Role
from tests.support.access_server import OWN, AccessServer


def test_an_account_that_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    server = AccessServer(tmp_path, requests_per_minute=3, changes_per_minute=1)
    quick, other = (server.token(name, (Role.SECURITY_ADMIN, "")) for name in ("quick", "other"))
    url = f"/api/v1/scans/{server.scans[OWN]}"
    statuses = [server.ask(quick, "GET", url).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    refused = server.ask(quick, "GET", url)
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.json()["type"].endswith(":too-many-requests")
    assert (
        refused.headers["ratelimit-policy"] == '"changes";q=1;w=60' or "reads" in refused.headers["ratelimit"]
    )
    assert server.ask(other, "GET", url).status_code == 200, "each account has its own"
    server.store.close()


def test_reading_and_changing_are_counted_apart(tmp_path: Path) -> None:
    server = AccessServer(tmp_path, requests_per_minute=1, changes_per_minute=2)
    token = server.token("both", (Role.SECURITY_ADMIN, ""))
    made = server.ask(token, "POST", "/api/v1/projects", json={"path": "a"})
    assert (made.status_code, made.headers["ratelimit-policy"]) == (201, '"changes";q=2;w=60')
    assert made.headers["ratelimit"].startswith('"changes";r=1;t=')
    assert server.ask(token, "GET", "/api/v1/projects").status_code == 200
    assert server.ask(token, "GET", "/api/v1/projects").status_code == 429
    assert server.ask(token, "POST", "/api/v1/projects", json={"path": "b"}).status_code == 201
    assert server.ask(token, "POST", "/api/v1/projects", json={"path": "c"}).status_code == 429
    server.store.close()


def test_what_asks_nobody_who_he_is_has_no_account_to_count(tmp_path: Path) -> None:
    server = AccessServer(tmp_path, requests_per_minute=1)
    assert {server.ask(None, "GET", "/api/v1/health").status_code for _ in range(3)} == {200}
    server.store.close()
