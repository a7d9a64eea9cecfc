"""Refusals: problem documents on our routes, the original's form on its own."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from package_hunter.access.roles import Role
from package_hunter.api import problems
from package_hunter.api.errors import ApiError
from tests.support.access_server import OWN, AccessServer

SCAN = "3f0c9c52-27a7-4c6b-9b0c-5d3d4ac4a1de"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("problems"))
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("method", "path", "status", "word"),
    [
        ("GET", f"/api/v1/scans/{SCAN}", 404, "scan"),
        ("GET", "/api/v1/nothing%20here", 404, "Not Found"),
        ("DELETE", "/api/v1/health", 405, "Not Allowed"),
        ("GET", "/api/v1/scans?limit=0", 400, "limit"),
        ("POST", "/api/v1/projects", 400, "body"),
        ("GET", "/api/v1/users", 403, "permission"),
    ],
)
def test_ours_are_problem_documents(
    server: AccessServer, method: str, path: str, status: int, word: str
) -> None:
    token = server.token(f"reads-{method}-{path[-9:]}".replace("/", "-"), (Role.VIEWER, ""))
    if path.endswith("projects"):
        token = server.token("makes", (Role.SECURITY_ADMIN, ""))
    answer = server.ask(token, method, path)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["type"]) == (status, status, "about:blank")
    assert word.lower() in (body["detail"] + body["title"]).lower()
    assert body["instance"] == path.partition("?")[0]
    assert set(body) == {"type", "title", "status", "detail", "instance", "advice"}


def test_without_credentials_too(server: AccessServer) -> None:
    answer = server.ask(None, "GET", "/api/v1/scans")
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_originals_stay_as_they_were(server: AccessServer) -> None:
    answer = server.ask(server.token("old", (Role.VIEWER, "")), "GET", "/")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "status": "error",
        "reason": "The query has no id.",
        "message": "The query has no id. Ask for GET /?id=ID with the id that POST /monitor/project/npm returned.",
    }


def test_a_kind_has_a_name_and_a_title_of_its_own() -> None:
    refusal = ApiError(409, "It is under a legal hold.", kind="held")
    body = json.loads(refusal.body("/api/v1/scans/x"))
    assert (body["type"], body["title"]) == ("urn:problem-type:package-hunter:held", problems.TYPES["held"])


def test_no_two_problems_have_one_name_or_one_title() -> None:
    """Each kind has one status and a title of its own, also beside those of the statuses, and is raised somewhere."""
    titles = [title.lower() for title in problems.TYPES.values()]
    assert len(set(titles)) == len(titles)
    assert not set(titles) & {one.phrase.lower() for one in HTTPStatus}
    statuses = _raised()
    assert set(statuses) == set(problems.TYPES), "a kind that nobody raises, or that has no title"
    assert {kind: found for kind, found in statuses.items() if len(found) != 1} == {}


_HELPERS = {"too_many": 429, "unavailable": 503}


def _raised() -> dict[str, set[int]]:
    """By kind: the statuses that the API's source raises it with."""
    found: dict[str, set[int]] = {}
    for file in sorted(Path(problems.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = [*node.args[3:], *(k.value for k in node.keywords if k.arg == "kind")]
            words = {n.value for one in given for n in ast.walk(one) if isinstance(n, ast.Constant)}
            status = _HELPERS.get(node.func.id)
            if node.func.id == "ApiError" and isinstance(node.args[0], ast.Constant):
                status = node.args[0].value
            for word in words & set(problems.TYPES) if status is not None else ():
                found.setdefault(word, set()).add(status)
    return found


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b'{"why": ', "malformed-json", "The body is no JSON: Expecting value at character 9."),
        (b"nonsense", "malformed-json", "at character 1."),
        (b"[1,]", "malformed-json", "The body is no JSON"),
        (b'{"why": "a", "why": "b"}', "given-twice", "The body gives 'why' twice."),
        (b'{"why": 7}', None, "The field 'why' of the body is wrong"),
        (b"[]", None, "The body is wrong"),
        (b'{"why": "\xff"}', "malformed-json", "not UTF-8 at character 10."),
        (b"[" * 200_000, "malformed-json", "nested too deeply"),
    ],
)
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}])
def test_what_is_wrong_with_a_body(
    server: AccessServer, key: dict[str, str], body: bytes, kind: str | None, says: str
) -> None:
    token = server.token(f"bodies-{len(key)}-{hash(body)}", (Role.DEVELOPER, OWN))
    headers = {"Content-Type": "application/json", **key}
    url = f"/api/v1/scans/{server.scans[OWN]}/cancel"
    answer = server.ask(token, "POST", url, content=body, headers=headers)
    found = answer.json()
    assert (answer.status_code, found["type"].rpartition(":")[2]) == (400, kind or "blank")
    assert says in found["detail"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"purl"', "no JSON"),
        (b'{"purl": "pkg:npm/a", "purl": "pkg:npm/b"}', "gives 'purl' twice"),
        (b'{"purl": 1}', "field 'purl' of the body"),
        (b"7", "The body is wrong"),
        (b"\xff", "no JSON"),
        (b"[" * 60_000, "no JSON"),
    ],
)
def test_the_same_of_a_submission(server: AccessServer, body: bytes, says: str) -> None:
    token = server.token(f"submits-{hash(body)}", (Role.DEVELOPER, OWN))
    headers = {"Content-Type": "application/json"}
    answer = server.ask(token, "POST", "/api/v1/scans", content=body, headers=headers)
    assert (answer.status_code, says in answer.json()["detail"]) == (400, True), answer.text


def test_a_path_of_any_bytes_is_an_instance_of_ascii() -> None:
    found = problems.document(404, "No.", "", '/api/v1/\udcff\x00"é' + "x" * 2_000)["instance"]
    assert found.isascii() and found.startswith("/api/v1/%3F%00%22%C3%A9xxx") and len(found) == 512


@pytest.mark.parametrize(
    ("status", "title"), [(404, "Not Found"), (429, "Too Many Requests"), (499, "Error")]
)
def test_a_status_says_what_it_is(status: int, title: str) -> None:
    assert problems.document(status, "x", "", "/api/v1/")["title"] == title


def test_every_kind_is_in_the_document() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/api.md").read_text(encoding="utf-8")
    assert [kind for kind in problems.TYPES if f"`{kind}`" not in text] == []
