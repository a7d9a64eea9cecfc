"""Archives on both databases, in files and in an object store: kept while a scan wants them, read by a worker that
shares no file with the server, damaged and planted ones refused."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from package_hunter.access.view import EVERYTHING
from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.errors import DiskFullError, HostError, StoreError
from package_hunter.queue import make, recordings
from package_hunter.queue.base import Queue
from package_hunter.storage.base import Kind
from package_hunter.store import received, scan_list, scans
from package_hunter.store.archives import Archives
from package_hunter.store.artefact_tables import ArtefactClaim, ArtefactDoomed, ArtefactRef
from package_hunter.store.database import Store
from package_hunter.store.scan_list import ScanFilters
from package_hunter.store.scans import NewScan
from tests.support.archives import held, submit
from tests.support.object_store import BUCKET, Line, object_store

DIGEST = hashlib.sha256(b"archive").hexdigest()


@pytest.fixture
def archives(settings: Settings, store: Store) -> Archives:
    return Archives(settings, store)


def place(settings: Settings, digest: str = DIGEST) -> Path:
    return settings.data_dir / "artefacts" / "archive" / digest[:2] / digest


def rows(store: Store) -> list[int]:
    """How many references, claims and dooms there are."""
    with store.read() as session:
        tables = (ArtefactRef, ArtefactClaim, ArtefactDoomed)
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_an_archive_is_kept_while_a_scan_wants_it(
    settings: Settings, archives: Archives, store: Store, queue: Queue
) -> None:
    for _ in range(2):
        submit(settings, store, queue, b"archive")
    assert held(settings.data_dir) == [place(settings)]
    assert rows(store) == [2, 0, 0]
    with archives.opened(DIGEST, 7) as file:
        assert file.read() == b"archive"
    for left in (1, 0):
        job = queue.claim("w/1")
        assert job is not None
        archives.let_go(job.scan_id)
        assert rows(store)[0] == left + 1, "a scan that runs keeps its archive"
        queue.fail(job, "no", 3)
        archives.let_go(job.scan_id)
        assert held(settings.data_dir) == [place(settings)] * left
    assert rows(store) == [0, 0, 0]


def test_an_archive_may_be_kept_for_some_days(settings: Settings, store: Store, queue: Queue) -> None:
    kept = Archives(settings.model_copy(update={"archive_days": 1.0}), store)
    scan_id = submit(settings, store, queue, b"archive")
    job = queue.claim("w/1")
    assert job is not None
    queue.fail(job, "no", 3)
    kept.let_go(scan_id)
    assert kept.sweep() == 0
    assert held(settings.data_dir) == [place(settings)]
    with store.write() as session:
        session.execute(text("UPDATE scans SET finished = finished - 86500000"))
    assert kept.sweep() == 1
    assert held(settings.data_dir) == []


def test_the_archive_of_a_dead_letter_is_kept_so_that_it_can_be_run_again(
    settings: Settings, archives: Archives, store: Store, queue: Queue
) -> None:
    scan_id = submit(settings, store, queue, b"archive")
    job = queue.claim("w/1")
    assert job is not None
    queue.fail(job, "ours")
    archives.let_go(scan_id)
    assert held(settings.data_dir) == [place(settings)]
    with store.write() as session:
        session.execute(text("UPDATE scans SET dead = 1"))
    archives.let_go(scan_id)
    assert held(settings.data_dir) == []


def test_the_sweep_lets_go_what_a_killed_worker_left(
    settings: Settings, archives: Archives, store: Store, queue: Queue
) -> None:
    submit(settings, store, queue, b"archive")
    submit(settings, store, queue, b"wanted")
    job = queue.claim("w/1")
    assert job is not None
    queue.fail(job, "no", 3)
    assert archives.sweep() == 1
    assert held(settings.data_dir) == [place(settings, hashlib.sha256(b"wanted").hexdigest())]


def test_an_upload_whose_scan_is_refused_is_gone_at_once(
    settings: Settings, archives: Archives, store: Store
) -> None:
    upload = archives.begin()
    upload.write(b"archive")
    upload.done()
    claims = archives.keep(upload)
    assert held(settings.data_dir) == [place(settings)]
    archives.forget(claims, upload)
    upload.discard()
    assert held(settings.data_dir) == []
    assert rows(store) == [0, 0, 0]


def refused(archives: Archives, digest: str, why: str, size: int | None = None) -> None:
    with pytest.raises(HostError, match=why), archives.opened(digest, size):
        pass


def test_a_damaged_or_planted_archive_is_refused(
    settings: Settings, archives: Archives, store: Store, tmp_path: Path
) -> None:
    refused(archives, DIGEST, "cannot be read")
    store.artefacts.put(Kind.ARCHIVE, b"archive")
    lies = place(settings)
    lies.write_bytes(b"archivE")
    refused(archives, DIGEST, "damaged")
    lies.write_bytes(b"archive")
    refused(archives, DIGEST, "its size", 8)
    refused(archives, DIGEST, "damaged", 6)
    os.truncate(lies, 1 << 40)  # a hole: it costs its owner nothing, and would be hashed for an hour
    refused(archives, DIGEST, "damaged")
    secret = tmp_path / "secret"
    secret.write_bytes(b"archive")
    for plant in (lambda: lies.symlink_to(secret), lambda: os.mkfifo(lies), lies.mkdir):
        lies.unlink()
        plant()
        refused(archives, DIGEST, "damaged")
        if lies.is_dir() and not lies.is_symlink():
            lies.rmdir()
            lies.touch()
    refused(archives, "../../etc/passwd", "no SHA-256")


def test_what_was_compared_is_what_is_read_whatever_happens_to_the_file(
    settings: Settings, archives: Archives, store: Store
) -> None:
    """The server's user may write into the very file that a worker opened: the worker reads a file of its own."""
    store.artefacts.put(Kind.ARCHIVE, b"archive")
    with archives.opened(DIGEST) as file:
        with place(settings).open("r+b") as same:
            same.write(b"ANOTHER")
        assert file.read() == b"archive"
        assert os.fstat(file.fileno()).st_uid == os.geteuid()
        assert os.fstat(file.fileno()).st_nlink == 0
    assert (settings.data_dir / "private").stat().st_mode & 0o777 == 0o700


