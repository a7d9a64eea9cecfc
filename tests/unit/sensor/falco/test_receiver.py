"""http_output's receiver: what has the secret is taken, as fast and as long as may be; nothing else is."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from package_hunter.errors import HostError
from package_hunter.sensor.falco.alert import MAX_ALERT_BYTES
from package_hunter.sensor.falco.place import Http
from package_hunter.sensor.falco.receiver import Receiver

TOKEN = "0123456789abcdef"


@pytest.fixture
def place() -> Http:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return Http("127.0.0.1", free.getsockname()[1], TOKEN)


@pytest.fixture
def took(place: Http) -> Iterator[tuple[Receiver, list[bytes]]]:
    got: list[bytes] = []
    receiver = Receiver(place, rate=0.001, burst=5)
    receiver.start(got.append)
    yield receiver, got
    receiver.stop()


def post(place: Http, path: str, body: bytes = b"{}", method: str = "POST") -> int:
    connection = http.client.HTTPConnection(place.host, place.port, timeout=10)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_post_with_the_secret_is_taken(place: Http, took: tuple[Receiver, list[bytes]]) -> None:
    assert post(place, f"/{TOKEN}", b'{"a": 1}') == 200
    assert took[1] == [b'{"a": 1}']


@pytest.mark.parametrize(
    "path", ["/", "/wrong", f"/{TOKEN}/", f"/{TOKEN}x", f"/%30{TOKEN[1:]}", f"//{TOKEN}"]
)
def test_without_the_secret_nothing_is(place: Http, took: tuple[Receiver, list[bytes]], path: str) -> None:
    receiver, got = took
    assert post(place, path) == 404
    assert (got, receiver.refused) == ([], 0)


def test_limits(place: Http, took: tuple[Receiver, list[bytes]]) -> None:
    receiver, got = took
    assert post(place, f"/{TOKEN}", b"x" * (MAX_ALERT_BYTES + 1)) == 413
    assert post(place, f"/{TOKEN}", method="GET") == 405
    answers = [post(place, f"/{TOKEN}") for _ in range(6)]
    assert answers == [200] * 4 + [429] * 2
    assert (len(got), receiver.refused) == (4, 3)


def test_a_connection_is_kept_and_may_come_again(place: Http, took: tuple[Receiver, list[bytes]]) -> None:
    connection = http.client.HTTPConnection(place.host, place.port, timeout=10)
    for _ in range(2):
        connection.request("POST", f"/{TOKEN}", b"{}")
        assert connection.getresponse().read() == b""
    connection.close()
    assert post(place, f"/{TOKEN}") == 200
    assert len(took[1]) == 3


def test_rubbish_on_the_port_harms_nobody(place: Http, took: tuple[Receiver, list[bytes]]) -> None:
    with socket.create_connection((place.host, place.port)) as stranger:
        stranger.sendall(b"\0\xff" * 1000 + b"\r\n\r\n")
        stranger.recv(100)
    assert post(place, f"/{TOKEN}") == 200


def test_the_port_is_waited_for(place: Http) -> None:
    taken = socket.create_server((place.host, place.port))
    receiver = Receiver(place)
    with pytest.raises(HostError, match="Address already in use"):
        receiver.start(lambda data: None, wait=0)
    threading.Timer(0.3, taken.close).start()
    receiver.start(lambda data: None, wait=20)
    receiver.stop()
    receiver.stop()
