"""HTTP to places of users: rebinding, redirects, answers without an end, certificates."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from package_hunter.decoy.tls import Certificates, make_ca
from package_hunter.notices import outgoing
from package_hunter.notices.guard import Guard, RefusedError, networks
from package_hunter.notices.outgoing import MAX_ANSWER, Asked, NoAnswerError, Outgoing
from tests.support.receivers import LOOPBACK, Receiver, Told, receiver, running


def test_what_is_asked_arrives_and_what_is_answered_comes_back() -> None:
    with receiver(lambda _: Told(201, b"made", {"X-A": "b"})) as there:
        answer = Outgoing(LOOPBACK).send(Asked("POST", f"{there.url}/x?y=1", {"A": "1"}, b"body"))
    assert (answer.status, answer.body, answer.headers["x-a"]) == (201, b"made", "b")
    (got,) = there.got
    assert (got.method, got.path, got.body, got.headers["a"]) == ("POST", "/x?y=1", b"body", "1")
    assert got.headers["host"] == f"127.0.0.1:{there.port}"


def test_rebinding_gains_nothing() -> None:
    """A name that has an allowed address when it is looked at, and an inner one a moment later."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    asked = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    with receiver() as inner:
        sender = Outgoing(Guard(networks("127.0.0.2/32"), resolver), seconds=3)
        with pytest.raises(NoAnswerError, match="no connection"):
            sender.send(Asked("GET", f"http://rebind.example:{inner.port}/"))
        with pytest.raises(RefusedError):
            sender.send(Asked("GET", f"http://rebind.example:{inner.port}/"))
    assert (asked, inner.got) == (["rebind.example"] * 2, [])


def test_an_inner_place_is_never_reached() -> None:
    with receiver() as inner:
        for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0"):
            with pytest.raises((RefusedError, NoAnswerError)):
                Outgoing(Guard(), seconds=3).send(Asked("GET", f"http://{host}:{inner.port}/"))
    assert inner.got == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with receiver() as inner, receiver(lambda _: Told(status, b"", {"Location": inner.url})) as there:
        assert Outgoing(LOOPBACK).send(Asked("GET", there.url)).status == status
    assert (len(there.got), inner.got) == (1, [])


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy, receiver() as there:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        Outgoing(LOOPBACK).send(Asked("GET", there.url))
    assert (len(there.got), proxy.got) == (1, [])


@contextmanager
def _raw(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says to its one client whatever ``talk`` does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4_096)
                try:
                    talk(connection)
                except OSError:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(10)


def _drip(head: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(drop)
            time.sleep(0.02)

    return talk


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nA: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["no head", "head", "body", "chunks", "continue"],
)
def test_an_answer_without_an_end_ends(head: bytes, drop: bytes) -> None:
    with _raw(_drip(head, drop)) as url, pytest.raises(NoAnswerError):
        Outgoing(LOOPBACK, seconds=0.4).send(Asked("GET", url))


def test_an_endless_body_is_cut() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(4 * MAX_ANSWER // 65_536):
            connection.sendall(b"x" * 65_536)

    with _raw(flood) as url:
        answer = Outgoing(LOOPBACK, seconds=20).send(Asked("GET", url))
    assert (answer.status, answer.body) == (200, b"x" * MAX_ANSWER)


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nA\r\n\r\n"]
)
def test_what_is_no_http_is_told(said: bytes) -> None:
    with (
        _raw(lambda c: c.sendall(said)) as url,
        pytest.raises(NoAnswerError, match=r"broke|no HTTP|connection"),
    ):
        Outgoing(LOOPBACK, seconds=5).send(Asked("GET", url))


def _over_tls(folder: Path, name: str) -> tuple[Receiver, ssl.SSLContext]:
    cert, key = make_ca()
    made = Receiver()
    context = Certificates(cert, key, folder, lambda _: False).context(name)
    context.sni_callback = None  # one name's certificate, whatever is asked for
    made.over_tls(context)
    return made, ssl.create_default_context(cadata=cert.decode())


def test_the_certificate_is_asked_for_by_name_though_an_address_is_connected_to(tmp_path: Path) -> None:
    there, trusting = _over_tls(tmp_path, "hooks.example")
    guard = Guard(LOOPBACK.allowed, lambda *_: ["127.0.0.1"])
    with running(there):
        url = f"https://hooks.example:{there.port}/"
        assert Outgoing(guard, trusting).send(Asked("GET", url)).status == 200
        for wrong, context in ((f"https://other.example:{there.port}/", trusting), (url, None)):
            with pytest.raises(NoAnswerError, match="certificate"):
                Outgoing(guard, context).send(Asked("GET", wrong))
    assert [got.headers["host"] for got in there.got] == [f"hooks.example:{there.port}"]


def test_a_header_that_would_be_two_is_refused() -> None:
    with receiver() as there, pytest.raises(NoAnswerError):
        Outgoing(LOOPBACK).send(Asked("GET", there.url, {"PRIVATE-TOKEN": "a\r\nX-Evil: 1"}))
    assert there.got == []


def test_one_deadline_for_all() -> None:
    assert outgoing.SECONDS <= 30
