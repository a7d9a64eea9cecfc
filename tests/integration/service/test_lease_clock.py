"""Leases end by one clock, whatever the wall clocks of those who look at them say."""

from __future__ import annotations

import time
import uuid

import pytest
from sqlalchemy import update

from package_hunter.config import Settings
from package_hunter.queue import identity, make
from package_hunter.queue.base import Queue
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.models import JobRow
from package_hunter.store.scans import NewScan

HOUR = 3_600 * 10**9
WORKER = "host/{}/7/0123456789abcdef"


@pytest.fixture
def long_leases(store: Store, settings: Settings) -> Queue:
    return make(settings.model_copy(update={"lease_seconds": 600.0}), store)


def put(store: Store, queue: Queue) -> uuid.UUID:
    with store.write() as session:
        scan = scans.add(session, NewScan("a", "ana", "npm", purl="pkg:npm/a@1"))
        queue.enqueue(session, scan.id)
    return scan.id


@pytest.mark.parametrize("hours", [1, 24 * 365, -24])
def test_a_clock_that_is_wrong_takes_nobodys_scan(
    store: Store, long_leases: Queue, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    put(store, long_leases)
    job = long_leases.claim("w/1")
    assert job is not None
    wrong = time.time_ns() + hours * HOUR
    monkeypatch.setattr(time, "time_ns", lambda: wrong)
    assert long_leases.requeue_expired() == 0
    long_leases.heartbeat(job)
    monkeypatch.undo()
    assert long_leases.requeue_expired() == 0
    long_leases.heartbeat(job)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_lease_that_was_given_by_a_wrong_clock_ends_in_its_time(
    store: Store, long_leases: Queue, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    put(store, long_leases)
    wrong = time.time_ns() + hours * HOUR
    monkeypatch.setattr(time, "time_ns", lambda: wrong)
    assert long_leases.claim("w/1") is not None
    monkeypatch.undo()
    with store.write() as session:  # ten minutes later
        session.execute(update(JobRow).values(lease_until=JobRow.lease_until - 601_000))
    assert long_leases.requeue_expired() == 1


def test_on_one_machine_a_lease_of_an_earlier_start_is_over(store: Store, long_leases: Queue) -> None:
    put(store, long_leases)
    assert long_leases.claim(WORKER.format("00000000")) is not None
    assert long_leases.requeue_expired() == (1 if store.is_sqlite else 0)


def test_one_of_this_start_is_not(store: Store, long_leases: Queue) -> None:
    put(store, long_leases)
    assert long_leases.claim(WORKER.format(identity.start_of_machine())) is not None
    assert long_leases.requeue_expired() == 0
