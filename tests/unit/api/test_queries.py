"""Parameters that mean nothing are refused on every route of ours; what an identity provider adds is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel

from package_hunter.access.roles import Role
from package_hunter.api import queries
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


def test_every_route_of_ours_refuses_what_is_given_twice(server: AccessServer) -> None:
    roles = [Role.SECURITY_ADMIN, Role.ADMINISTRATOR, Role.AUDITOR]
    token, wrong, tried = server.token("twice", *[(role, "") for role in roles]), [], 0
    known = {(m, r.path): queries.known_to(r) for r in _routes_of(server.app.routes) for m in r.permits}
    for permit in PERMITS:
        single = [name for name, many in known[permit.method, permit.path].items() if not many]
        if not permit.path.startswith("/api/v1/") or not single or permit.any_query:
            continue
        twice = [(single[0], "1"), (single[0], "2")]
        answer = server.ask(token, permit.method, _path(server, permit), params=twice)
        tried += 1
        if answer.status_code not in (403, 404) and not _is(answer, "given-twice"):
            wrong.append(f"{permit.method} {permit.path}: {answer.status_code} {answer.text[:100]}")
    assert wrong == []
    assert tried > 30


def _routes_of(routes: Iterable[Any]) -> Iterator[Any]:
    """Ours, within routers that the application includes."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes_of(inner.routes)
        elif hasattr(route, "permits"):
            yield route


@pytest.mark.parametrize(
    ("method", "url", "header", "values"),
    [
        ("POST", "/api/v1/scans", "Idempotency-Key", ("a", "a")),
        ("PUT", "/api/v1/findings/{finding}/state", "If-Match", ('"a"', "*")),
        ("GET", "/api/v1/scans", "If-None-Match", ('"a"', '"b"')),
        ("POST", "/api/v1/scans", "Package-Hunter-Commit", ("a" * 40, "b" * 40)),
        ("GET", "/api/v1/scans/{scan}/events", "Last-Event-ID", ("1", "2")),
    ],
)
def test_a_header_that_is_heeded_comes_once(
    server: AccessServer, method: str, url: str, header: str, values: tuple[str, str]
) -> None:
    token = server.token(f"header-{header}", (Role.SECURITY_ADMIN, ""))
    path = url.format(finding=server.findings[OWN], scan=server.scans[OWN])
    headers = [(header, value) for value in values]
    answer = server.ask(token, method, path, headers=[*headers, ("x-other", "1"), ("x-other", "2")])
    assert _is(answer, "given-twice") and header.lower() in answer.json()["detail"]


class Asked(BaseModel):
    kinds: list[str] = []
    maybe: tuple[int, ...] | None = None
    one: str | None = None


def test_a_list_may_be_given_again() -> None:
    app = FastAPI()

    @app.get("/")
    def route(asked: Annotated[Asked, Query()], more: Annotated[list[int] | None, Query()] = None) -> None:
        return

    (made,) = [one for one in app.routes if getattr(one, "path", "") == "/"]
    assert isinstance(made, APIRoute)
    known = queries.known_to(made)
    assert known == {"kinds": True, "maybe": True, "one": False, "more": True}


def _is(answer: httpx.Response, kind: str) -> bool:
    return answer.status_code == 400 and str(answer.json()["type"]).endswith(f":{kind}")


def test_a_condition_is_heeded_or_refused(server: AccessServer) -> None:
    """No route of ours does what comes with If-Match as if nothing had been said."""
    roles = [Role.SECURITY_ADMIN, Role.ADMINISTRATOR, Role.AUDITOR]
    token, wrong, heeds = server.token("matches", *[(role, "") for role in roles]), [], set()
    described = server.app.openapi()["paths"]
    for permit in PERMITS:
        if not permit.path.startswith("/api/v1/") or not permit.changes:
            continue
        operation = described[permit.path.replace(":path", "")][permit.method.lower()]
        if any(one["name"] == "If-Match" for one in operation.get("parameters", [])):
            heeds.add(permit.path)
            continue
        answer = server.ask(token, permit.method, _path(server, permit), headers={"If-Match": '"x"'})
        if answer.status_code not in (403, 404) and not _is(answer, "no-condition"):
            wrong.append(f"{permit.method} {permit.path}: {answer.status_code} {answer.text[:100]}")
    assert wrong == []
    assert heeds == {"/api/v1/findings/{finding_id}/state", "/api/v1/proposals/{number}"}


def test_parameters_that_a_route_reads_by_itself_are_known(server: AccessServer) -> None:
    token = server.token("commits", (Role.DEVELOPER, OWN))
    answer = server.ask(
        token, "POST", f"/api/v1/scans?commit={'a' * 40}&ref=main", json={"purl": "pkg:npm/x"}
    )
    assert "A package is no commit's tree." in answer.json()["detail"]
