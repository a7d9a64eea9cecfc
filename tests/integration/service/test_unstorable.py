"""What a database cannot keep is the asker's fault (400), never the server's (5xx)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.access.roles import Role
from tests.support.access_server import OWN, AccessServer


@pytest.fixture
def server(tmp_path: Path, postgres_url: str) -> Iterator[AccessServer]:
    from tests.integration.service.conftest import _empty

    _empty(postgres_url)
    made = AccessServer(tmp_path, database_url=postgres_url)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/api/v1/history", {"params": {"who": "a\x00b"}}),
        ("GET", "/api/v1/scans", {"params": {"project": "web\x00/shop"}}),
        ("DELETE", "/api/v1/tokens", {"params": {"name": "\x00"}}),
        ("DELETE", "/api/v1/destinations", {"params": {"name": "a\x00"}}),
        ("POST", "/api/v1/members", {"json": {"account": "a\x00", "role": "viewer"}}),
        (
            "POST",
            "/api/v1/destinations",
            {
                "json": {
                    "name": "x",
                    "settings": {
                        "kind": "gitlab",
                        "url": "https://gitlab.example",
                        "project": "a\x00b",
                        "token": "x",
                    },
                }
            },
        ),
    ],
)
def test_a_nul_is_refused(server: AccessServer, method: str, path: str, more: dict[str, object]) -> None:
    roles = [(role, "") for role in (Role.ADMINISTRATOR, Role.SECURITY_ADMIN, Role.AUDITOR)]
    token = server.token("all", *roles, home=OWN)
    answer = server.ask(token, method, path, **more)
    assert answer.status_code in (400, 404), answer.text


def test_a_reason_with_a_nul_is_kept_with_the_change(server: AccessServer) -> None:
    token = server.token("all", (Role.ADMINISTRATOR, ""), (Role.AUDITOR, ""))
    body = {"account": "token:all", "role": "viewer", "why": "because\x00of it"}
    assert server.ask(token, "POST", "/api/v1/members", json=body).status_code == 201
    told = server.ask(token, "GET", "/api/v1/history", params={"action": "member.add", "limit": 1_000})
    assert told.json()["items"][-1]["why"] == "because\\x00of it"
