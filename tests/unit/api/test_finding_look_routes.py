"""What stands behind a finding, filters that pages need, and the lists that a person keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from package_hunter.access.roles import Role
from package_hunter.access.view import DRILL
from package_hunter.model.finding import Evidence
from package_hunter.policy.decide import today
from package_hunter.store import accounts, passwords
from package_hunter.store.models import StoredReport
from package_hunter.triage import saved
from package_hunter.triage.projection import finding_id
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer
from tests.support.browser import Browser
from tests.support.duty_store import LOOK, scanned

PASSWORD = "correct horse"
HOSTILE = "<script>alert(1)</script>\u202e\x1b[2Jend"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_ARGON2", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def analyst(server: AccessServer) -> str:
    return server.token("analyst", (Role.ANALYST, "web"))


def _url(server: AccessServer, tail: str, target: str = OWN) -> str:
    return f"/api/v1/findings/{server.findings[target]}{tail}"


def test_evidence_says_who_it_was_and_how_we_know(server: AccessServer, analyst: str) -> None:
    seen = server.ask(analyst, "GET", _url(server, "/evidence")).json()
    assert seen["scan"] == server.scans[OWN]
    assert (seen["package"], seen["path"]) == (LOOK.blame and LOOK.blame.package, ["demo-app", "maldep"])
    assert (seen["who"], seen["sureness"]) == ("maldep 1.0.0, preinstall script", "certain")
    assert [one["what"] for one in seen["evidence"]] == [one.what for one in LOOK.evidence]
    assert seen["not_shown"] == 0


def test_evidence_is_bounded_and_comes_as_it_was_told(server: AccessServer, analyst: str) -> None:
    pieces = tuple(
        Evidence(n * 10**9, f"{HOSTILE} {n}", {"chain": [{"cmdline": "x" * 9_000}]}) for n in range(150)
    )
    with server.store.write() as session:
        scanned(session, [replace(LOOK, fingerprint="7" * 32, evidence=pieces[::-1])], server.ids[OWN])
    key = finding_id(server.ids[OWN], "7" * 32)
    seen = server.ask(analyst, "GET", f"/api/v1/findings/{key}/evidence").json()
    assert (len(seen["evidence"]), seen["not_shown"]) == (100, 50)
    assert seen["evidence"][0]["what"].endswith("0"), "in time"
    assert [len(line) for line in seen["chain"]] == [4_000]


def test_without_a_report_there_is_no_evidence_and_the_finding_stays(
    server: AccessServer, analyst: str
) -> None:
    with server.store.write() as session:
        session.query(StoredReport).delete()
    answer = server.ask(analyst, "GET", _url(server, "/evidence"))
    assert (answer.status_code, answer.json()["detail"]) == (404, "The scan's report is not kept any more.")
    assert server.ask(analyst, "GET", _url(server, "")).status_code == 200


def test_the_history_of_one_is_what_reached_it(server: AccessServer, analyst: str) -> None:
    other = server.token("chief", (Role.ANALYST, ""))
    body = {"state": "confirmed", "reason": "other", "remark": "bad"}
    server.ask(other, "PUT", _url(server, "/state", FOREIGN), json=body)  # there alone
    server.ask(other, "POST", _url(server, "/notes", FOREIGN), json={"text": "not here"})
    server.ask(analyst, "PUT", _url(server, "/claim"), json={"hours": 2})
    server.ask(analyst, "POST", _url(server, "/notes"), json={"text": "what is it?"})
    server.ask(other, "PUT", _url(server, "/state"), json={**body, "scope": "group", "group": "web"})
    past = server.ask(analyst, "GET", _url(server, "/history")).json()["items"]
    assert [(one["action"], one["who"]) for one in past] == [
        ("finding.state", "token:chief"),
        ("finding.note", "token:analyst"),
        ("finding.claim", "token:analyst"),
    ]
    assert past[0]["object"].endswith(" in group:web")
    assert all("origin" not in one for one in past), "whence somebody worked is not for every reader"


def test_filters_of_lists_that_pages_link_to(server: AccessServer, analyst: str) -> None:
    def ids(query: str, who: str = analyst) -> list[str]:
        answer = server.ask(who, "GET", f"/api/v1/findings?{query}")
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    mine = [server.findings[OWN]]
    assert ids("claimed_by=token:analyst") == []
    server.ask(analyst, "PUT", _url(server, "/claim"), json={"hours": 2})
    assert ids("claimed_by=token:analyst") == ids("group=web") == mine
    assert ids("claimed_by=ana") == ids("group=web&project=web/shop&claimed_by=ben") == []
    for days, found in ((30, []), (31, mine), (100_000, mine)):
        until = (today() + dt.timedelta(days=31)).isoformat()
        body = {"state": "accepted", "reason": "used_in_tests", "until": until}
        server.ask(analyst, "PUT", _url(server, "/state"), json=body)
        assert ids(f"expires_in={days}") == found
    everybody = server.token("all", (Role.ANALYST, ""))
    with server.store.write() as session:
        scanned(session, [LOOK], DRILL)
    assert ids("drill=true", everybody) == [str(finding_id(DRILL, LOOK.fingerprint))]
    assert str(finding_id(DRILL, LOOK.fingerprint)) not in ids("drill=false", everybody)


@pytest.fixture
def ana(server: AccessServer) -> Browser:
    with server.store.write() as session:
        grant = accounts.Grant(Role.ANALYST, server.place(session, ""))
        for name in ("ana", "ben"):
            accounts.add_user(session, name, PASSWORD, accounts.Start((grant,), server.ids[OWN]), TEST)
    browser = Browser(server)
    browser.sign_in("ana", PASSWORD)
    return browser


URL = "/api/v1/me/views"


def _keep(who: Browser, name: str, query: str) -> Any:
    return who.ask("PUT", URL, json={"name": name, "query": query})


def test_a_list_is_kept_for_oneself(server: AccessServer, ana: Browser) -> None:
    kept = _keep(ana, " gravest ", "severity=high&detected=true&after=1.x&limit=3&text=a%26b")
    assert kept.json()["query"] == "severity=high&detected=true&text=a%26b", "no place in it"
    assert kept.json()["name"] == "gravest"
    _keep(ana, "gravest", "state=confirmed")
    _keep(ana, "all", "")
    assert [(one["name"], one["query"]) for one in ana.ask("GET", URL).json()["items"]] == [
        ("all", ""),
        ("gravest", "state=confirmed"),
    ]
    ben = Browser(server)
    ben.sign_in("ben", PASSWORD)
    assert ben.ask("GET", URL).json()["items"] == []
    assert ben.ask("DELETE", URL, params={"name": "all"}).status_code == 404
    assert ana.ask("DELETE", URL, params={"name": "all"}).status_code == 204
    assert len(ana.ask("GET", URL).json()["items"]) == 1


_NO_LISTS = [
    ("x", "state=lost"),
    ("x", "nonsense=1"),
    ("x", "state=confirmed&state=confirmed"),
    ("x", "project"),
    ("x", "older_than=yes"),
    ("x", "text=" + "x" * 300),
    ("x", "x" * 3_000),
    ("", "state=confirmed"),
    (" ", "state=confirmed"),
    ("a\u202eb", "state=confirmed"),
    ("x" * 81, "state=confirmed"),
]


def test_what_is_no_list_is_not_kept(ana: Browser) -> None:
    for name, query in _NO_LISTS:  # one server for all: a fresh one costs more than the rest of it
        answer = _keep(ana, name, query)
        assert answer.status_code == 400, (name, query, answer.text)
        assert answer.json()["detail"]
    assert ana.ask("GET", URL).json()["items"] == []


def test_somebody_keeps_so_many_lists(ana: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MAX_VIEWS", 2)
    assert [_keep(ana, name, "").status_code for name in ("a", "b", "c")] == [200, 200, 400]
    assert _keep(ana, "b", "state=confirmed").status_code == 200
