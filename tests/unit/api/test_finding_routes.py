"""Findings over the API: read, decided about, claimed, talked about, many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from package_hunter.access.roles import Role
from package_hunter.governance import policies
from package_hunter.policy.decide import today
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer
from tests.support.duty_store import LOOK, PROOF, scanned

WEEK = (today() + dt.timedelta(days=7)).isoformat()
FALSE = {"state": "false_positive", "reason": "stated_purpose"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def analyst(server: AccessServer) -> str:
    return server.token("analyst", (Role.ANALYST, "web"))


def _url(server: AccessServer, tail: str = "", target: str = OWN) -> str:
    return f"/api/v1/findings/{server.findings[target]}{tail}"


def test_a_finding_is_decided_about_and_the_policy_follows(server: AccessServer, analyst: str) -> None:
    before = server.ask(analyst, "GET", _url(server)).json()
    assert (before["state"], before["decision"], before["set"], before["path"]) == (
        "needs_triage",
        "review",
        None,
        OWN,
    )
    body = {"state": "accepted", "reason": "used_in_tests", "until": WEEK}
    other = server.ask(analyst, "PUT", _url(server, "/state"), json={**body, "behaviour": "0" * 32})
    assert other.status_code == 409, "somebody looked at something else"
    body["behaviour"] = before["behaviour"]
    done = server.ask(analyst, "PUT", _url(server, "/state"), json=body).json()
    assert (done["state"], done["decision"], done["until"]) == ("accepted", "pass", WEEK)
    assert done["set"]["scope"] == f"project:{OWN}"
    assert "used in tests" in done["silenced"]
    listed = server.ask(analyst, "GET", "/api/v1/findings?state=accepted").json()["items"]
    assert [one["id"] for one in listed] == [server.findings[OWN]]
    assert server.ask(analyst, "GET", "/api/v1/findings?state=needs_triage").json()["items"] == []
    with server.store.write() as session:
        rule = {"rule": [{"decision": "block", "kind": LOOK.kind, "name": "no hooks"}]}
        policies.put(session, TEST, server.place(session, "web"), rule)
    now = server.ask(analyst, "GET", _url(server)).json()
    assert (now["decision"], now["silenced"], now["rule"]) == ("block", None, "group:web, no hooks")
    assert "no hooks" in now["needs_proposal"]
    refused = server.ask(analyst, "PUT", _url(server, "/state"), json=body)
    assert refused.status_code == 403
    assert "Propose a waiver" in refused.json()["advice"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"state": "false_positive"}, 400),
        ({"state": "accepted", "reason": "used_in_tests"}, 400),
        ({"state": "accepted", "reason": "used_in_tests", "until": "2020-01-01"}, 400),
        ({"state": "confirmed", "reason": "other"}, 400),
        ({"state": "lost", "reason": "other", "remark": "x"}, 400),
        ({**FALSE, "scope": "group"}, 400),
        ({**FALSE, "group": "web"}, 400),
        ({**FALSE, "scope": "group", "group": "ops"}, 404),
        ({**FALSE, "scope": "all"}, 403),
        ({**FALSE, "remark": "x" * 5_000}, 400),
        ({**FALSE, "more": 1}, 400),
    ],
)
def test_a_state_that_cannot_be_set_is_told(
    server: AccessServer, analyst: str, body: dict[str, Any], status: int
) -> None:
    answer = server.ask(analyst, "PUT", _url(server, "/state"), json=body)
    assert answer.status_code == status, answer.text
    assert server.ask(analyst, "GET", _url(server)).json()["state"] == "needs_triage"


def test_a_state_for_a_group_or_for_all_takes_the_right_there(server: AccessServer, analyst: str) -> None:
    group = {**FALSE, "scope": "group", "group": "web"}
    here = server.token("here", (Role.ANALYST, OWN))
    assert server.ask(here, "PUT", _url(server, "/state"), json=group).status_code == 403
    done = server.ask(analyst, "PUT", _url(server, "/state"), json=group)
    assert done.json()["set"]["scope"] == "group:web"
    chief = server.token("chief", (Role.ANALYST, ""))
    everywhere = {"state": "confirmed", "reason": "other", "remark": "bad", "scope": "all"}
    assert server.ask(chief, "PUT", _url(server, "/state", FOREIGN), json=everywhere).status_code == 200
    now = server.ask(analyst, "GET", _url(server)).json()
    assert (now["state"], now["set"]["scope"]) == ("confirmed", "all")


def test_claims_and_notes(server: AccessServer, analyst: str) -> None:
    other = server.token("other", (Role.ANALYST, OWN))
    assert server.ask(analyst, "PUT", _url(server, "/claim"), json={"hours": 2}).status_code == 200
    assert server.ask(other, "PUT", _url(server, "/claim"), json={}).status_code == 409
    assert server.ask(other, "DELETE", _url(server, "/claim")).status_code == 409
    assert server.ask(other, "GET", _url(server)).json()["claimed_by"] == "token:analyst"
    assert server.ask(analyst, "DELETE", _url(server, "/claim")).status_code == 204
    note = server.ask(other, "POST", _url(server, "/notes"), json={"text": "what is it?"}).json()
    answer = {"text": "telemetry", "parent": note["id"]}
    assert server.ask(analyst, "POST", _url(server, "/notes"), json=answer).status_code == 201
    thread = server.ask(analyst, "GET", _url(server, "/notes")).json()["items"]
    assert [(n["who"], n["parent"]) for n in thread] == [("token:other", None), ("token:analyst", note["id"])]
    wrong = {"text": "x", "parent": server.findings[OWN]}
    assert server.ask(analyst, "POST", _url(server, "/notes"), json=wrong).status_code == 404


def test_many_at_once_is_previewed_first(server: AccessServer, analyst: str) -> None:
    with server.store.write() as session:
        scanned(session, [LOOK, PROOF], server.ids[OWN])
    asked: dict[str, Any] = {"filter": {"project": OWN}, "set": FALSE}
    seen = server.ask(analyst, "POST", "/api/v1/findings/preview", json=asked).json()
    assert (seen["findings"], seen["projects"], len(seen["refused"])) == (1, 1, 1)
    assert seen["impact"]["tried"] == 1 + 1  # this scan, and the one that the server began with
    assert [flip["after"] for flip in seen["impact"]["flips"]] == ["pass"]
    wrong = {**asked, "digest": "0" * 64}
    assert server.ask(analyst, "POST", "/api/v1/findings/state", json=wrong).status_code == 409
    done = server.ask(analyst, "POST", "/api/v1/findings/state", json={**asked, "digest": seen["digest"]})
    assert done.json()["findings"] == 1
    ids = {"ids": [server.findings[FOREIGN]], "set": FALSE}
    assert server.ask(analyst, "POST", "/api/v1/findings/preview", json=ids).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "state=x",
        "severity=x",
        "limit=0",
        "limit=501",
        "older_than=-1",
        "after=x",
        "order=x",
        "nonsense=1",
        "text=" + "x" * 300,
        "detected=maybe",
        "verdict=bad",
        "after=1.00000000-0000-0000-0000-000000000000.1",
    ],
)
def test_a_wrong_question_is_told(server: AccessServer, analyst: str, query: str) -> None:
    answer = server.ask(analyst, "GET", f"/api/v1/findings?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]


def test_who_decides_by_what_he_saw_is_told_that_somebody_was_faster(
    server: AccessServer, analyst: str
) -> None:
    url = _url(server, "/state", FOREIGN)
    ana, ben = (server.token(name, (Role.ANALYST, "")) for name in ("faster", "slower"))
    seen = server.ask(ben, "GET", _url(server, target=FOREIGN)).json()["set"]
    first = {"state": "confirmed", "reason": "other", "remark": "seen", "replaces": seen and seen["time"]}
    made = server.ask(ana, "PUT", url, json=first)
    assert made.status_code == 200, made.text
    late = {"state": "needs_triage", "replaces": seen and seen["time"]}
    refused = server.ask(ben, "PUT", url, json=late)
    assert refused.status_code == 409
    assert "token:faster" in refused.json()["detail"] and "confirmed" in refused.json()["detail"]
    now = server.ask(ben, "GET", _url(server, target=FOREIGN)).json()["set"]
    assert now["state"] == "confirmed"
    assert server.ask(ben, "PUT", url, json={**late, "replaces": now["time"]}).status_code == 200
    assert server.ask(ben, "PUT", url, json={"state": "needs_triage"}).status_code == 200, "as before"
