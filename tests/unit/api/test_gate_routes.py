"""The gate over HTTP: what CI jobs' tokens vouch for, what is said by query and by header, who sees what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from package_hunter.access.job import JobClaims
from package_hunter.access.roles import Role
from package_hunter.governance import policies
from package_hunter.governance.gate.forges import Forge, Forges
from package_hunter.store import ci, providers
from package_hunter.store.database import now_ms
from package_hunter.store.gate_tables import Repository, Watch
from package_hunter.store.members import Place
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer
from tests.support.service_fake import made_report

ISSUER = "https://gitlab.example"
PINNED = "gitlab.example/security/ci//hunter.yml@refs/heads/main"
COMMIT, OTHER = "a" * 40, "b" * 40
CLAIMS = JobClaims(ISSUER, "web/shop", COMMIT, "refs/heads/main", PINNED)
ARCHIVE = {"Content-Type": "application/octet-stream"}
_numbers = itertools.count()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path)
    with made.store.write() as session:
        document = {"pipeline": [{"issuer": ISSUER, "definition": PINNED}]}
        policies.put(session, TEST, Place(), document, "a test")
        new = providers.NewProvider("lab", "gitlab", ISSUER, "hunter")
        row = providers.add(session, made.app.state.service.box, new, TEST)
        rule = ci.Rule("shop", "lab", {"project_path": ["web/shop"]}, OWN)
        ci.add_rule(session, row, rule, TEST)
    yield made
    made.store.close()


def job(server: AccessServer, claims: JobClaims = CLAIMS) -> str:
    """A job's token, as `POST /api/v1/job-token` gives it."""
    with server.store.write() as session:
        row = next(r for r in providers.providers(session, "gitlab") if r.name == "lab")
        rule = next(iter(ci.rules(session, row.id)))
        seen = ci.Job(f"j{next(_numbers)}", now_ms() + 600_000, "7", claims, {})
        return ci.exchange(session, row, seen, rule, OWN, "192.0.2.1").token


def scan(server: AccessServer, token: str, url: str = "", **more: Any) -> httpx.Response:
    where = url or f"/api/v1/scans?project={OWN}&commit={COMMIT}&ref=main&merge_request=7"
    return server.ask(token, "POST", where, content=b"x", headers=ARCHIVE | more.pop("headers", {}), **more)


def finish(server: AccessServer) -> None:
    found = server.queue.claim("w")
    assert found is not None
    server.queue.finish(found, made_report(str(found.scan_id)))


def word(server: AccessServer, token: str, commit: str = COMMIT, project: str = OWN) -> dict[str, Any]:
    answer = server.ask(token, "GET", "/api/v1/gate", params={"project": project, "commit": commit})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_pinned_jobs_scan_opens_the_gate_for_its_commit_alone(server: AccessServer) -> None:
    token = job(server)
    assert word(server, token)["result"] == "missing"
    assert scan(server, token).status_code == 202
    assert word(server, token)["waits"] is True
    finish(server)
    passed = word(server, token)
    assert (passed["result"], passed["scans"][0]["known"]) == ("pass", "pinned")
    assert word(server, token, OTHER)["result"] == "missing"
    assert word(server, token)["id"] == passed["id"]
    listed = server.ask(token, "GET", "/api/v1/gate/answers", params={"project": OWN, "commit": COMMIT})
    assert [a["result"] for a in listed.json()["items"]] == ["pass", "missing", "missing"]


@pytest.mark.parametrize(
    "claims",
    [
        replace(CLAIMS, commit=OTHER),
        replace(CLAIMS, pipeline_definition="gitlab.example/web/shop//.gitlab-ci.yml@refs/heads/main"),
        replace(CLAIMS, issuer="https://other.example"),
    ],
)
def test_a_spoofed_job_is_but_claimed(server: AccessServer, claims: JobClaims) -> None:
    token = job(server, claims)
    assert scan(server, token).status_code == 202
    finish(server)
    found = word(server, token)
    assert (found["result"], found["scans"][0]["known"], found["scans"][0]["counts"]) == (
        "missing",
        "claimed",
        False,
    )


