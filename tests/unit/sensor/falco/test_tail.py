"""Files and pipes that Falco writes are followed: whole lines, rotation, a writer that comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.errors import HostError
from package_hunter.sensor.falco.alert import MAX_ALERT_BYTES
from package_hunter.sensor.falco.tail import Tail


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


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
