"""Whichever layer refuses a request, the answer is whole and safe; and what one address may hold is bounded."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.service_harness import ARCHIVE, Running, open_folder, running, wait_for

SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder, max_archive_bytes=1_000) as started:
        yield started


def raw(port: int, data: bytes, source: str = "127.0.0.1") -> bytes:
    """All that the server answers before it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), 10, (source, 0)) as connection:
        connection.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                answer += chunk
        return answer


def parsed(answer: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and JSON body of an answer that came in one piece."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    if headers.get("transfer-encoding") == "chunked":
        body = body.partition(b"\r\n")[2].partition(b"\r\n")[0]
    return int(lines[0].split()[1]), headers, json.loads(body)


def is_refusal(server: Running, headers: object, body: dict[str, Any]) -> None:
    assert isinstance(headers, dict | httpx.Headers)
    assert {name: headers.get(name) for name in SAFE} == SAFE
    if headers["content-type"].startswith("application/problem+json"):
        assert body["status"] >= 400 and body["detail"] and body["instance"].startswith("/api/v1/")
    else:
        assert body["status"] == "error"
        assert body["reason"]
    assert str(server.data_dir) not in json.dumps(body)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 100_000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_like_everything(server: Running, data: bytes) -> None:
    status, headers, body = parsed(raw(server.port, data))
    assert status == 400
    assert headers["connection"] == "close"
    is_refusal(server, headers, body)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no/such", 404),
        ("GET", f"/api/v1/scans/{NOBODY}", 404),
        ("DELETE", "/api/v1/scans", 405),
        ("OPTIONS", "*", 404),
        ("POST", "/monitor/project/npm", 413),
        ("GET", "/api/v1/scans?limit=x", 400),
        ("POST", "/api/v1/scans?depth=bottomless", 400),
    ],
)
def test_every_refusal_is_safe(server: Running, method: str, path: str, status: int) -> None:
    body = b"x" * 2_000 if method == "POST" else None
    answer = server.client.request(method, path, content=body, headers=ARCHIVE if body else None)
    assert answer.status_code == status
    is_refusal(server, answer.headers, answer.json())
    if status == 405:
        assert answer.headers["allow"]


def test_no_credentials(server: Running) -> None:
    answer = httpx.get(f"{server.client.base_url}/api/v1/scans", trust_env=False)
    assert answer.status_code == 401
    is_refusal(server, answer.headers, answer.json())


SECOND = b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "first",
    [
        b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /monitor/project/npm HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"content-length: 0\r\n\r\n0\r\n\r\n",
        b"GET /api/v1/health HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_body_with_two_ends_closes_the_connection(server: Running, first: bytes) -> None:
    answer = raw(server.port, first + SECOND)
    assert answer.count(b"HTTP/1.1 ") == 1
    status, headers, body = parsed(answer)
    assert status == 400
    assert "close" in headers["connection"]
    assert answer.lower().count(b"\r\nconnection:") == 1
    is_refusal(server, headers, body)


def test_a_body_that_nobody_reads_closes_the_connection(server: Running) -> None:
    head = b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    answer = raw(server.port, head + b"x" * 1_000)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:81", "evil.example/x", "[evil", "//evil.example"]
)
@pytest.mark.parametrize("path", ["/api/v1/scans/", "/api/v1/health/", "/metrics/"])
def test_a_redirect_stays_here(server: Running, host: str, path: str) -> None:
    answer = server.client.get(path + "?limit=1", headers={"Host": host})
    if answer.status_code != 307:
        assert answer.status_code in (400, 404)
        return
    assert answer.headers["location"] == path.rstrip("/") + "?limit=1"
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE


def still_open(connections: list[socket.socket]) -> int:
    found = 0
    for connection in connections:
        connection.settimeout(0.01)
        try:
            found += bool(connection.recv(1))
        except TimeoutError:
            found += 1
        except ConnectionResetError:
            pass
    return found


def test_half_open_connections_of_one_address_are_limited(server: Running) -> None:
    with contextlib.ExitStack() as stack:

        def opened(number: int, source: str, data: bytes) -> list[socket.socket]:
            made = []
            for _ in range(number):
                address = ("127.0.0.1", server.port)
                made.append(stack.enter_context(socket.create_connection(address, 10, (source, 0))))
                made[-1].sendall(data)
            return made

        calm = opened(20, "127.0.0.2", b"GET / HT")
        swarm = opened(150, "127.0.0.3", b"GET / HTTP/1.1\r\nX-Slow:") + opened(50, "127.0.0.3", b"G")
        assert server.client.get("/api/v1/health").status_code == 200
        assert still_open(swarm) == 100
        assert still_open(calm) == 20
        assert raw(
            server.port, SECOND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), "127.0.0.3"
        ).startswith(b"HTTP/1.1 200")


def test_too_many_connections_are_told_so() -> None:
    with pytest.MonkeyPatch.context() as patch, open_folder() as folder:
        patch.setenv("FAKE_CONNECTIONS", "5")
        with running(folder, mode="serve-only") as server, contextlib.ExitStack() as stack:
            for _ in range(6):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            status, headers, body = parsed(raw(server.port, SECOND))
            assert status == 503
            assert headers["retry-after"]
            is_refusal(server, headers, body)


def test_who_does_not_read_his_answers_is_left() -> None:
    ask = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    with pytest.MonkeyPatch.context() as patch, open_folder() as folder:
        patch.setenv("FAKE_UNREAD", "0.5")
        with running(folder, mode="serve-only") as server, socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(10)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(ask * 1_000)
            answers = 0
            wait_for(lambda: '"connection left unread"' in server.log())
            with contextlib.suppress(ConnectionResetError):
                while chunk := connection.recv(1 << 20):
                    answers += chunk.count(b"HTTP/1.1 200")
            assert answers < 1_000
            assert server.client.get("/api/v1/health").status_code == 200
