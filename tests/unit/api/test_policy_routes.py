"""Policies over the API: what holds, and what its rules did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from package_hunter.access.roles import Role
from package_hunter.governance import policies
from package_hunter.triage import states
from package_hunter.triage.values import Grant, NewState, Reason, State
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer
from tests.support.duty_store import LOOK

HOOKS = {
    "rule": [{"decision": "review", "kind": "git_hook", "name": "hooks"}],
    "require": [{"scan": "new_version", "projects": ["web/*"]}],
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path)
    with made.store.write() as session:
        policies.put(session, TEST, made.place(session, "web"), HOOKS, "why not", Grant("4"))
        false = NewState(State.FALSE_POSITIVE, Reason.STATED_PURPOSE)
        states.set_state(session, TEST, made.place(session, ""), LOOK.fingerprint, false, Grant("5"))
    yield made
    made.store.close()


def test_who_works_in_a_project_sees_all_that_holds_for_it(server: AccessServer) -> None:
    token = server.token("dev", (Role.DEVELOPER, OWN))
    scopes = server.ask(token, "GET", "/api/v1/policies").json()["items"]
    assert [(s["scope"], s["version"], s["reviewed"]) for s in scopes] == [
        ("all", 0, False),
        ("group:web", 1, True),
        (f"project:{OWN}", 1, False),
    ]
    group = server.ask(token, "GET", f"/api/v1/policies/{server.ids['web']}").json()
    assert group["document"] == HOOKS
    [rule] = group["rules"]
    assert (rule["label"], rule["mode"], rule["fits"], rule["decided"]) == (
        "group:web, hooks",
        "enforce",
        1,
        1,
    )
    assert (rule["false_positive_share"], rule["states"]) == (1.0, {"false_positive": 1})
    assert server.ask(token, "GET", "/api/v1/policies/all").json()["document"] == {}
    held = server.ask(token, "GET", f"/api/v1/projects/{server.ids[OWN]}/policy").json()
    assert [layer["scope"] for layer in held["layers"]] == ["all", "group:web", f"project:{OWN}"]
    assert held["layers"][1]["rules"] == ["group:web, hooks: review (enforce)"]
    assert held["required"] == [{"scan": "new_version", "scope": "group:web", "depth": ""}]


def test_figures_are_of_what_the_account_can_see(server: AccessServer) -> None:
    with server.store.write() as session:
        policies.put(session, TEST, server.place(session, ""), {"rule": HOOKS["rule"]})
    for name, place, number in (("all", "", 2), ("own", OWN, 1), ("foreign", FOREIGN, 1)):
        token = server.token(name, (Role.VIEWER, place))
        [rule] = server.ask(token, "GET", "/api/v1/policies/all").json()["rules"]
        assert rule["fits"] == number, name


@pytest.mark.parametrize("scope", ["ALL", "web", "x" * 36, "00000000-0000-4000-8000-00000000ffff"])
def test_what_is_no_scope_is_not_there(server: AccessServer, scope: str) -> None:
    token = server.token("reader", (Role.VIEWER, ""))
    answer = server.ask(token, "GET", f"/api/v1/policies/{scope}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no such policy."


def test_who_may_read_no_policy_finds_none(server: AccessServer) -> None:
    token = server.token("figures", (Role.MONITOR, ""))
    assert server.ask(token, "GET", "/api/v1/policies").json()["items"] == []
    assert server.ask(token, "GET", "/api/v1/policies/all").status_code == 404


def test_a_policy_is_checked_as_text_and_as_document(server: AccessServer) -> None:
    token = server.token("checks")

    def check(**body: Any) -> httpx.Response:
        return server.ask(token, "POST", "/api/v1/policies/check", json=body)

    document = {"verdicts": {"suspicious": "block"}}
    said = check(document=document).json()
    assert (said["ok"], said["document"]) == (True, document)
    assert check(source=said["source"]).json() == said
    wrong = check(source="[[rule]]\ndecision = 'blok'").json()
    assert (wrong["ok"], wrong["document"], wrong["problems"][0]["line"]) == (False, None, 2)
    assert check(source="[project]\nown_file = true", narrow=True).json()["ok"] is False
    for body in ({}, {"source": "", "document": {}}, {"source": 1}, {"source": "", "more": 1}):
        assert check(**body).status_code == 400
