"""Proposals over HTTP: what is asked of who approves, what is refused, what is seen."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher

from package_hunter.access import token_form
from package_hunter.access.roles import Role
from package_hunter.api import fresh
from package_hunter.identity.jobs import job_claims
from package_hunter.store import accounts, members, passwords, providers, sessions, tokens, totp
from package_hunter.store.database import now_ms
from package_hunter.store.identity_tables import JobTokenRow, SessionRow
from package_hunter.store.proposal_tables import Approval
from package_hunter.store.providers import NewProvider
from package_hunter.store.secret_box import SecretBox
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer

PASSWORD = "correct horse"
ALL = "/api/v1/proposals"
DAYS = {"kind": "approval-settings", "document": {"days": 20}, "reason": "sooner"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AccessServer]:
    monkeypatch.setattr(passwords, "_ARGON2", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    made = AccessServer(tmp_path)
    with made.store.write() as session:
        for name, role, path in (
            ("ann", Role.SECURITY_ADMIN, ""),
            ("bea", Role.SECURITY_ADMIN, ""),
            ("dev", Role.DEVELOPER, OWN),
            ("far", Role.SECURITY_ADMIN, FOREIGN),
        ):
            accounts.add_user(session, name, PASSWORD, accounts.Start(()), TEST)
            members.give(session, name, role, made.place(session, path), TEST)
    yield made
    made.store.close()


def basic(server: AccessServer, name: str, method: str, url: str, **more: Any) -> httpx.Response:
    """With HTTP Basic."""
    auth = httpx.BasicAuth(name, PASSWORD)
    header = next(auth.auth_flow(httpx.Request("GET", "http://localhost"))).headers["Authorization"]
    return server.ask(None, method, url, headers={"Authorization": header}, **more)


def session_of(server: AccessServer, name: str, ago_ms: int = 0) -> dict[str, str]:
    """A session's headers; in it its person was last seen so long ago."""
    with server.store.write() as session:
        account = members.account(session, name)
        assert account is not None
        begun = sessions.begin(session, account, "password", sessions.Times.of(server.settings), TEST)
        session.get_one(SessionRow, begun.row.id).authenticated = now_ms() - ago_ms
        cookie = f"package-hunter={begun.secret}"
        return {"Cookie": cookie, "X-CSRF-Token": begun.row.csrf, "Origin": "http://localhost"}


def proposed(server: AccessServer, name: str = "dev", **more: Any) -> dict[str, Any]:
    url = f"/api/v1/projects/{server.ids[OWN]}/proposals"
    made = basic(server, name, "POST", url, json=DAYS | more)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def approve(server: AccessServer, name: str, made: dict[str, Any], **body: Any) -> httpx.Response:
    seen = {"content_hash": made["content_hash"], "version": made["version"]}
    asked = seen | {"password": PASSWORD} | body
    asked = {key: value for key, value in asked.items() if value is not None}
    return basic(server, name, "POST", f"{ALL}/{made['number']}/approve", json=asked)


def test_from_a_proposal_to_what_holds(server: AccessServer) -> None:
    made = proposed(server)
    assert (made["state"], made["needed"], made["approvals"], made["place"]) == ("open", 1, 0, OWN)
    assert made["impact"]["not_tried"] == 0
    assert approve(server, "dev", made).status_code == 403
    done = approve(server, "bea", made)
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["way"], done.json()["given"][0]["proof"]) == (
        "applied",
        "approved",
        "password",
    )
    assert approve(server, "ann", made).status_code == 409
    listed = basic(server, "dev", "GET", f"{ALL}?state=applied").json()
    assert [item["number"] for item in listed["items"]] == [made["number"]]


def test_a_password_that_opened_the_door_is_asked_once_more(server: AccessServer) -> None:
    made = proposed(server)
    said = approve(server, "bea", made, password=None)
    assert (said.status_code, "once more" in said.json()["detail"]) == (403, True)
    assert approve(server, "bea", made, password="wrong horse").status_code == 401
    assert approve(server, "bea", made).status_code == 200


