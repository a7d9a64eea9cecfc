"""Kills of a scan's helpers are no attempts of the scan: counted apart, and not without end."""

from __future__ import annotations

import uuid

from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.queue import make
from package_hunter.queue.base import Job, Queue
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan
from package_hunter.store.scans import NewScan

KILLED = "The gateway was killed."


def queue_of(store: Store, settings: Settings, kills: int) -> Queue:
    return make(settings.model_copy(update={"max_helper_kills": kills, "lease_seconds": 60.0}), store)


def put(store: Store, queue: Queue) -> uuid.UUID:
    with store.write() as session:
        scan = scans.add(session, NewScan("left-pad", "ana", "npm", purl="pkg:npm/left-pad@1.3.0"))
        queue.enqueue(session, scan.id)
    return scan.id


def scan_of(store: Store, scan_id: uuid.UUID) -> Scan:
    with store.read() as session:
        found = scans.get(session, EVERYTHING, scan_id)
    assert found is not None
    return found


def claimed(queue: Queue) -> Job:
    job = queue.claim("w/1")
    assert job is not None
    return job


def test_more_kills_than_attempts_fail_no_scan(store: Store, settings: Settings) -> None:
    queue = queue_of(store, settings, kills=8)
    scan_id = put(store, queue)
    for number in range(8):
        job = claimed(queue)
        assert (job.attempt, job.killed) == (1, number)
        assert queue.retry(job, KILLED, killed=True)
    assert scan_of(store, scan_id).status == "pending"


def test_they_end_all_the_same(store: Store, settings: Settings) -> None:
    """Once they are used up a kill is an attempt, and the last one makes a dead letter of it."""
    queue = queue_of(store, settings, kills=2)
    scan_id = put(store, queue)
    tries = 1
    while queue.retry(claimed(queue), KILLED, killed=True):
        tries += 1
    scan = scan_of(store, scan_id)
    assert (tries, scan.status, scan.reason) == (2 + settings.max_attempts, "failed", KILLED)
    assert scan.dead is not None


def test_other_faults_of_ours_are_attempts_between_kills_too(store: Store, settings: Settings) -> None:
    queue = queue_of(store, settings, kills=9)
    put(store, queue)
    for number in range(settings.max_attempts - 1):
        assert queue.retry(claimed(queue), KILLED, killed=True)
        job = claimed(queue)
        assert job.attempt == number + 1
        assert queue.retry(job, "No room for the box.")
    assert not queue.retry(claimed(queue), "No room for the box.")
