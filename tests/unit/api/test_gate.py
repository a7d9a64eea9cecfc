"""The gate: whatever an application behind it does, the answer is a safe one."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from package_hunter.api.errors import SAFE_HEADERS, overloaded
from package_hunter.api.gate import Gate, _here
from package_hunter.api.metrics import Metrics
from package_hunter.api.service import Service
from package_hunter.api.waiting import Waiting
from package_hunter.store.database import StoreError

SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "path": "/api/v1/health",
    "headers": [(b"host", b"localhost")],
    "client": ("192.0.2.1", 1),
}


def answer(app: Any, scope: dict[str, Any] = SCOPE) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(dict(scope), receive, send))
    return sent


def gate(app: Any) -> Gate:
    service = SimpleNamespace(
        settings=SimpleNamespace(development=False, public_url="", traces_url=None),
        refusal=lambda error, scope: error.response(scope["path"]),
    )
    return Gate(app, cast("Service", service), Metrics())


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (RuntimeError("/var/lib/secret"), 500, "The server failed."),
        (OSError(28, "No space left", "/var/lib/secret"), 500, "The server failed."),
        (
            StoreError("The store failed (/run/socket).", "Wait.", "The store failed."),
            503,
            "The store failed.",
        ),
    ],
)
def test_what_fails_inside_is_a_safe_answer(error: Exception, status: int, reason: str) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise error

    start, body = answer(gate(app))
    assert start["status"] == status
    assert set(SAFE_HEADERS) <= set(start["headers"])
    assert json.loads(body["body"])["detail"] == reason


def test_half_an_answer_is_cut() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        answer(gate(app))


def test_websockets_are_turned_away() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError("reached")

    assert answer(gate(app), {**SCOPE, "type": "websocket"}) == [{"type": "websocket.close", "code": 1008}]


def test_the_overloaded_server_s_answer_is_safe() -> None:
    start, _ = answer(overloaded)
    assert start["status"] == 503
    assert {*SAFE_HEADERS, (b"connection", b"close")} <= set(start["headers"])


@pytest.mark.parametrize(
    ("location", "here"),
    [
        (b"http://evil.example/a?b=c", b"/a?b=c"),
        (b"https://evil.example:81/a", b"/a"),
        (b"http://host/b", b"/b"),
        (b"//evil.example/a", b"/evil.example/a"),
        (b"http://host//evil.example", b"/evil.example"),
        (b"/a", b"/a"),
        (b"http://evil.example", b"/"),
        (b"/\\evil.example", b"/evil.example"),
    ],
)
def test_redirects_stay_here(location: bytes, here: bytes) -> None:
    assert _here(location, b"host") == here


def test_the_oldest_waiting_connection_of_the_greediest_address_ends() -> None:
    ended: list[str] = []
    waiting = Waiting(of_an_address=2, of_all=3)
    ends = {name: (lambda name=name: ended.append(name)) for name in ("a1", "a2", "a3", "b1", "c1")}
    for name in ("a1", "a2", "a1", "a3"):
        waiting.add(name[0], ends[name])
    assert ended == ["a1"]
    waiting.add("b", ends["b1"])
    waiting.add("c", ends["c1"])
    assert ended == ["a1", "a2"]
    waiting.discard("b", ends["b1"])
    waiting.discard("b", ends["b1"])
    waiting.add("b", ends["b1"])
    assert ended == ["a1", "a2"]


def _answering(status: int, kind: bytes, during: Any = lambda: None) -> Any:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"Content-Type", kind)]})
        during()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


def _figure(made: Gate, name: str, **labels: str) -> float | None:
    return made._metrics.registry.get_sample_value(f"package_hunter_{name}", labels)


def test_who_listens_to_a_stream_is_counted_while_he_does_and_takes_no_time() -> None:
    seen: list[float | None] = []
    made = gate(None)
    made._app = _answering(
        200, b"text/event-stream; charset=utf-8", lambda: seen.append(_figure(made, "event_streams"))
    )
    answer(made)
    assert seen == [1.0]
    assert _figure(made, "event_streams") == 0.0
    assert _figure(made, "http_requests_total", method="GET", route="none", status="200") == 1.0
    assert _figure(made, "http_seconds_count", route="none") is None


def test_a_stream_that_breaks_off_is_no_listener_any_more() -> None:
    def broken() -> None:
        raise RuntimeError

    made = gate(_answering(200, b"text/event-stream", broken))
    with pytest.raises(RuntimeError):
        answer(made)
    assert _figure(made, "event_streams") == 0.0


def test_who_is_refused_for_being_too_many_is_counted() -> None:
    made = gate(_answering(429, b"application/json"))
    answer(made)
    assert _figure(made, "rate_limited_total", route="none") == 1.0
    made._app = _answering(200, b"application/json")
    answer(made)
    assert _figure(made, "rate_limited_total", route="none") == 1.0
