"""The ways in: http_output's receiver, and files and pipes that are followed."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.errors import HostError
from package_hunter.sensor.falco.alert import MAX_ALERT_BYTES
from package_hunter.sensor.falco.place import Http
from package_hunter.sensor.falco.receiver import Receiver
from package_hunter.sensor.falco.tail import Tail

TOKEN = "0123456789abcdef"


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


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


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "falco.jsonl"
    path.write_bytes(b"old\nbegun")
    return path


@pytest.fixture
def tailed(log: Path) -> Iterator[tuple[Tail, list[bytes]]]:
    got: list[bytes] = []
    tail = Tail(log)
    tail.start(got.append)
    yield tail, got
    tail.stop()


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_only_whole_new_lines(log: Path, tailed: tuple[Tail, list[bytes]]) -> None:
    add(log, b" before\none\n\ntwo\nhal")
    until(lambda: tailed[1] == [b"one", b"two"])
    add(log, b"f\n")
    until(lambda: tailed[1][2:] == [b"half"])


def test_rotation_loses_nothing(log: Path, tailed: tuple[Tail, list[bytes]]) -> None:
    got = tailed[1]
    add(log, b"\n")
    with log.open("ab", buffering=0) as held:
        held.write(b"1\n")
        log.rename(log.with_suffix(".1"))
        held.write(b"2\n")
        add(log, b"3\n")
        until(lambda: sorted(got) == [b"1", b"2", b"3"])
        held.write(b"4\n")  # its writer reopens later than the new file was made
        until(lambda: b"4" in got)


def test_removed_and_cut_short(log: Path, tailed: tuple[Tail, list[bytes]]) -> None:
    got = tailed[1]
    add(log, b"\n1\n")
    until(lambda: got == [b"1"])
    log.write_bytes(b"2\n")
    until(lambda: got == [b"1", b"2"])
    log.unlink()
    add(log, b"3\n")
    until(lambda: got == [b"1", b"2", b"3"])


def test_a_line_without_end(log: Path, tailed: tuple[Tail, list[bytes]]) -> None:
    tail, got = tailed
    add(log, b"\n" + b"x" * (2 * MAX_ALERT_BYTES))
    until(lambda: tail.refused == 1)
    add(log, b"x\nnext\n")
    until(lambda: got == [b"next"])
    assert tail.refused == 1


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    got: list[bytes] = []
    tail = Tail(tmp_path / "later")
    tail.start(got.append)
    add(tmp_path / "later", b"1\n")
    until(lambda: got == [b"1"])
    tail.stop()


def test_a_pipe_whose_writer_comes_back(tmp_path: Path) -> None:
    path, got = tmp_path / "pipe", list[bytes]()
    os.mkfifo(path)
    tail = Tail(path)
    tail.start(got.append)
    for said in (b"1\n", b"2\n"):
        add(path, said)
        until(lambda said=said: said.strip() in got)
    tail.stop()
    assert got == [b"1", b"2"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="Not a directory"):
        Tail(tmp_path / "file" / "x").start(lambda data: None)