def test_a_machines_or_persons_word_is_but_a_claim(server: AccessServer) -> None:
    token = server.token("dev", (Role.SECURITY_ADMIN, OWN))
    scan(server, token)
    finish(server)
    assert word(server, token)["result"] == "missing"


def test_the_originals_clients_say_it_by_headers(server: AccessServer) -> None:
    token = job(server)
    headers = {"Package-Hunter-Commit": COMMIT, "Package-Hunter-Merge-Request": "7"}
    assert scan(server, token, "/monitor/project/npm", headers=headers).status_code == 200
    assert word(server, token)["waits"] is True


@pytest.mark.parametrize(
    "query",
    [
        "commit=main",
        "ref=main",
        f"commit={COMMIT}&ref=a%20b",
        f"commit={COMMIT}&merge_request=x",
        f"commit={COMMIT}&base=short",
        f"commit={COMMIT}%00",
    ],
)
def test_what_is_said_wrongly_is_refused_and_nothing_is_stored(server: AccessServer, query: str) -> None:
    token = job(server)
    assert scan(server, token, f"/api/v1/scans?project={OWN}&{query}").status_code == 400
    assert server.queue.claim("w") is None


def test_a_package_is_no_commits_tree(server: AccessServer) -> None:
    url = f"/api/v1/scans?project={OWN}&commit={COMMIT}"
    assert server.ask(job(server), "POST", url, json={"purl": "pkg:npm/x"}).status_code == 400


def test_a_foreign_project_is_not_there(server: AccessServer) -> None:
    token = server.token("blind", (Role.SECURITY_ADMIN, OWN))
    for method, url in (
        ("GET", "/api/v1/gate"),
        ("GET", "/api/v1/gate/answers"),
        ("POST", "/api/v1/gate/fetches"),
    ):
        answers = [
            server.ask(token, method, url, params={"project": path, **asked(url)}, **body(method))
            for path in (FOREIGN, "web/none")
        ]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].content == answers[1].content


def asked(url: str) -> dict[str, str]:
    return {"commit": COMMIT} if url.endswith("/gate") else {}


def body(method: str) -> dict[str, Any]:
    return {"json": {"commit": COMMIT}} if method == "POST" else {}


def test_addresses_that_lead_inside_are_refused(server: AccessServer) -> None:
    admin = server.token("root", (Role.ADMINISTRATOR, ""))
    server.app.state.service.forges = Forges((Forge("lab", "gitlab", "https://gitlab.example/"),))
    for url in (
        "http://169.254.169.254/x",
        "https://127.0.0.1/x",
        "file:///etc/passwd",
        "https://gitlab.example@x/y",
    ):
        made = {"project": OWN, "url": url}
        assert server.ask(admin, "POST", "/api/v1/repositories", json=made).status_code == 400, url
    made = {"project": OWN, "url": "https://gitlab.example/web/shop.git"}
    assert server.ask(admin, "POST", "/api/v1/repositories", json=made).status_code == 201
    lead = server.token("lead", (Role.SECURITY_ADMIN, ""))
    assert server.ask(lead, "POST", "/api/v1/repositories", json=made).status_code == 403, (
        "it is the server's to say"
    )


def test_asking_arms_the_forge_and_asks_little_of_the_store(server: AccessServer) -> None:
    token = job(server)
    word(server, token)
    with server.store.read() as session:
        assert session.query(Watch).all() == [], "there is no forge to tell"
    with server.store.write() as session:
        session.add(Repository(project_id=server.ids[OWN], url="https://gitlab.example/a", created=1))
    word(server, token)
    with server.store.read() as session:
        assert [w.commit for w in session.query(Watch).all()] == [COMMIT]


def test_fetches_are_bounded(server: AccessServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("package_hunter.governance.gate.fetches.MAX_WAITING", 2)
    with server.store.write() as session:
        session.add(Repository(project_id=server.ids[OWN], url="https://gitlab.example/a", created=1))
    token = server.token("dev", (Role.DEVELOPER, OWN))

    def ask(commit: str) -> int:
        made = server.ask(token, "POST", f"/api/v1/gate/fetches?project={OWN}", json={"commit": commit})
        return made.status_code

    assert [ask("1" * 40), ask("1" * 40), ask("2" * 40), ask("3" * 40)] == [202, 202, 202, 400]