def test_a_session_that_was_confirmed_a_moment_ago_is_enough(server: AccessServer) -> None:
    made = proposed(server)
    body = {"content_hash": made["content_hash"], "version": made["version"]}
    url = f"{ALL}/{made['number']}/approve"
    old = session_of(server, "bea", fresh.FRESH_MS + 1)
    assert server.ask(None, "POST", url, json=body, headers=old).status_code == 403
    new = session_of(server, "bea")
    assert server.ask(None, "POST", url, json=body, headers=new).status_code == 200
    with server.store.read() as session:
        assert session.query(Approval).one().proof == "session"


def test_one_time_codes_are_asked_for_and_taken_once(server: AccessServer) -> None:
    box = server.app.state.service.box
    with server.store.write() as session:
        account = members.account(session, "bea")
        assert account is not None
        secret = totp.begin(session, box, account).secret
        totp.confirm(session, box, account, pyotp.TOTP(secret).at(now_ms() // 1000 - 30), TEST)
    made = proposed(server)
    url, headers = f"{ALL}/{made['number']}/approve", session_of(server, "bea", fresh.FRESH_MS + 1)
    body = {"content_hash": made["content_hash"], "version": 1, "password": PASSWORD}
    code = pyotp.TOTP(secret).now()
    assert server.ask(None, "POST", url, json=body, headers=headers).status_code == 401
    assert server.ask(None, "POST", url, json=body | {"code": "000000"}, headers=headers).status_code == 401
    assert server.ask(None, "POST", url, json=body | {"code": code}, headers=headers).status_code == 200
    other = proposed(server, document={"days": 30})
    again = body | {"code": code, "content_hash": other["content_hash"]}
    url = f"{ALL}/{other['number']}/approve"
    assert server.ask(None, "POST", url, json=again, headers=headers).status_code == 401


def test_tokens_never_approve_nor_break_the_glass(server: AccessServer) -> None:
    made = proposed(server)
    token = server.token("bot", (Role.SECURITY_ADMIN, ""))
    for verb, body in (
        ("approve", {"content_hash": made["content_hash"], "version": 1, "password": PASSWORD}),
        ("break-glass", {"reason": "accepted-risk", "why": "x", "password": PASSWORD}),
        ("reject", {"why": "x"}),
        ("review", {"why": "x"}),
    ):
        assert server.ask(token, "POST", f"{ALL}/{made['number']}/{verb}", json=body).status_code == 403, verb


def test_a_token_that_is_nobodys_proposes_nothing(server: AccessServer) -> None:
    """Else its maker would be two people by it: propose by the token, approve by name."""
    token = server.token("ci", (Role.DEVELOPER, ""))
    url = f"/api/v1/projects/{server.ids[OWN]}/proposals"
    said = server.ask(token, "POST", url, json=DAYS)
    assert (said.status_code, "is nobody's" in said.json()["detail"]) == (403, True)
    assert "token add NAME --owner" in said.text
    made = proposed(server)
    body = {"document": {"days": 25}, "reason": "rather so"}
    assert server.ask(token, "PUT", f"{ALL}/{made['number']}", json=body).status_code == 403
    with server.store.write() as session:
        start = accounts.Start(())
        limits = tokens.Limits(owner="dev", delegated=True)
        mine = tokens.add_token(session, "mine", start, TEST, limits=limits)
    own = server.ask(mine, "POST", url, json=DAYS)
    assert own.status_code == 201, own.text
    assert approve(server, "dev", own.json()).status_code == 403


def test_a_ci_job_proposes_nothing(server: AccessServer) -> None:
    value = token_form.new_token()
    with server.store.write() as session:
        forge = NewProvider("forge", "gitlab", "https://forge.example", "hunter")
        provider = providers.add(session, SecretBox(server.settings), forge, TEST)
        session.add(
            JobTokenRow(
                sha256=tokens.token_digest(value),
                provider_id=provider.id,
                jti="1",
                rule="r",
                project_id=server.ids[OWN],
                permissions=json.dumps(
                    ["project:project:read", "project:proposal:make", "project:proposal:read"]
                ),
                claims=json.dumps(dataclasses.asdict(job_claims("gitlab", {"iss": "https://forge.example"}))),
                created=now_ms(),
                expires=now_ms() + 60_000,
            )
        )
    made = proposed(server)
    url = f"/api/v1/projects/{server.ids[OWN]}/proposals"
    said = server.ask(value, "POST", url, json=DAYS)
    assert (said.status_code, "is nobody's" in said.text) == (403, True), said.text
    body = {"document": {"days": 25}, "reason": "rather so"}
    edited = server.ask(value, "PUT", f"{ALL}/{made['number']}", json=body)
    assert (edited.status_code, "is nobody's" in edited.text) == (403, True), edited.text


def test_what_was_edited_is_not_what_was_seen(server: AccessServer) -> None:
    made = proposed(server)
    url = f"{ALL}/{made['number']}"
    edited = basic(server, "ann", "PUT", url, json={"document": {"days": 25}, "reason": "rather so"}).json()
    assert (edited["version"], [e["editor"] for e in edited["edits"]]) == (2, ["dev", "ann"])
    assert approve(server, "bea", made).status_code == 409
    assert approve(server, "ann", edited).status_code == 403, "she edited it"
    assert approve(server, "bea", edited).json()["state"] == "applied"


def test_the_same_document_at_another_time_is_not_what_was_seen(server: AccessServer) -> None:
    at = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    made = proposed(server, apply_at=at)
    url = f"{ALL}/{made['number']}"
    body = {"document": DAYS["document"], "reason": "rather so"}
    kept = basic(server, "dev", "PUT", url, json=body).json()
    assert (kept["version"], kept["content_hash"]) == (2, made["content_hash"])
    assert kept["apply_at"] == made["apply_at"], "unset: as it was"
    now = basic(server, "dev", "PUT", url, json=body | {"apply_at": None}).json()
    assert (now["version"], now["content_hash"], now["apply_at"]) == (3, made["content_hash"], None)
    for old in (made, kept):
        said = approve(server, "bea", old)
        assert (said.status_code, "not what you saw" in said.text) == (409, True), said.text
    assert approve(server, "bea", now, version=None).status_code == 400
    assert approve(server, "bea", now).json()["state"] == "applied"


def test_the_glass_over_http(server: AccessServer) -> None:
    made = proposed(server)
    url = f"{ALL}/{made['number']}"
    body = {"reason": "production-emergency", "why": "all is down"}
    assert basic(server, "ann", "POST", f"{url}/break-glass", json=body).status_code == 403, "no password"
    assert basic(server, "dev", "POST", f"{url}/break-glass", json=body).status_code == 403
    broken = basic(server, "ann", "POST", f"{url}/break-glass", json=body | {"password": PASSWORD}).json()
    assert (broken["way"], broken["unreviewed"], broken["emergency"]) == ("break-glass", True, body["reason"])
    waiting = basic(server, "bea", "GET", f"{ALL}?unreviewed=true").json()["items"]
    assert [item["number"] for item in waiting] == [made["number"]]
    assert basic(server, "ann", "POST", f"{url}/review", json={"why": "fine"}).status_code == 403
    assert basic(server, "bea", "POST", f"{url}/review", json={"why": "fine"}).json()["unreviewed"] is False
    metrics = server.token("figures", (Role.MONITOR, ""))
    assert 'package_hunter_proposals{state="open"} 0.0' in server.ask(metrics, "GET", "/metrics").text
    assert "package_hunter_glass_broken 1.0" in server.ask(metrics, "GET", "/metrics").text


def test_what_cannot_be_seen_is_answered_as_what_is_not_there(server: AccessServer) -> None:
    made = proposed(server)
    hidden, absent = (
        basic(server, "far", method, f"{ALL}/{number}{tail}", json=body)
        for number in (made["number"], 999)
        for method, tail, body in (("GET", "", None),)
    )
    assert hidden.status_code == absent.status_code == 404
    here, nowhere = f"{ALL}/{made['number']}".encode(), f"{ALL}/999".encode()
    assert hidden.content.replace(here, nowhere) == absent.content
    assert basic(server, "far", "GET", ALL).json()["items"] == []
    for odd in ("0", "-1", "x", "9" * 30):
        assert basic(server, "far", "GET", f"{ALL}/{odd}").status_code in (400, 404), odd


def test_pages_of_the_list(server: AccessServer) -> None:
    numbers = [proposed(server, document={"days": 20 + n})["number"] for n in range(3)]
    first = basic(server, "dev", "GET", f"{ALL}?limit=2").json()
    second = basic(server, "dev", "GET", f"{ALL}?limit=2&before={first['next']}").json()
    assert [i["number"] for i in first["items"] + second["items"]] == numbers[::-1]
    assert second["next"] is None


def test_for_later(server: AccessServer) -> None:
    at = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    made = proposed(server, apply_at=at)
    assert approve(server, "bea", made).json()["state"] == "approved"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "nonsense", "document": {}, "reason": "x"}, 400),
        ({"kind": "policy", "document": {"rule": 1}, "reason": "x"}, 400),
        ({"kind": "policy", "document": {}, "reason": " "}, 400),
        ({"kind": "waiver", "document": {"fingerprint": "f" * 32, "reason": "other"}, "reason": "x"}, 400),
        (
            {
                "kind": "waiver",
                "document": {"fingerprint": "f" * 32, "reason": "not_applicable", "state": "false_positive"},
                "reason": "x",
            },
            404,
        ),
        ({"kind": "policy", "document": {"n": 2**60}, "reason": "x"}, 400),
        ({"kind": "policy", "document": {"n": "\ud800"}, "reason": "x"}, 400),
        (DAYS | {"more": 1}, 400),
        (DAYS | {"apply_at": "9999-12-31T00:00:00Z"}, 400),
        (DAYS | {"document": "x" * (3 << 20)}, 413),
    ],
)
def test_what_is_wrong_is_told(server: AccessServer, body: Any, status: int) -> None:
    url = f"/api/v1/projects/{server.ids[OWN]}/proposals"
    content = json.dumps(body).encode()
    headers = session_of(server, "dev") | {"Content-Type": "application/json"}
    said = server.ask(None, "POST", url, content=content, headers=headers)
    assert said.status_code == status, said.text
    assert said.json()["detail"]


