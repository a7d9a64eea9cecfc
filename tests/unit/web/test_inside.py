"""Who opens a page changes nothing: what a page's GET may ask of the API."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from sqlalchemy import select

import package_hunter.web
from package_hunter.access.roles import Role
from package_hunter.api.gate import INSIDE
from package_hunter.api.page_permits import PAGES
from package_hunter.api.permit import Where
from package_hunter.api.permits import PERMITS
from package_hunter.report.sample import sample
from package_hunter.store.base import Base
from package_hunter.web.inside import ChangingError, ask, consult
from tests.support.access_server import OWN
from tests.support.pages_server import PagesServer

_OF_ACCOUNTS = {"tokens", "sessions", "accounts"}  # when they were used last


def _asked(method: str, inner: str) -> list[str]:
    """What reaches the API where a page that is asked by ``method`` asks it by ``inner``."""
    reached: list[str] = []

    async def api(scope: Any, _receive: Any, send: Any) -> None:
        reached.append(scope["method"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    scope = {
        "type": "http",
        "method": method,
        "path": "/a",
        "headers": [],
        "query_string": b"",
        "scheme": "http",
    }
    scope |= {"server": ("localhost", 3000), "identity": None, "principal": "ana", INSIDE: api}
    request = Request(scope)
    asyncio.run(consult(request, "/b", {}) if inner == "consult" else ask(request, inner, "/b"))
    return reached


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("inner", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_that_is_opened_asks_for_no_change(method: str, inner: str) -> None:
    with pytest.raises(ChangingError, match="is looked at"):
        _asked(method, inner)
    assert _asked("POST", inner) == [inner]
    assert _asked(method, "GET") == ["GET"]
    assert _asked(method, "consult") == ["POST"]


def test_routes_that_are_consulted_change_nothing() -> None:
    looks = {row.path for row in PERMITS if row.method == "POST" and row.action is None}
    said = list(_consulted())
    assert len(said) > 2
    for where, path in said:
        assert f"/api/v1{path}" in looks, where


def _consulted() -> Iterator[tuple[str, Any]]:
    """Each ``consult(request, "/path", …)`` of the pages; a path that is no literal is None."""
    for file in Path(package_hunter.web.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "consult":
                yield f"{file.name}:{node.lineno}", getattr(node.args[1], "value", None)


def test_opening_every_page_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    server = PagesServer(tmp_path)
    lead = server.token("lead", (Role.SECURITY_ADMIN, ""), (Role.ADMINISTRATOR, ""), (Role.AUDITOR, ""))
    scan = server.ended(sample())
    known = {"scan_id": scan, "project_id": str(server.ids[OWN]), "finding_id": server.findings[OWN]}
    known |= {"scope": "all", "group_id": str(server.ids[OWN.split("/")[0]])}
    paths = [
        re.sub(r"{(\w+)(?::path)?}", lambda hit: known.get(hit[1], "1"), row.path)
        for row in PAGES
        if _opens(row)
    ]
    before = _rows(server)
    codes = {path: server.ask(lead, "GET", path).status_code for path in paths}
    assert sorted(codes.values())[-1] < 500, codes
    assert list(codes.values()).count(200) > 25, codes
    assert _rows(server) == before
    server.close()


def _opens(row: Any) -> bool:
    return row.method == "GET" and row.where is not Where.OPEN


def _rows(server: PagesServer) -> dict[str, Any]:
    """All that is in the store, by table."""
    with server.store.read() as session:
        return {
            name: sorted(map(repr, session.execute(select(table))))
            for name, table in Base.metadata.tables.items()
            if name not in _OF_ACCOUNTS
        }
