"""A job asks a server's gate: fetches, waits, shows its ID token."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from package_hunter.client.gate import Wish, ask, job_credentials
from package_hunter.client.remote import Remote
from package_hunter.errors import UnreachableError, UsageError

COMMIT = "a" * 40
Answer = Callable[[str, str, dict[str, Any]], tuple[int, dict[str, Any]]]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answer(self.command, self.path, json.loads(data or b"{}"))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _serve

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join(10)


def word(result: str, waits: bool = False, says: str = "") -> dict[str, Any]:
    return {"result": result, "waits": waits, "says": says}


def quiet(_: str) -> None:
    """No progress."""


def test_it_is_fetched_once_and_waited_for() -> None:
    words = [
        word("missing", says="Nobody scanned it."),
        word("missing", says="It is being fetched; ask again in a moment."),
        word("missing", waits=True),
        word("pass"),
    ]
    asked: list[tuple[str, str, dict[str, Any]]] = []

    def answer(method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        asked.append((method, path.partition("?")[0], body))
        return (202, {}) if method == "POST" else (200, words.pop(0))

    with server(answer) as url, Remote(url, None, quiet) as remote:
        wish = Wish("web/shop", COMMIT, True, {"ref": "main"}, 60.0)
        found = ask(remote, wish, quiet, sleep=lambda _: None)
    assert found["result"] == "pass"
    assert [body for method, _, body in asked if method == "POST"] == [{"commit": COMMIT, "ref": "main"}]


@pytest.mark.parametrize("first", [word("block"), word("missing", says="Scan 1 of it failed."), word("pass")])
def test_what_will_not_change_is_not_waited_for(first: dict[str, Any]) -> None:
    with server(lambda *_: (200, first)) as url, Remote(url, None, quiet) as remote:
        assert ask(remote, Wish("web/shop", COMMIT, seconds=3600.0), quiet) == first


def test_a_job_shows_its_id_token_and_gets_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def answer(_method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert path == "/api/v1/job-token"
        seen.append(body)
        return 201, {"token": "short"}

    with server(answer) as url:
        monkeypatch.delenv("PACKAGE_HUNTER_ID_TOKEN", raising=False)
        assert job_credentials(url) is None
        monkeypatch.setenv("PACKAGE_HUNTER_ID_TOKEN", "a.b.c")
        auth = job_credentials(url, "web/shop")
    assert seen == [{"token": "a.b.c", "project": "web/shop"}]
    assert auth is not None
    request = next(auth.auth_flow(httpx.Request("GET", "https://hunter.example")))
    assert request.headers["Authorization"] == "Bearer short"


def test_a_refusal_is_the_servers_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"status": "error", "reason": "no", "message": "There is no such project."}
    says = pytest.raises(UsageError, match="refuses this: There is no such project")
    with server(lambda *_: (404, refused)) as url, Remote(url, None, quiet) as remote, says:
        ask(remote, Wish("none", COMMIT), quiet)
    monkeypatch.setenv("PACKAGE_HUNTER_ID_TOKEN", "a.b.c")
    with server(lambda *_: (201, {"nothing": 1})) as url, pytest.raises(UsageError, match="no token"):
        job_credentials(url)


@pytest.fixture
def nobody() -> str:
    """The address of a port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("fetch", [False, True])
def test_who_does_not_wait_is_told_at_once_that_nobody_answers(nobody: str, fetch: bool) -> None:
    pauses: list[float] = []
    silent = pytest.raises(UnreachableError, match="does not answer")
    with Remote(nobody, None, quiet, pauses.append) as remote, silent as told:
        ask(remote, Wish("web/shop", COMMIT, fetch), quiet)
    assert told.value.exit_code == 69
    assert pauses == []


def test_who_waits_is_told_that_it_is_tried_again(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    with Remote(nobody, None, said.append, sleep) as remote, pytest.raises(UnreachableError):
        ask(remote, Wish("web/shop", COMMIT, seconds=30.0), quiet, sleep)
    assert len(said) == 1
    assert "does not answer" in said[0]
    assert "Trying again for up to 30 s." in said[0]
    assert 1030.0 <= clock[0] < 1040.0
