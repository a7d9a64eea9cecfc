"""Artefacts in files, and in an object store over HTTP; sealed and not: the same holds for all."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter import storage
from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.storage.base import Artefacts, Kind, Stored
from package_hunter.storage.errors import DamagedError, MissingError
from tests.support.object_store import BUCKET, Line, object_store

BIG = secrets.token_bytes(1 << 20) * 9  # several pieces of a request
SIZES = [b"", b"x", b"report" * 1000, BIG]


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    with object_store() as made:
        yield made


def settings_of(tmp_path: Path, line: Line | None, sealed: bool, prefix: str = "") -> Settings:
    keys = tmp_path / "keys"
    keys.write_text("ab" * 32)
    keys.chmod(0o600)
    place = (
        {} if line is None else {"artefacts_url": f"s3://{BUCKET}/{prefix}", "artefacts_endpoint": line.url}
    )
    return Settings(
        data_dir=tmp_path,
        min_free_bytes=0,
        artefacts_key_file=keys if sealed else None,
        artefacts_seconds=30.0,
        **place,
    )


@pytest.fixture(params=["files", "files sealed", "S3", "S3 sealed"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    line = request.getfixturevalue("line") if "S3" in request.param else None
    return settings_of(
        tmp_path, line, "sealed" in request.param, tmp_path.name + request.param.replace(" ", "-")
    )


@pytest.fixture
def artefacts(settings: Settings) -> Artefacts:
    return storage.of(settings)


@pytest.mark.parametrize("content", SIZES, ids=len)
def test_what_is_stored_is_read_again(artefacts: Artefacts, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    assert artefacts.put(Kind.REPORT, content) == Stored(digest, len(content))
    assert artefacts.put(Kind.REPORT, io.BytesIO(content)) == Stored(digest, len(content))
    assert artefacts.open(Kind.REPORT, digest).read() == content
    found = artefacts.stat(Kind.REPORT, digest)
    assert found is not None and found.digest == digest and found.size >= len(content)
    assert [item.digest for item in artefacts.list(Kind.REPORT)] == [digest]


def test_what_comes_in_piece_by_piece_is_kept_and_leaves_no_part(
    artefacts: Artefacts, tmp_path: Path
) -> None:
    incoming = artefacts.begin(len(BIG))
    for start in range(0, len(BIG), 1 << 20):
        incoming.write(BIG[start : start + (1 << 20)])
    incoming.done()
    stored = artefacts.keep(Kind.ARCHIVE, incoming)
    incoming.discard()
    with (tmp_path / "copy").open("w+b") as file:
        file.write(b"something older" * 3_000_000)
        assert artefacts.copy(Kind.ARCHIVE, stored.digest, file) == len(BIG)
    assert (tmp_path / "copy").read_bytes() == BIG
    assert list((tmp_path / "artefacts" / "incoming").iterdir()) == []


def test_kinds_are_apart_and_what_is_deleted_is_gone(artefacts: Artefacts) -> None:
    digest = artefacts.put(Kind.DROPPED, b"file").digest
    assert artefacts.stat(Kind.ARCHIVE, digest) is None
    with pytest.raises(MissingError):
        artefacts.open(Kind.RECORDING, digest)
    artefacts.delete(Kind.DROPPED, digest)
    artefacts.delete(Kind.DROPPED, digest)
    assert artefacts.stat(Kind.DROPPED, digest) is None
    assert list(artefacts.list(Kind.DROPPED)) == []


def test_no_more_is_read_than_is_allowed(artefacts: Artefacts) -> None:
    digest = artefacts.put(Kind.ARCHIVE, b"x" * 1000).digest
    assert len(artefacts.open(Kind.ARCHIVE, digest, 1000).read()) == 1000
    with pytest.raises(DamagedError, match="more than 999"):
        artefacts.open(Kind.ARCHIVE, digest, 999).read()


@pytest.mark.parametrize("name", ["../../etc/passwd", "AB" * 32, "ab" * 32 + "\n", ""])
def test_what_is_no_digest_becomes_no_name(artefacts: Artefacts, name: str) -> None:
    for act in (artefacts.open, artefacts.stat, artefacts.delete):
        with pytest.raises(HostError, match="no SHA-256"):
            act(Kind.ARCHIVE, name)


def lies(root: Path, kind: str = "archive") -> Path:
    (path,) = (root / "artefacts" / kind).glob("*/*")
    return path


@pytest.mark.parametrize("sealed", [False, True])
def test_a_file_that_was_changed_is_told_before_its_end(tmp_path: Path, sealed: bool) -> None:
    artefacts = storage.of(settings_of(tmp_path, None, sealed))
    digest = artefacts.put(Kind.ARCHIVE, BIG).digest
    path = lies(tmp_path)
    assert (path.read_bytes() == BIG) is (not sealed)
    for change in (lambda data: data[:-1], lambda data: data[:-1] + b"\0", lambda data: data + b"more"):
        before = path.read_bytes()
        path.write_bytes(change(before))
        with pytest.raises(DamagedError), artefacts.open(Kind.ARCHIVE, digest) as file:
            while file.read(1 << 16):
                pass
        path.write_bytes(before)
    assert artefacts.open(Kind.ARCHIVE, digest).read() == BIG


def test_a_damaged_file_is_mended_by_storing_it_again(tmp_path: Path) -> None:
    artefacts = storage.of(settings_of(tmp_path, None, False))
    digest = artefacts.put(Kind.ARCHIVE, b"archive").digest
    lies(tmp_path).write_bytes(b"damaged")
    artefacts.put(Kind.ARCHIVE, b"archive")
    assert artefacts.open(Kind.ARCHIVE, digest).read() == b"archive"


def test_one_file_in_anothers_place_is_told(tmp_path: Path) -> None:
    artefacts = storage.of(settings_of(tmp_path, None, True))
    first = artefacts.put(Kind.REPORT, b"first").digest
    path = lies(tmp_path, "report")
    second = artefacts.put(Kind.REPORT, b"second").digest
    path.write_bytes((path.parent.parent / second[:2] / f"{second}.sealed").read_bytes())
    with pytest.raises(DamagedError, match="changed"):
        artefacts.open(Kind.REPORT, first).read()


def test_a_key_may_come_and_go_and_be_replaced(tmp_path: Path) -> None:
    plain = storage.of(settings_of(tmp_path, None, False))
    sealing = storage.of(settings_of(tmp_path, None, True))
    before, after = plain.put(Kind.REPORT, b"before").digest, sealing.put(Kind.REPORT, b"after").digest
    assert sealing.open(Kind.REPORT, before).read() == b"before"
    with pytest.raises(DamagedError, match="not in the key file"):
        plain.open(Kind.REPORT, after).read()
    keys = tmp_path / "keys"
    keys.write_text(f"{'cd' * 32}\n{'ab' * 32}\n")
    rotated = storage.of(Settings(data_dir=tmp_path, min_free_bytes=0, artefacts_key_file=keys))
    newest = rotated.put(Kind.REPORT, b"newest").digest
    assert [rotated.open(Kind.REPORT, d).read() for d in (before, after, newest)] == [
        b"before",
        b"after",
        b"newest",
    ]
    with pytest.raises(DamagedError, match="not in the key file"):
        sealing.open(Kind.REPORT, newest).read()
    assert {item.digest for item in rotated.list(Kind.REPORT)} == {before, after, newest}
