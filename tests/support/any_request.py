"""Requests that the API's own description allows, or just not: made by schemathesis, sent as every role, and each
answer held against the description."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from package_hunter.access.roles import SERVER_ROLES, Role
from tests.support import proposal_asks
from tests.support.access_server import FOREIGN, OWN, AccessServer

BASE = "http://localhost"
_FEW = ("nobody", "any-security-admin-all", "any-administrator-all")
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


@dataclass(frozen=True)
class Caller:
    """An account; ``token`` None: nobody."""

    name: str
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        """The credentials."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


class Asker:
    """Sends requests to the application in this process, over one event loop."""

    def __init__(self, server: AccessServer, few: bool = False) -> None:
        """``few``: as those that come furthest alone, where all have been tried on another database."""
        self.server = server
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=server.app, raise_app_exceptions=False), base_url=BASE
        )
        self.schema = schemathesis.openapi.from_dict(server.app.openapi())
        self.callers = [c for c in _callers(server) if not few or c.name in _FEW]

    def operations(self) -> list[APIOperation[Any, Any, Any]]:
        """All that the description has."""
        return [found.ok() for found in self.schema.get_all_operations()]

    def send(self, prepared: requests.PreparedRequest, caller: Caller) -> httpx.Response:
        """The answer to a request that was made ready, as this account."""
        headers = {k: v for k, v in prepared.headers.items() if k.lower() not in ("authorization", "cookie")}
        body = prepared.body
        content = body.encode() if isinstance(body, str) else body
        asked = self._client.request(
            str(prepared.method), str(prepared.url), headers=headers | caller.headers, content=content
        )
        return self._runner.run(asked)

    def close(self) -> None:
        """No more requests."""
        self._runner.run(self._client.aclose())
        self._runner.close()


def _callers(server: AccessServer) -> Iterator[Caller]:
    yield Caller("nobody", None)
    yield Caller("nothing", server.token("any-nothing"))
    for role in Role:
        for at in ("",) if role in SERVER_ROLES else ("", OWN):
            name = f"any-{role}-{'all' if not at else 'own'}"
            yield Caller(name, server.token(name, (role, at)))


def places(server: AccessServer, names: Sequence[str]) -> st.SearchStrategy[dict[str, str]]:
    """Parameters of a path that are there, in one's own place or a foreign one; none: as they were made."""
    found = []
    for target in (OWN, FOREIGN):
        known = {
            "project_id": str(server.ids[target]),
            "group_id": str(server.ids[target.split("/")[0]]),
            "scan_id": server.scans[target],
            "finding_id": server.findings[target],
            "number": str(proposal_asks.made(server, target, "any")),
            "purl": "pkg:npm/shared@1.0.0",
        }
        found.append({name: known[name] for name in names if name in known})
    return st.sampled_from([found[0], found[0], found[1], {}])


def cases(
    operation: APIOperation[Any, Any, Any], server: AccessServer
) -> st.SearchStrategy[tuple[Any, dict[str, str]]]:
    """Requests of this operation, as described and not as described, with parameters of places."""
    modes = [
        operation.as_strategy(generation_mode=mode)
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    ]
    names = [parameter.name for parameter in operation.path_parameters]
    return st.tuples(st.one_of(*modes), places(server, names))


def prepared(case: Any, known: dict[str, str]) -> requests.PreparedRequest:
    """The request as bytes."""
    if known:
        case.path_parameters = {**(case.path_parameters or {}), **known}
    kwargs = case.as_transport_kwargs(base_url=BASE)
    kwargs.pop("cookies", None)
    return requests.Request(**kwargs).prepare()
