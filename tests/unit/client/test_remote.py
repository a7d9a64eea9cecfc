"""The client against a server that misbehaves (httpx's mock transport stands in for the network)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from package_hunter.client import remote
from package_hunter.client.credentials import Bearer
from package_hunter.client.remote import Remote, RemoteScanError, Submission
from package_hunter.errors import HunterError, UnreachableError, UsageError
from package_hunter.model.report_form import to_json
from tests.support.judge_samples import report

ID = "633414e2-24f2-412a-811f-c37131ff2c61"
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], tuple[Remote, list[str]]]:
    def make(handler: Handler) -> tuple[Remote, list[str]]:
        real = httpx.Client
        monkeypatch.setattr(
            remote.httpx, "Client", lambda **kw: real(transport=httpx.MockTransport(handler), **kw)
        )
        said: list[str] = []
        return Remote("https://hunter.example", Bearer("ph_x"), said.append, sleep=lambda _: None), said

    return make


def server(**changed: Any) -> tuple[Handler, list[httpx.Request]]:
    """Answers as the real one: pending once, then finished; ``changed`` replaces answers by name."""
    seen: list[httpx.Request] = []
    states = iter(["pending", "running"])

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        request.read()
        path = request.url.path
        if path.endswith("/report"):
            return changed.get("report") or httpx.Response(200, json=to_json(report()))
        if request.method == "POST":
            return changed.get("submit") or httpx.Response(202, json={"id": ID})
        if path == "/api/v1/scans":
            return changed.get("first") or httpx.Response(200, json={"scans": []})
        return changed.get("status") or httpx.Response(200, json={"status": next(states, "finished")})

    return handle, seen


def test_a_package(talk: Any) -> None:
    handle, seen = server()
    client, said = talk(handle)
    assert client.scan(Submission("npm", purl="pkg:npm/x"), 60).id == ID
    assert json.loads(seen[1].content) == {"purl": "pkg:npm/x"}
    assert all(r.headers["authorization"] == "Bearer ph_x" for r in seen)
    assert said == [f"submitted as {ID}", "waiting for a worker", "running"]


def test_how_far_to_look_is_passed_on(talk: Any) -> None:
    handle, seen = server()
    client, _ = talk(handle)
    client.scan(Submission(purl="pkg:npm/x", depth="deep"), 60)
    assert dict(seen[1].url.params) == {"depth": "deep"}


def test_an_archive_is_streamed_with_progress(talk: Any, tmp_path: Path) -> None:
    archive = tmp_path / "a.tgz"
    archive.write_bytes(b"x" * 3_000_000)
    handle, seen = server()
    client, said = talk(handle)
    client.scan(Submission("npm", archive, "demo"), 60)
    assert len(seen[1].content) == 3_000_000
    assert seen[1].url.params["name"] == "demo"
    assert "uploaded 50 % of 3.0 MB" in said


def test_a_failed_scan_ends_as_a_local_one_would(talk: Any) -> None:
    status = httpx.Response(200, json={"status": "failed", "reason": "No tar.", "exit_code": 3})
    client, _ = talk(server(status=status)[0])
    with pytest.raises(RemoteScanError, match="No tar") as caught:
        client.scan(Submission(purl="pkg:npm/x"), 60)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        ({"first": httpx.Response(401, json={"message": "No."})}, UsageError, 2),
        ({"first": httpx.Response(404)}, UsageError, 2),
        ({"first": httpx.Response(302, headers={"Location": "https://evil.example"})}, UsageError, 2),
        ({"first": httpx.Response(500)}, UnreachableError, 69),
        ({"submit": httpx.Response(413, json={"message": "Too large."})}, UsageError, 2),
        ({"submit": httpx.Response(202, text="<html>")}, UsageError, 2),
        ({"submit": httpx.Response(202, json=[1])}, UsageError, 2),
        (
            {"submit": httpx.Response(503, headers={"Retry-After": "1"}, json={"message": "Full."})},
            UnreachableError,
            69,
        ),
        ({"report": httpx.Response(200, json={"schema_version": "1"})}, UnreachableError, 69),
    ],
)
def test_refusals(talk: Any, answers: dict[str, httpx.Response], kind: type[HunterError], code: int) -> None:
    client, _ = talk(server(**answers)[0])
    with pytest.raises(kind) as caught:
        client.scan(Submission(purl="pkg:npm/x"), 60)
    assert caught.value.exit_code == code
    assert caught.value.message


def test_a_busy_server_is_asked_again(talk: Any) -> None:
    handle, _ = server()
    busy = iter([429, 503])

    def sometimes(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and (status := next(busy, None)):
            return httpx.Response(status, headers={"Retry-After": "2"}, json={"message": "Busy.\x1b[2J"})
        return handle(request)

    client, said = talk(sometimes)
    client.scan(Submission(purl="pkg:npm/x"), 60)
    assert said[0] == "the server is busy: Busy. [2J Trying again in 2 s."


def test_a_server_that_restarts_while_we_wait(talk: Any) -> None:
    handle, _ = server()
    breaks = iter([True, True])

    def flaky(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(ID) and next(breaks, False):
            raise httpx.ConnectError("refused")
        return handle(request)

    client, _ = talk(flaky)
    assert client.scan(Submission(purl="pkg:npm/x"), 60).id == ID


def test_nobody_there(talk: Any) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    client, _ = talk(refuse)
    with pytest.raises(UnreachableError, match=r"hunter\.example does not answer \(Connection refused\)"):
        client.scan(Submission(purl="pkg:npm/x"), 60)


def test_waiting_has_an_end(talk: Any) -> None:
    client, _ = talk(server(status=httpx.Response(200, json={"status": "running"}))[0])
    with pytest.raises(UnreachableError, match="not finished within 0 s"):
        client.scan(Submission(purl="pkg:npm/x"), 0)


@pytest.mark.parametrize("url", ["hunter.example", "ftp://hunter.example", "https://", ""])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        Remote(url, None, print)


def test_credentials_in_the_clear_are_warned_of(talk: Any) -> None:
    said: list[str] = []
    with Remote("http://hunter.example", Bearer("x"), said.append):
        assert "unencrypted" in said[0]
    with Remote("http://localhost:3000", Bearer("x"), said.append):
        assert len(said) == 1
