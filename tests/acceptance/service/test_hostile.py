"""What a hostile or clumsy client may send over HTTP and raw sockets: refused, no trace left."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.archives import held
from tests.support.service_harness import ARCHIVE, PASSWORD, USER, Running, open_folder, running, wait_for

AUTH = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    limits = {"max_archive_bytes": 3_000_000, "upload_stall_seconds": 1.0, "failed_logins_per_minute": 1000}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_HEADER", "1")
        with open_folder() as folder, running(folder, **limits) as started:
            yield started


def raw(server: Running, data: bytes, seconds: float = 10.0) -> bytes:
    """What the server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


def head(method: str, path: str, *lines: str) -> bytes:
    """A request's head with good credentials."""
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: {AUTH}", *lines, "", ""]
    ).encode()


def uploads(server: Running) -> list[str]:
    return [p.name for p in held(server.data_dir)]


def is_error(answer: httpx.Response, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    if "detail" in body:
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["status"] == status
        message = f"{body['detail']} {body['advice']}"
    else:
        message = body["message"]
        assert body["status"] == "error"
        assert message.startswith(body["reason"])
    for word in words:
        assert word in message
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/?id={NOBODY}",
        "/api/v1/scans",
        f"/api/v1/scans/{NOBODY}/report",
        "/metrics",
        "/no/such",
        "/docs",
    ],
)
def test_every_path_asks_for_credentials(server: Running, path: str) -> None:
    answer = httpx.get(
        f"{server.client.base_url}{path}".replace("//", "/").replace(":/", "://"), trust_env=False
    )
    is_error(answer, 401, "package-hunter user add")
    assert answer.headers.get_list("www-authenticate") == [
        'Basic realm="package-hunter", charset="UTF-8"',
        'Bearer realm="package-hunter"',
    ]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"ana:wrong").decode(),
        "Basic " + base64.b64encode(b"nobody:\xff").decode(),
        "Basic " + base64.b64encode(b"a\0na:correct horse").decode(),
        "Bearer",
        "Bearer ph_wrong",
        "Bearer " + "x" * 5000,
        "Digest x",
    ],
)
def test_wrong_credentials(server: Running, header: str) -> None:
    url = f"{server.client.base_url}/api/v1/scans"
    answer = httpx.get(url, headers={"Authorization": header}, trust_env=False)
    is_error(answer, 401, "wrong")


@pytest.mark.parametrize(
    "scan_id", ["x", "..%2f..%2fetc", "%00", "1" * 36, NOBODY, "{" + NOBODY[1:], "é" * 36]
)
def test_ids_that_are_none(server: Running, scan_id: str) -> None:
    is_error(server.client.get(f"/?id={scan_id}"), 404, "no scan of this id")
    if "2f" not in scan_id:
        is_error(server.client.get(f"/api/v1/scans/{scan_id}"), 404)
        is_error(server.client.get(f"/api/v1/scans/{scan_id}/report"), 404)


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""]
)
def test_wrong_types(server: Running, kind: str) -> None:
    headers = {"Content-Type": kind}
    is_error(server.client.post("/monitor/project/npm", content=b"x", headers=headers), 415, "octet-stream")
    is_error(server.client.post("/api/v1/scans", content=b"x", headers=headers), 415)


def test_compressed_on_the_way(server: Running) -> None:
    headers = {**ARCHIVE, "Content-Encoding": "gzip"}
    is_error(server.client.post("/monitor/project/npm", content=b"x", headers=headers), 415)


def test_an_empty_body(server: Running) -> None:
    is_error(server.client.post("/monitor/project/npm", content=b"", headers=ARCHIVE), 400, "empty")
    is_error(server.client.post("/api/v1/scans", content=b"", headers=ARCHIVE), 400, "empty")


def test_an_unknown_manager(server: Running) -> None:
    is_error(server.client.post("/monitor/project/<b>cargo", content=b"x", headers=ARCHIVE), 404, "npm, yarn")
    is_error(server.client.post("/api/v1/scans?ecosystem=cargo", content=b"x", headers=ARCHIVE), 400, "npm")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"purl": 1}', b'{"purl": "left-pad"}', b'{"purl": "pkg:npm/x", "path": "/etc"}'],
)
def test_wrong_json(server: Running, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    is_error(server.client.post("/api/v1/scans", content=body, headers=headers), 400)


def test_json_that_is_too_long(server: Running) -> None:
    body = b'{"purl": "' + b"x" * 100_000 + b'"}'
    is_error(
        server.client.post("/api/v1/scans", content=body, headers={"Content-Type": "application/json"}), 413
    )


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "status=odd", "before=x", "before=1-x", "limit=501"])
def test_wrong_queries(server: Running, query: str) -> None:
    assert server.client.get(f"/api/v1/scans?{query}").status_code in (400, 404)


def test_an_unknown_format(server: Running) -> None:
    is_error(server.client.get(f"/api/v1/scans/{NOBODY}/report?format=exe"), 400, "json")


