"""The store on both databases: migrations, lists, accounts, uploads."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from package_hunter.access.actor import Actor
from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.model.scan import ScanStatus
from package_hunter.queue.base import Queue
from package_hunter.store import accounts, passwords, scans
from package_hunter.store.database import DiskFullError, Store, StoreError
from package_hunter.store.models import Base
from package_hunter.store.scans import NewScan
from package_hunter.store.uploads import Uploads


def test_migrations_and_models_agree(store: Store) -> None:
    with store.engine.connect() as connection:
        ours = {
            "include_name": lambda name, kind, _: kind != "table" or not name.startswith("procrastinate_")
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), Base.metadata) == []


def test_migrating_at_once_and_again(settings: Settings) -> None:
    problems: list[BaseException] = []

    def migrate() -> None:
        store = Store(settings)
        try:
            store.migrate()
        except BaseException as error:
            problems.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    migrate()
    assert problems == []


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HostError, match="newer version"):
        store.migrate()


def test_names_are_cleaned_and_listed_in_pages(store: Store) -> None:
    with store.write() as session:
        for n in range(5):
            scans.add(session, NewScan(f"\x1b[2J<b>{n}\x00\n" + "x" * 600, "ana", purl="pkg:npm/x"))
    with store.read() as session:
        first = scans.newest(session, EVERYTHING, 3)
        rest = scans.newest(session, EVERYTHING, 3, before=(first[-1].created, first[-1].id))
        assert len({s.id for s in [*first, *rest]}) == 5
        assert all(s.target.isprintable() and len(s.target) <= 512 for s in first)
        assert len(scans.newest(session, EVERYTHING, 9, ScanStatus.PENDING)) == 5
        assert scans.newest(session, EVERYTHING, 9, ScanStatus.FAILED) == []
        assert scans.counts(session) == {"pending": 5}
    with store.peek() as connection:
        ids = [first[0].id, uuid.uuid4()]
        assert set(scans.get_many(connection, ids)) == {first[0].id}


def test_a_scan_is_of_an_archive_or_a_package_not_both(store: Store) -> None:
    with pytest.raises(StoreError), store.write() as session:
        scans.add(session, NewScan("x", "ana", purl="pkg:npm/x", sha256="a" * 64))


def test_accounts(store: Store) -> None:
    with store.write() as session:
        assert not accounts.any_account(session)
        accounts.add_user(session, "ana", "correct horse")
        value = accounts.add_token(session, "ci")
    with store.write() as session:
        stored = accounts.stored_password(session, "ana")
        assert stored is not None
        assert "correct" not in stored
        assert passwords.password_fits("correct horse", stored)
        assert not passwords.password_fits("correct house", stored)
        assert not passwords.password_fits("x" * 5000, stored)
        newer, by = passwords.hash_password("correct horse"), Actor("ana", "192.0.2.7")
        assert accounts.renew_hash(session, "ana", stored, newer, by)
        assert not accounts.renew_hash(session, "ana", stored, newer, by)  # no longer what is stored
        assert accounts.stored_password(session, "ana") == newer
        assert accounts.token_owner(session, value) == "ci"
        assert accounts.token_owner(session, value + "x") is None
        assert accounts.tokens(session)[0].last_used is not None
        with pytest.raises(UsageError, match="already"):
            accounts.add_user(session, "ana", "another one")
        with pytest.raises(UsageError, match="already"):
            accounts.add_token(session, "ci")
        accounts.revoke_token(session, "ci")
        assert accounts.token_owner(session, value) is None
        accounts.remove_user(session, "ana")
        with pytest.raises(UsageError, match="no user"):
            accounts.remove_user(session, "ana")
        with pytest.raises(UsageError, match="no token"):
            accounts.revoke_token(session, "none")
        assert not accounts.any_account(session)


@pytest.fixture
def uploads(settings: Settings) -> Iterator[Uploads]:
    yield Uploads(settings)


def keep(uploads: Uploads, store: Store, queue: Queue, content: bytes) -> uuid.UUID:
    upload = uploads.begin()
    upload.write(content)
    upload.done()
    with store.write() as session:
        store.lock(session, uploads.key(upload.sha256))
        upload.keep()
        scan = scans.add(session, NewScan("x", "ana", sha256=upload.sha256, size=upload.size))
        queue.enqueue(session, scan.id)
    upload.discard()
    return scan.id


def names(uploads: Uploads) -> list[str]:
    return sorted(p.name for p in uploads.folder.iterdir())


def test_an_upload_is_kept_by_its_digest_while_a_scan_wants_it(
    uploads: Uploads, store: Store, queue: Queue
) -> None:
    digest = hashlib.sha256(b"archive").hexdigest()
    keep(uploads, store, queue, b"archive")
    keep(uploads, store, queue, b"archive")
    assert names(uploads) == [digest]
    with uploads.opened(digest, 7) as file:
        assert file.read() == b"archive"
    for left in (1, 0):
        job = queue.claim("w/1")
        assert job is not None
        queue.fail(job, "This is no archive.", 3)
        uploads.remove_unneeded(store, digest)
        assert names(uploads) == [digest] * left


def test_discarding_leaves_nothing(uploads: Uploads) -> None:
    upload = uploads.begin()
    upload.write(b"x" * 100)
    assert len(names(uploads)) == 1
    upload.discard()
    upload.discard()
    assert names(uploads) == []


def test_sweeping_removes_what_nobody_needs(uploads: Uploads, store: Store, queue: Queue) -> None:
    keep(uploads, store, queue, b"wanted")
    (uploads.folder / ("0" * 64)).write_bytes(b"nobody's")
    live, dead = uploads.begin(), uploads.folder / "part-dead"
    dead.write_bytes(b"left by a killed server")
    os.mkfifo(uploads.folder / "part-pipe")
    long_ago = time.time() - 3600
    for path in uploads.folder.glob("part-*"):
        os.utime(path, (long_ago, long_ago))
    uploads.sweep(store)
    left = names(uploads)
    assert hashlib.sha256(b"wanted").hexdigest() in left
    assert "part-dead" not in left
    assert "0" * 64 not in left
    assert len([n for n in left if n.startswith("part-") and n != "part-pipe"]) == 1
    live.discard()


def refused(uploads: Uploads, digest: str, why: str, size: int | None = None) -> None:
    with pytest.raises(HostError, match=why), uploads.opened(digest, size):
        pass


def test_a_damaged_or_planted_archive_is_refused(uploads: Uploads, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"archive").hexdigest()
    place = uploads.folder / digest
    refused(uploads, digest, "cannot be read")
    place.write_bytes(b"archivE")
    refused(uploads, digest, "damaged")
    refused(uploads, digest, "its size", 8)
    os.truncate(place, 1 << 40)  # a hole: it costs its owner nothing, and would be hashed for an hour
    refused(uploads, digest, "its size")
    place.unlink()
    secret = tmp_path / "secret"
    secret.write_bytes(b"archive")
    place.symlink_to(secret)
    refused(uploads, digest, "a link lies in its place")
    place.unlink()
    os.mkfifo(place)
    refused(uploads, digest, "no ordinary file")
    place.unlink()
    place.mkdir()
    refused(uploads, digest, "no ordinary file|directory")
    refused(uploads, "../../etc/passwd", "no SHA-256")


def test_who_has_an_archive_open_has_what_was_checked(uploads: Uploads) -> None:
    digest = hashlib.sha256(b"archive").hexdigest()
    (uploads.folder / digest).write_bytes(b"archive")
    with uploads.opened(digest) as file:
        (uploads.folder / digest).unlink()
        (uploads.folder / digest).write_bytes(b"another")
        assert file.read() == b"archive"


def test_whatever_lies_among_the_archives_the_sweep_goes_on(
    uploads: Uploads, store: Store, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"root's")
    (uploads.folder / ("0" * 64)).mkdir()
    (uploads.folder / ("1" * 64)).symlink_to(outside)
    (uploads.folder / "part-folder").mkdir()
    (uploads.folder / "part-link").symlink_to(outside)
    (uploads.folder / ("2" * 64)).write_bytes(b"nobody's")
    for path in uploads.folder.iterdir():
        os.utime(path, (1, 1), follow_symlinks=False)
    uploads.sweep(store)
    assert names(uploads) == ["0" * 64, "part-folder"]
    assert outside.read_bytes() == b"root's"


def test_no_space_is_said_before_anything_is_written(settings: Settings) -> None:
    uploads = Uploads(settings)
    with pytest.raises(DiskFullError, match="too full"):
        uploads.begin(1 << 60)
    assert names(uploads) == []


def test_a_locked_part_is_live(uploads: Uploads) -> None:
    upload = uploads.begin()
    (part,) = uploads.folder.iterdir()
    with part.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    upload.discard()