def test_no_space_is_said_before_anything_is_written(settings: Settings, archives: Archives) -> None:
    with pytest.raises(DiskFullError, match="too full"):
        archives.begin(1 << 60)
    assert held(settings.data_dir) == []


def test_archives_of_an_older_version_are_taken_over(
    settings: Settings, store: Store, archives: Archives
) -> None:
    folder = settings.data_dir / "received"
    folder.mkdir()
    wanted, damaged = DIGEST, hashlib.sha256(b"damaged").hexdigest()
    ids = []
    with store.write() as session:
        for digest in (wanted, wanted, damaged):
            scan = scans.add(session, NewScan("x", "ana", sha256=digest, size=7))
            make(settings, store).enqueue(session, scan.id)
            ids.append(scan.id)
    (folder / wanted).write_bytes(b"archive")
    (folder / damaged).write_bytes(b"damagEd")
    (folder / ("0" * 64)).write_bytes(b"nobody's")
    (folder / ("1" * 64)).symlink_to("/etc/passwd")
    (folder / "part-1").write_bytes(b"half")
    assert received.adopt(store, settings) == 1
    assert not folder.exists()
    assert held(settings.data_dir) == [place(settings)]
    with store.read() as session:
        assert set(session.scalars(select(ArtefactRef.scan_id))) == set(ids[:2])
    with archives.opened(wanted, 7) as file:
        assert file.read() == b"archive"
    assert received.adopt(store, settings) == 0


def test_recordings_of_an_older_version_are_taken_over(settings: Settings, store: Store) -> None:
    folder = settings.data_dir / "recordings"
    folder.mkdir(mode=0o700)
    with store.write() as session:
        scan_id = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x")).id
    for name in (f"{scan_id}.scap", f"{scan_id}.2.scap", f"{uuid.uuid4()}.scap", "notes.scap"):
        (folder / name).write_bytes(name.encode())
    assert received.adopt(store, settings) == 2
    assert not folder.exists()
    with recordings.fetched(store, settings, scan_id) as files:
        assert [path.read_bytes() for path in files] == [
            f"{scan_id}{end}.scap".encode() for end in ("", ".2")
        ]


@pytest.fixture
def line() -> Iterator[Line]:
    with object_store() as made:
        yield made


def machine(settings: Settings, line: Line, folder: Path) -> Settings:
    """Another machine: the same database and bucket, a disk of its own."""
    folder.mkdir()
    bucket = {
        "artefacts_url": f"s3://{BUCKET}/hunter",
        "artefacts_endpoint": line.url,
        "artefacts_seconds": 2.0,
    }
    url = settings.database_url or f"sqlite:///{settings.data_dir}/store/store.db"
    made = settings.model_copy(update={"data_dir": folder, "database_url": url, **bucket})
    prepare_folders(made)
    return made


def test_a_worker_on_another_machine_reads_what_the_server_took(
    settings: Settings, store: Store, line: Line, tmp_path: Path
) -> None:
    here, there = machine(settings, line, tmp_path / "here"), machine(settings, line, tmp_path / "there")
    server, worker = Store(here), Store(there)
    scan_id = submit(here, server, make(here, server), b"archive")
    assert held(here.data_dir) == []
    archives, queue = Archives(there, worker), make(there, worker)
    job = queue.claim("w/1")
    assert job is not None and job.scan_id == scan_id and job.sha256 is not None
    with archives.opened(job.sha256, job.size) as file:
        assert file.read() == b"archive"
    assert held(there.data_dir) == []
    queue.fail(job, "no", 3)
    archives.let_go(scan_id)
    assert list(worker.artefacts.list(Kind.ARCHIVE)) == []
    server.close()
    worker.close()


def test_a_cut_network_loses_nothing_and_says_so(
    settings: Settings, store: Store, line: Line, tmp_path: Path
) -> None:
    here = machine(settings, line, tmp_path / "here")
    server = Store(here)
    archives, queue = Archives(here, server), make(here, server)
    scan_id = submit(here, server, queue, b"archive")
    line.cut()
    with pytest.raises(StoreError, match="artefact store"):
        submit(here, server, queue, b"another")
    with pytest.raises(StoreError, match="artefact store"), archives.opened(DIGEST, 7):
        pass
    with server.read() as session:
        assert [scan.id for scan in scan_list.page(session, EVERYTHING, ScanFilters(), 9).rows] == [scan_id]
    line.mend()
    with archives.opened(DIGEST, 7) as file:
        assert file.read() == b"archive"
    assert submit(here, server, queue, b"another") != uuid.UUID(int=0)
    server.close()