def test_too_large_by_its_length(server: Running) -> None:
    answer = server.client.post("/monitor/project/npm", content=b"x" * 3_000_001, headers=ARCHIVE)
    is_error(answer, 413, "3000000 bytes")
    assert uploads(server) == []


def test_too_large_while_it_comes_in(server: Running) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b"x" * 100_000

    answer = server.client.post("/monitor/project/npm", content=chunks(), headers=ARCHIVE)
    is_error(answer, 413)
    wait_for(lambda: uploads(server) == [])


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, "x"])
def test_odd_lengths(server: Running, length: str) -> None:
    kind = "Content-Type: application/octet-stream"
    answer = raw(server, head("POST", "/monitor/project/npm", kind, f"Content-Length: {length}"))
    assert answer.split()[1] in (b"400", b"413")


def test_a_body_that_stops_half_way(server: Running) -> None:
    request = head(
        "POST", "/monitor/project/npm", "Content-Type: application/octet-stream", "Content-Length: 1000"
    )
    began = time.monotonic()
    answer = raw(server, request + b"x" * 10)
    assert answer.split()[1] == b"408"
    assert time.monotonic() - began < 8
    assert uploads(server) == []


def test_a_connection_that_breaks_half_way(server: Running) -> None:
    request = head(
        "POST", "/monitor/project/npm", "Content-Type: application/octet-stream", "Content-Length: 1000000"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request + b"x" * 100_000)
        wait_for(lambda: uploads(server) != [])
    wait_for(lambda: uploads(server) == [])


def test_json_that_stops_half_way(server: Running) -> None:
    lines = ("Content-Type: application/json", "Content-Length: 100")
    assert raw(server, head("POST", "/api/v1/scans", *lines) + b'{"purl"', 5).split()[1] == b"408"


def test_a_head_that_stops_half_way(server: Running) -> None:
    began = time.monotonic()
    assert raw(server, b"GET / HTTP/1.1\r\nX-Slow: ") == b""
    assert 0.5 < time.monotonic() - began < 8


def test_a_second_head_that_stops_half_way(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head("GET", "/api/v1/health"))
        answer = b""
        while b"}" not in answer:
            answer += connection.recv(65536)
        began = time.monotonic()
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        try:
            assert connection.recv(65536) == b""
        except ConnectionResetError:
            pass
        assert time.monotonic() - began < 8


def test_a_silent_connection(server: Running) -> None:
    began = time.monotonic()
    assert raw(server, b"") == b""
    assert time.monotonic() - began < 8


def test_headers_without_end(server: Running) -> None:
    answer = raw(server, b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 200_000)
    assert answer == b"" or answer.split()[1] == b"400"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"\x00" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
def test_no_http_at_all(server: Running, request_bytes: bytes) -> None:
    answer = raw(server, request_bytes, seconds=3)
    assert answer == b"" or answer.split()[1] in (b"400", b"401")


def test_smuggling_two_lengths(server: Running) -> None:
    lines = ("Content-Length: 5", "Content-Length: 6", "Content-Type: application/octet-stream")
    assert raw(server, head("POST", "/monitor/project/npm", *lines) + b"12345").split()[1] == b"400"


def test_odd_methods(server: Running) -> None:
    for method in ("PUT", "DELETE", "PROPFIND", "X" * 20):
        is_error(server.client.request(method, "/api/v1/scans"), 405)


def test_html_in_names_stays_data(server: Running) -> None:
    name = "<script>alert(1)</script>\x1b[2J"
    answer = server.client.post("/api/v1/scans", params={"name": name}, content=b"x", headers=ARCHIVE)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["target"] == "<script>alert(1)</script> [2J"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_refused_uploader_reads_the_refusal(server: Running) -> None:
    """Also where it sends on without waiting: no reset takes the answer away."""
    url = f"{server.client.base_url}/monitor/project/npm"
    for _ in range(5):
        answer = httpx.post(url, content=b"x" * 2_000_000, headers=ARCHIVE, trust_env=False)
        is_error(answer, 401)


def test_slow_uploads_do_not_hold_up_others(server: Running) -> None:
    """Ten uploads drip while statuses are asked."""
    stop = threading.Event()
    request = head(
        "POST", "/monitor/project/npm", "Content-Type: application/octet-stream", "Content-Length: 100000"
    )

    def drip() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(request)
            while not stop.wait(0.2):
                connection.sendall(b"x")

    threads = [threading.Thread(target=drip) for _ in range(10)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(uploads(server)) == 10)
        assert server.ended(server.submit(b"quick"))["status"] == "finished"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    wait_for(lambda: uploads(server) == [])


def test_the_server_is_still_well(server: Running) -> None:
    assert server.client.get("/api/v1/health").json()["status"] == "ok"
    assert '"request failed"' not in server.log()
    assert '"process died' not in server.log()
