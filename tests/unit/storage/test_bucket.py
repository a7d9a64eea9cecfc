"""An object store whose network is cut: clear errors within seconds, nothing half stored, nothing lost."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from package_hunter import storage
from package_hunter.config import Settings
from package_hunter.errors import StoreError, UsageError
from package_hunter.storage.base import Artefacts, Kind
from package_hunter.storage.bucket import Bucket
from package_hunter.storage.errors import ChangedError
from tests.support.object_store import BUCKET, Line, object_store

BIG = secrets.token_bytes(1 << 20) * 9
SMALL = BIG[: 1 << 20]  # moto mixes up the parts of two uploads of one name


@pytest.fixture
def line() -> Iterator[Line]:
    with object_store() as made:
        yield made


@pytest.fixture
def artefacts(tmp_path: Path, line: Line) -> Artefacts:
    return storage.of(
        Settings(
            data_dir=tmp_path,
            min_free_bytes=0,
            artefacts_url=f"s3://{BUCKET}/some/prefix",
            artefacts_endpoint=line.url,
            artefacts_seconds=1.0,
        )
    )


def test_a_cut_network_is_told_and_afterwards_all_is_as_before(artefacts: Artefacts, line: Line) -> None:
    before = artefacts.put(Kind.REPORT, b"before").digest
    line.cut()
    acts = (
        lambda: artefacts.put(Kind.REPORT, b"meanwhile"),
        lambda: artefacts.put(Kind.ARCHIVE, BIG),
        lambda: artefacts.open(Kind.REPORT, before).read(),
        lambda: artefacts.stat(Kind.REPORT, before),
        lambda: artefacts.delete(Kind.REPORT, before),
        lambda: list(artefacts.list(Kind.REPORT)),
    )
    for act in acts:
        with pytest.raises(StoreError, match="artefact store failed") as caught:
            act()
        assert "127.0.0.1" not in caught.value.told
    line.mend()
    assert artefacts.open(Kind.REPORT, before).read() == b"before"
    assert [found.digest for found in artefacts.list(Kind.REPORT)] == [before]
    assert list(artefacts.list(Kind.ARCHIVE)) == []


def test_an_upload_that_is_cut_in_the_middle_is_not_there(artefacts: Artefacts, line: Line) -> None:
    line.limit = 17 << 19
    with pytest.raises(StoreError):
        artefacts.put(Kind.ARCHIVE, BIG)
    assert line.passed > 8 << 20
    line.mend()
    assert list(artefacts.list(Kind.ARCHIVE)) == []
    digest = artefacts.put(Kind.ARCHIVE, BIG).digest
    assert artefacts.open(Kind.ARCHIVE, digest).read() == BIG


def test_a_reader_whose_network_is_cut_is_told(artefacts: Artefacts, line: Line, tmp_path: Path) -> None:
    digest = artefacts.put(Kind.ARCHIVE, BIG).digest
    file = artefacts.open(Kind.ARCHIVE, digest)
    assert file.read(1 << 20) == BIG[: 1 << 20]
    line.cut()
    with pytest.raises(StoreError):
        file.read()
    line.mend()
    with (tmp_path / "copy").open("w+b") as copy:
        assert artefacts.copy(Kind.ARCHIVE, digest, copy) == len(BIG)


def test_a_store_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        bucket = Bucket(f"s3://{BUCKET}", url, 0.5)
        with pytest.raises(StoreError):
            bucket.put("report/aa", [b"x"], 1)


def test_what_is_stored_anew_while_it_is_read_is_read_anew(
    artefacts: Artefacts, line: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digest = artefacts.put(Kind.ARCHIVE, BIG).digest
    bucket = Bucket(f"s3://{BUCKET}/some/prefix", line.url, 5.0)
    pieces = bucket.get(f"archive/{digest[:2]}/{digest}").pieces
    assert next(pieces) == BIG[: 8 << 20]
    bucket.put(f"archive/{digest[:2]}/{digest}", [b"other"], 5)
    with pytest.raises(ChangedError):
        next(pieces)
    artefacts.put(Kind.ARCHIVE, BIG)
    real, times = obstore.get, []

    def changed_once(*args: object, **kwargs: object) -> object:
        times.append(args)
        if len(times) == 2:
            bucket.put(f"archive/{digest[:2]}/{digest}", (BIG[:5], BIG[5:]), len(BIG) + 1)
            bucket.put(f"archive/{digest[:2]}/{digest}", [b"between"], 7)
            bucket.put(f"archive/{digest[:2]}/{digest}", [BIG], len(BIG))
        return real(*args, **kwargs)

    monkeypatch.setattr("package_hunter.storage.bucket.obstore.get", changed_once)
    with (tmp_path / "copy").open("w+b") as copy:
        assert artefacts.copy(Kind.ARCHIVE, digest, copy) == len(BIG)


def test_two_that_store_the_same_at_once(artefacts: Artefacts) -> None:
    problems: list[BaseException] = []

    def store() -> None:
        try:
            artefacts.put(Kind.ARCHIVE, SMALL)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    (found,) = artefacts.list(Kind.ARCHIVE)
    assert artefacts.open(Kind.ARCHIVE, found.digest).read() == SMALL


@pytest.mark.parametrize(
    "url", ["http://host/x", "s3:///x", "file:///x", "x", "s3://key:secret@bucket/x", "s3://bucket?x=1"]
)
def test_what_names_no_object_store_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError):
        storage.of(Settings(data_dir=tmp_path, artefacts_url=url))


def test_a_process_that_was_forked_after_the_first_use_is_told(line: Line) -> None:
    """It would wait for ever for threads that are not there."""
    Bucket(f"s3://{BUCKET}", line.url, 1.0)
    pid = os.fork()
    if pid == 0:
        try:
            Bucket(f"s3://{BUCKET}", line.url, 1.0)
        except RuntimeError:
            os._exit(3)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
