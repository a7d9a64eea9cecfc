"""Parameters that mean nothing are refused on every route of ours; what an identity provider adds is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from package_hunter.access.roles import Role
from package_hunter.api.permits import PERMITS, Permit
from tests.support.access_server import OWN, AccessServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("queries"))
    yield made
    made.store.close()


def _path(server: AccessServer, permit: Permit) -> str:
    known = {
        "project_id": str(server.ids[OWN]),
        "group_id": str(server.ids["web"]),
        "scan_id": server.scans[OWN],
        "finding_id": server.findings[OWN],
    }
    return re.sub(r"\{(\w+)(:path)?\}", lambda found: known.get(found[1], "1"), permit.path)


def test_every_route_of_ours_refuses_what_it_does_not_know(server: AccessServer) -> None:
    roles = [Role.SECURITY_ADMIN, Role.ADMINISTRATOR, Role.AUDITOR]
    token, wrong, tried = server.token("all", *[(role, "") for role in roles]), [], 0
    for permit in PERMITS:
        if not permit.path.startswith("/api/v1/"):
            continue
        answer = server.ask(token, permit.method, _path(server, permit), params={"nothing_known": "1"})
        refused = answer.status_code == 400 and "nothing_known" in answer.text
        early = answer.status_code in (403, 404)  # no person, no such proposal: told first
        tried += refused
        if permit.any_query:
            early = not refused
        if not refused and not early:
            wrong.append(f"{permit.method} {permit.path}: {answer.status_code} {answer.text[:100]}")
    assert wrong == []
    assert tried > 60


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("/api/v1/scans?verdit=malicious", "Did you mean 'verdict'?"),
        ("/api/v1/findings?severty=high", "Did you mean 'severity'?"),
        ("/api/v1/who-has?zzz=1", "Known here: digest, fingerprint, host, purl."),
        ("/api/v1/me?x=", "This route takes none."),
    ],
)
def test_the_refusal_says_what_there_is(server: AccessServer, url: str, advice: str) -> None:
    token = server.token(f"reads{len(url)}", (Role.AUDITOR, ""))
    answer = server.ask(token, "GET", url).json()
    assert (answer["status"], answer["advice"]) == (400, advice)
    assert answer["type"].endswith(":unknown-parameter")


def test_the_originals_route_ignores_what_it_does_not_know(server: AccessServer) -> None:
    token = server.token("original", (Role.VIEWER, OWN))
    assert server.ask(token, "GET", f"/?id={server.scans[OWN]}&x=1").status_code == 200


def test_parameters_that_a_route_reads_by_itself_are_known(server: AccessServer) -> None:
    token = server.token("commits", (Role.DEVELOPER, OWN))
    answer = server.ask(
        token, "POST", f"/api/v1/scans?commit={'a' * 40}&ref=main", json={"purl": "pkg:npm/x"}
    )
    assert "A package is no commit's tree." in answer.json()["detail"]
