"""What did not change is not sent again; what was changed meanwhile is not overwritten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from package_hunter.access.roles import Role
from tests.support.access_server import OWN, AccessServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("etags"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def token(server: AccessServer) -> str:
    return server.token("reads", (Role.SECURITY_ADMIN, ""), (Role.AUDITOR, ""))


@pytest.mark.parametrize("path", ["", "/report", "/report?format=json"])
def test_a_scan_that_is_as_it_was(server: AccessServer, token: str, path: str) -> None:
    url = f"/api/v1/scans/{server.scans[OWN]}{path}"
    first = server.ask(token, "GET", url)
    tag = first.headers["etag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        again = server.ask(token, "GET", url, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), known
    assert server.ask(token, "GET", url, headers={"If-None-Match": '"other"'}).content == first.content


def test_a_list_has_another_tag_once_something_is_added(server: AccessServer, token: str) -> None:
    before = server.ask(token, "GET", "/api/v1/scans").headers["etag"]
    assert server.ask(token, "GET", "/api/v1/scans").headers["etag"] == before
    assert server.ask(token, "POST", "/api/v1/scans", json={"purl": "pkg:npm/x"}).status_code == 202
    again = server.ask(token, "GET", "/api/v1/scans", headers={"If-None-Match": before})
    assert (again.status_code, again.headers["etag"] != before) == (200, True)


def test_forms_of_one_report_have_tags_of_their_own(server: AccessServer, token: str) -> None:
    url = f"/api/v1/scans/{server.scans[OWN]}"
    assert (
        server.ask(token, "GET", url).headers["etag"]
        != server.ask(token, "GET", f"{url}/report").headers["etag"]
    )


def test_a_refusal_has_no_tag(server: AccessServer, token: str) -> None:
    assert "etag" not in server.ask(token, "GET", f"/api/v1/scans/{server.ids[OWN]}").headers


def test_a_state_is_not_set_over_anothers_unseen(server: AccessServer, token: str) -> None:
    url = f"/api/v1/findings/{server.findings[OWN]}"
    seen = server.ask(token, "GET", url).headers["etag"]
    body = {"state": "confirmed", "reason": "not_applicable"}
    other = server.ask(token, "PUT", f"{url}/claim", json={"hours": 1})
    assert other.status_code == 200
    refused = server.ask(token, "PUT", f"{url}/state", json=body, headers={"If-Match": seen})
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (412, "changed")
    now = server.ask(token, "GET", url).headers["etag"]
    done = server.ask(token, "PUT", f"{url}/state", json=body, headers={"If-Match": now})
    assert (done.status_code, done.json()["state"]) == (200, "confirmed")
