"""Rules over the API: what the command line says of files, of texts that are sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from package_hunter.access.roles import Role
from tests.support.access_server import OWN, AccessServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("rules"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def token(server: AccessServer) -> str:
    return server.token("reads", (Role.VIEWER, OWN))


def test_rules_are_listed_and_explained(server: AccessServer, token: str) -> None:
    items = server.ask(token, "GET", "/api/v1/rules").json()["items"]
    name = "Cloud metadata service contacted"
    assert len(items) > 30 and name in {item["name"] for item in items}
    text = server.ask(token, "GET", "/api/v1/rules/explain", params={"name": name}).json()["text"]
    assert "metadata" in text
    near = server.ask(token, "GET", "/api/v1/rules/explain", params={"name": name[:-1]})
    assert (near.status_code, near.json()["advice"]) == (404, f"Did you mean {name!r}?")


@pytest.mark.parametrize(
    ("rules", "ok", "code"),
    [
        ("- rule: mine\n  desc: d\n  condition: proc.name = npm\n  output: o\n  priority: INFO", True, None),
        ("- rule: mine\n  condition: proc.nme = npm\n  desc: d\n  output: o\n  priority: INFO", False, None),
        ("- rule: [", False, "yaml"),
        ("a: b", False, None),
        ("[" * 5_000, False, None),
    ],
)
def test_rules_are_checked(server: AccessServer, token: str, rules: str, ok: bool, code: str | None) -> None:
    said = server.ask(token, "POST", "/api/v1/rules/check", json={"rules": rules}).json()
    assert said["ok"] is ok
    assert ok or said["problems"]
    assert code is None or code in {problem["code"] for problem in said["problems"]}


def test_a_condition_is_tried_on_events(server: AccessServer, token: str) -> None:
    events: list[dict[str, Any]] = [
        {"evt.type": "execve", "proc.name": "curl"},
        {"evt.type": "execve", "proc.name": "ls"},
        {"evt.type": "open", "proc.name": "curl"},
        {},
    ]
    body = {"condition": "evt.type = execve and proc.name in (curl, wget)", "events": events}
    answer = server.ask(token, "POST", "/api/v1/rules/match", json=body)
    assert answer.json()["matches"] == [True, False, False, False], answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"condition": "proc.nme = x", "events": []},
        {"condition": "((((", "events": []},
        {"condition": "", "events": []},
        {"condition": "proc.name = x", "events": [1]},
        {"condition": "proc.name = x", "events": [{}] * 1_001},
        {"condition": "x" * 8_001, "events": []},
    ],
)
def test_what_is_no_condition_or_event(server: AccessServer, token: str, body: Any) -> None:
    answer = server.ask(token, "POST", "/api/v1/rules/match", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
