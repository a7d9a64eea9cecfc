"""OpenAPI: every operation says what it is, what it needs, how it refuses; its examples are what it describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from package_hunter.api.permits import BY_ROUTE
from package_hunter.api.problems import MEDIA_TYPE
from tests.support.access_server import AccessServer

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    server = AccessServer(tmp_path_factory.mktemp("described"))
    yield server.app.openapi()
    server.store.close()


def _operations(schema: dict[str, Any]) -> list[Operation]:
    return [(m.upper(), path, op) for path, ops in schema["paths"].items() for m, op in ops.items()]


def _ours(schema: dict[str, Any]) -> list[Operation]:
    return [one for one in _operations(schema) if one[1].startswith("/api/v1/")]


def test_every_operation_says_what_it_is_and_what_it_needs(schema: dict[str, Any]) -> None:
    for method, path, operation in _operations(schema):
        permit = BY_ROUTE[method, path.replace("{purl}", "{purl:path}")]
        assert operation["summary"], path
        assert operation["x-where"] == permit.where.value
        needed = None if permit.permission is None else permit.permission.value
        assert operation.get("x-permission") == needed, path
    assert len(_operations(schema)) > 100


def test_every_operation_of_ours_says_how_it_refuses(schema: dict[str, Any]) -> None:
    for method, path, operation in _ours(schema):
        refusals = {s: a for s, a in operation["responses"].items() if s >= "400"}
        assert {"400", "503"} <= set(refusals), (method, path)
        if operation["x-where"] != "nobody is asked":
            assert {"401", "429"} <= set(refusals), (method, path)
        for status, answer in refusals.items():
            assert set(answer["content"]) == {MEDIA_TYPE}, (method, path, status)
            assert answer["description"]
        assert "headers" in refusals["503"]


def test_the_originals_refuse_as_they_did(schema: dict[str, Any]) -> None:
    for path in ("/", "/monitor/project/{manager}"):
        for operation in schema["paths"][path].values():
            kinds = {k for s, a in operation["responses"].items() if s >= "400" for k in a["content"]}
            assert kinds == {"application/json"}


def test_keys_and_tags_are_where_they_are_heeded(schema: dict[str, Any]) -> None:
    for method, path, operation in _ours(schema):
        headers = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "header"}
        permit = BY_ROUTE[method, path.replace("{purl}", "{purl:path}")]
        assert ("Idempotency-Key" in headers) is permit.keeps_answer, (method, path)
        assert ("If-Match" in headers) is ("412" in operation["responses"]), path
        good = operation["responses"].get("200")
        if method == "GET" and good is not None and "text/event-stream" not in good.get("content", {}):
            assert "If-None-Match" in headers and "304" in operation["responses"], path


def _shapes(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, shape in operation.get("requestBody", {}).get("content", {}).items():
        if kind == "application/json":
            yield "request", shape
    for status, answer in operation["responses"].items():
        for kind, shape in answer.get("content", {}).items():
            if "json" in kind:
                yield status, shape


def test_every_example_is_there_and_is_what_is_described(schema: dict[str, Any]) -> None:
    """``make``: python -m tests.support.api_examples."""
    wrong, seen = [], 0
    for method, path, operation in _ours(schema):
        for what, shape in _shapes(operation):
            if "example" not in shape:
                if shape.get("schema"):
                    wrong.append(f"{method} {path} {what}: none")
                continue
            seen += 1
            validator = Draft202012Validator({**shape["schema"], "components": schema["components"]})
            wrong += [
                f"{method} {path} {what}: {error.message[:200]}"
                for error in validator.iter_errors(shape["example"])
            ]
    assert wrong == []
    assert seen > 300


def test_no_example_holds_a_place_or_a_secret() -> None:
    text = (Path(__file__).resolve().parents[3] / "src/package_hunter/api/examples.json").read_text()
    assert not [word for word in ("phunt_", "/root", "/work/", "pytest", "otpauth://") if word in text]
