"""What somebody may not see is not there for him: in paths, lists, searches, counts and error texts alike. Whatever is
asked about a foreign thing is answered as about one that does not exist, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from package_hunter.access.roles import SERVER_ROLES, Role
from package_hunter.api.permits import PERMITS, Permit, Where
from tests.support import proposal_asks
from tests.support.access_server import FOREIGN, OWN, AccessServer

ABSENT = "web/none"
"""A path as long as the foreign one's, of nothing."""
_PARAMETER = re.compile(r"\{(\w+)\}")
_PLACES = {"project_id", "group_id", "scan_id"}
_OWN_ROLES = [role for role in Role if role not in SERVER_ROLES]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("hidden"))
    yield made
    made.store.close()


def _foreign(server: AccessServer) -> dict[str, str]:
    """Ids of the foreign place, by the names that routes give them."""
    return {
        "project_id": str(server.ids[FOREIGN]),
        "group_id": str(server.ids["ops"]),
        "scan_id": server.scans[FOREIGN],
        "finding_id": server.findings[FOREIGN],
        "number": str(proposal_asks.made(server, FOREIGN, "hidden")),
    }


def _words(server: AccessServer) -> list[tuple[str, str]]:
    """What names something foreign, and what is of the same form and names nothing."""
    words = [(FOREIGN, "ops/nil"), ("ops", "opq")]
    return words + [(key, _like(key)) for key in _foreign(server).values() if not key.isdigit()]


def _like(key: str) -> str:
    """An id of nothing, of the same form."""
    if key.isdigit():
        return str(int(key) + 10**6)
    return key[:-1] + ("0" if key[-1] != "0" else "1")


def _same(hidden: httpx.Response, absent: httpx.Response, foreign: str, other: str) -> bool:
    """Equal, but for the word itself where it is said back; or both have made something new."""
    if hidden.status_code == absent.status_code and hidden.status_code in (201, 202):
        return True
    mine = hidden.text.replace(foreign, "?"), hidden.status_code
    return mine == (absent.text.replace(other, "?"), absent.status_code)


def _told(answer: httpx.Response, ids: dict[str, str]) -> tuple[int, str]:
    """Without the path that was asked for, which the answer names."""
    text = answer.text
    for key in ids.values():
        text = text.replace(f"/{key}", "/?")
    return answer.status_code, text


def _paths() -> list[Permit]:
    known = _PLACES | {"finding_id", "number"}
    return [p for p in PERMITS if (names := set(_PARAMETER.findall(p.path))) and names <= known]


@pytest.mark.parametrize("role", _OWN_ROLES)
def test_a_foreign_path_is_answered_as_one_that_leads_nowhere(server: AccessServer, role: Role) -> None:
    token, foreign = server.token(f"path-{role}", (role, OWN)), _foreign(server)
    nothing = {name: _like(key) for name, key in foreign.items()}
    wrong = []
    for permit in _paths():
        names = set(_PARAMETER.findall(permit.path))
        for body in (None, {}):
            hidden, absent = (
                server.ask(token, permit.method, permit.path.format(**ids), json=body)
                for ids in (foreign, nothing)
            )
            # what is wrong whatever it is about may be said before anything is looked up
            early = hidden.status_code in (400, 403) and not names & _PLACES
            same = _told(hidden, foreign) == _told(absent, nothing)
            if not same or not (early or hidden.status_code == 404):
                wrong.append(f"{permit.method} {permit.path}: {hidden.status_code} {hidden.text[:120]}")
    assert wrong == []
    assert len(_paths()) > 10


def _queries(server: AccessServer) -> Iterator[tuple[Permit, str, dict[str, Any]]]:
    """Every text that a route without parameters in its path can be asked by."""
    described = server.app.openapi()["paths"]
    for permit in PERMITS:
        if _PARAMETER.findall(permit.path) or permit.where is Where.OPEN:
            continue
        operation = described.get(permit.path, {}).get(permit.method.lower(), {})
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query" and "string" in str(parameter["schema"]):
                yield permit, parameter["name"], operation


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SECURITY_ADMIN], ids=["least", "most"])
def test_searching_for_what_is_foreign_finds_what_searching_for_nothing_finds(
    server: AccessServer, role: Role
) -> None:
    token, wrong, tried = server.token(f"search-{role}", (role, OWN)), [], 0
    for permit, name, _ in _queries(server):
        for foreign, other in _words(server):
            hidden, absent = (
                server.ask(token, permit.method, permit.path, params={name: word}, json={"purl": "pkg:npm/x"})
                for word in (foreign, other)
            )
            tried += 1
            if not _same(hidden, absent, foreign, other):
                wrong.append(f"{permit.method} {permit.path}?{name}={foreign}: {hidden.text[:160]}")
    assert wrong == []
    assert tried > 20


@pytest.mark.parametrize("role", _OWN_ROLES)
def test_no_list_count_or_answer_names_what_is_foreign(server: AccessServer, role: Role) -> None:
    token = server.token(f"list-{role}", (role, OWN))
    secrets = {FOREIGN, *(key for key in _foreign(server).values() if not key.isdigit())}
    wrong = []
    for permit in PERMITS:
        if permit.method != "GET" or _PARAMETER.findall(permit.path) or permit.where is Where.OPEN:
            continue
        answer = server.ask(token, "GET", permit.path)
        wrong += [f"{permit.path}: {word}" for word in secrets if word in answer.text]
    assert wrong == []


@pytest.mark.parametrize("role", _OWN_ROLES)
def test_bodies_that_name_what_is_foreign(server: AccessServer, role: Role) -> None:
    """A role in a foreign place, a home there, a scan into it: as for a place that is not there."""
    token = server.token(f"body-{role}", (role, "web"))
    for method, path, body in (
        ("POST", "/api/v1/tokens", {"name": "x", "roles": [{"role": "viewer", "project": "@"}]}),
        ("POST", "/api/v1/tokens", {"name": "x", "roles": [{"role": "viewer", "group": "@"}]}),
        ("POST", "/api/v1/users", {"name": "x", "password": "correct horse", "roles": [], "home": "@"}),
        ("POST", "/api/v1/projects", {"path": "@/new"}),
        ("POST", "/api/v1/groups", {"path": "@/new"}),
    ):
        answers = []
        for word in (FOREIGN, ABSENT):
            asked = {key: _put(value, word) for key, value in body.items()}
            answers.append(server.ask(token, method, path, json=asked))
        assert _same(*answers, FOREIGN, ABSENT), (path, [a.text for a in answers])


def _put(value: Any, word: str) -> Any:
    if isinstance(value, str):
        return value.replace("@", word)
    if isinstance(value, list):
        return [{k: _put(v, word) for k, v in one.items()} for one in value]
    return value
