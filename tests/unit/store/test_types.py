"""Rows in the store that hold what is not theirs: they are passed over, and all others are served."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.access.view import EVERYTHING
from package_hunter.api.schemas import ScanInfo
from package_hunter.config import Settings
from package_hunter.queue.local import LocalQueue
from package_hunter.store import scan_list, scans
from package_hunter.store.archives import Archives
from package_hunter.store.database import Store, StoreError
from package_hunter.store.scan_list import ScanFilters
from package_hunter.store.scans import NewScan


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("store", "artefacts"):
        (tmp_path / name).mkdir()
    return Settings(data_dir=tmp_path, result_cache_seconds=0, lease_seconds=0.001, max_attempts=3)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    made = Store(settings)
    made.migrate()
    yield made
    made.close()


def put(store: Store, queue: LocalQueue) -> uuid.UUID:
    with store.write() as session:
        scan = scans.add(session, NewScan("a", "ana", "npm", sha256="a" * 64))
        queue.enqueue(session, scan.id)
    return scan.id


def spoil(settings: Settings, statement: str, scan_id: uuid.UUID) -> None:
    with sqlite3.connect(settings.data_dir / "store/store.db") as database:
        assert database.execute(statement, (scan_id.hex,)).rowcount == 1
    database.close()


SCANS = [
    "UPDATE scans SET id = '../../victim' WHERE id = ?",
    "UPDATE scans SET id = x'ff00' WHERE id = ?",
    "UPDATE scans SET created = 'not a date' WHERE id = ?",
    "UPDATE scans SET created = 1.5 WHERE id = ?",
]
JOBS = [
    "UPDATE jobs SET scan_id = '../../victim' WHERE scan_id = ?",
    "UPDATE jobs SET scan_id = 7 WHERE scan_id = ?",
]


@pytest.mark.parametrize("statement", SCANS)
def test_a_list_passes_it_over(store: Store, settings: Settings, statement: str) -> None:
    queue = LocalQueue(store, settings)
    good = [put(store, queue) for _ in range(2)]
    spoil(settings, statement, put(store, queue))
    with store.read() as session:
        for limit in (2, 3, 50):
            found = scan_list.page(session, EVERYTHING, ScanFilters(), limit).rows
            assert {scan.id for scan in found} == set(good)
            assert [ScanInfo.of(scan) for scan in found]


def test_who_asks_for_it_is_told(store: Store, settings: Settings) -> None:
    scan_id = put(store, LocalQueue(store, settings))
    spoil(settings, SCANS[2], scan_id)
    with pytest.raises(StoreError, match="malformed"), store.peek() as connection:
        scans.get_many(connection, [scan_id])


@pytest.mark.parametrize("statement", [*SCANS, *JOBS, "UPDATE jobs SET attempts = 'x' WHERE scan_id = ?"])
def test_a_worker_goes_on(store: Store, settings: Settings, statement: str) -> None:
    queue = LocalQueue(store, settings)
    spoil(settings, statement, put(store, queue))
    good = put(store, queue)
    begun = []
    for _ in range(3):
        job = queue.claim("w/1")
        begun += [] if job is None else [job.scan_id]
        Archives(settings, store).sweep()
    assert good in begun
    assert queue.requeue_expired() >= 1
    assert queue.recover("w/1") == 0


@pytest.mark.parametrize("statement", [SCANS[0], *JOBS])
def test_one_that_ran_is_no_end_of_the_worker(store: Store, settings: Settings, statement: str) -> None:
    queue = LocalQueue(store, settings)
    ids = [put(store, queue) for _ in range(2)]
    assert queue.claim("w/1") is not None
    assert queue.claim("w/1") is not None
    spoil(settings, statement, ids[0])
    queue.recover("w/1")
    job = queue.claim("w/2")
    assert job is not None
    assert job.scan_id == ids[1]