def test_it_is_told_whom_a_proposal_waits_for(server: AccessServer) -> None:
    """Of those who may approve it: neither who wrote it nor who approved it, and nobody of elsewhere."""
    two = {"document": {"approvals": 2}, "reason": "two from now on"}
    first = basic(server, "ann", "POST", ALL, json={"kind": "approval-settings", **two})
    assert first.status_code == 400, "there are too few for two"
    made = proposed(server, "ann")
    assert made["waits_for"] == ["bea"]

    def waiting(name: str) -> list[int]:
        items = basic(server, name, "GET", f"{ALL}?waiting=true").json()["items"]
        assert all(item["waits_for_you"] for item in items)
        return [item["number"] for item in items]

    assert {name: waiting(name) for name in ("ann", "bea", "dev", "far")} == {
        "ann": [],
        "bea": [made["number"]],
        "dev": [],
        "far": [],
    }
    assert approve(server, "bea", made).status_code == 200
    assert waiting("bea") == []
    assert basic(server, "bea", "GET", f"{ALL}/{made['number']}").json()["waits_for"] == []


def test_a_change_is_looked_at_before_it_is_proposed(server: AccessServer) -> None:
    """The same difference and impact that the proposal has then; nothing is left behind."""
    url = f"/api/v1/projects/{server.ids[OWN]}/proposals"
    change = {"kind": "policy", "document": {"verdicts": {"malicious": "block", "suspicious": "block"}}}
    seen = basic(server, "dev", "POST", f"{url}/preview", json=change)
    assert seen.status_code == 200, seen.text
    assert basic(server, "dev", "GET", ALL).json()["items"] == []
    made = basic(server, "dev", "POST", url, json=change | {"reason": "stricter"}).json()
    assert {key: made[key] for key in seen.json()} == seen.json()
    assert 'verdicts.suspicious: "block"' in seen.json()["diff"]
    for wrong in ({"kind": "policy", "document": {"verdict": {}}}, {"kind": "policies", "document": {}}):
        assert basic(server, "dev", "POST", f"{url}/preview", json=wrong).status_code == 400
    assert basic(server, "far", "POST", f"{url}/preview", json=change).status_code == 404
