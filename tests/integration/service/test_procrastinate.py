"""What procrastinate does for the queue of PostgreSQL, in our transactions and as our feeder wants it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import procrastinate
import psycopg
import pytest
from sqlalchemy import text

from package_hunter.config import Settings
from package_hunter.queue import make, periodic_tasks
from package_hunter.queue.base import Terms
from package_hunter.queue.engine import queue_of
from package_hunter.queue.periodic import Periodic
from package_hunter.queue.procrastinate import ProcrastinateQueue
from package_hunter.store import scans
from package_hunter.store.database import Store, StoreError
from package_hunter.store.models import JobRow
from package_hunter.store.scans import NewScan
from tests.support.service_fake import made_report

JOBS = "SELECT queue_name, status::text, abort_requested FROM procrastinate_jobs ORDER BY id"


@pytest.fixture(params=["postgresql"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    return settings


@pytest.fixture
def queue(store: Store, settings: Settings) -> Iterator[ProcrastinateQueue]:
    made = make(settings, store)
    assert isinstance(made, ProcrastinateQueue)
    yield made
    made.close()


def put(store: Store, queue: ProcrastinateQueue, *needs: str, account: str = "ana") -> uuid.UUID:
    with store.write() as session:
        scan = scans.add(session, NewScan("x", account, purl="pkg:npm/x@1.0.0"))
        queue.enqueue(session, scan.id, Terms(needs=frozenset(needs)))
    return scan.id


def jobs(store: Store) -> list[tuple[str, str, bool]]:
    """All that procrastinate has, whoever looks."""
    with store.read() as session:
        return [tuple(row) for row in session.execute(text(JOBS))]  # type: ignore[misc]


def test_its_version_is_the_one_whose_tables_the_migration_made() -> None:
    assert procrastinate.__version__.startswith("3.10."), "a newer one needs a migration of its own"


def test_a_job_is_deferred_in_our_transaction_and_seen_when_that_ends(
    store: Store, queue: ProcrastinateQueue
) -> None:
    with store.write() as session:
        scan = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x@1.0.0"))
        queue.enqueue(session, scan.id)
        queue._feed(session)
        backend = session.scalar(text("SELECT pg_backend_pid()"))
        inside = session.execute(text(JOBS)).all()
        assert jobs(store) == [], "another connection sees nothing yet"
        raw = session.connection().connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        assert raw.info.backend_pid == backend
        assert raw.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert [tuple(row) for row in inside] == jobs(store) == [("scan", "todo", False)]


def test_a_transaction_that_fails_leaves_nothing_of_it(store: Store, queue: ProcrastinateQueue) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as session:
        scan = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x@1.0.0"))
        queue.enqueue(session, scan.id)
        queue._feed(session)
        raise ZeroDivisionError
    assert jobs(store) == []


def test_one_is_handed_at_a_time_and_nothing_is_kept(store: Store, queue: ProcrastinateQueue) -> None:
    for account in ("ana", "ana", "bob"):
        put(store, queue, account=account)
    assert jobs(store) == [("scan", "todo", False)]
    job = queue.claim("w/1")
    assert job is not None
    assert jobs(store) == [("scan", "doing", False), ("scan", "todo", False)]
    queue.finish(job, made_report(str(job.scan_id)))
    for account in ("bob", "ana"):
        job = queue.claim("w/1")
        assert job is not None
        assert job.submitter == account
        queue.fail(job, "No.", 3)
    assert jobs(store) == []


def test_needs_are_queues(store: Store, queue: ProcrastinateQueue) -> None:
    put(store, queue, "ecosystem:npm", "engine:probe")
    put(store, queue, "ecosystem:gem")
    put(store, queue)
    assert sorted(name for name, *_ in jobs(store)) == [
        "scan",
        "scan ecosystem:gem",
        "scan ecosystem:npm engine:probe",
    ]


def test_the_names_of_queues_fit_their_channels() -> None:
    many = " ".join(sorted(f"ecosystem:{'x' * 20}{n}" for n in range(9)))
    names = {queue_of(""), queue_of("ecosystem:npm"), queue_of(many), queue_of(many + " engine:probe")}
    assert len(names) == 4
    assert all(len(f"procrastinate_queue_v1#{name}".encode()) <= 63 for name in names)


def test_what_was_handed_is_taken_back_where_another_s_turn_comes_first(
    store: Store, queue: ProcrastinateQueue
) -> None:
    put(store, queue, account="ana")
    first = queue.claim("w/1")
    second = put(store, queue, account="ana")
    assert first is not None
    late = put(store, queue, account="bob")
    with store.read() as session:
        assert session.get_one(JobRow, second).handed is not None
    job = queue.claim("w/2")
    assert job is not None
    assert job.scan_id == late
    with store.read() as session:
        states = session.execute(text("SELECT args->>'scan', status::text FROM procrastinate_jobs")).all()
    found = {(uuid.UUID(scan), state) for scan, state in states}
    assert found == {(first.scan_id, "doing"), (late, "doing"), (second, "todo")}


def test_who_waits_is_woken(store: Store, queue: ProcrastinateQueue) -> None:
    queue.wait(0.0)  # from now on it listens
    waiting = threading.Thread(target=queue.wait, args=(120.0,))
    waiting.start()
    put(store, make(Settings(database_url=str(queue._settings.database_url)), store))  # type: ignore[arg-type]
    waiting.join(100)
    assert not waiting.is_alive(), "it was woken, and did not wait for its end"
    assert queue.claim("w/1") is not None


def test_who_could_not_feed_wakes(store: Store, queue: ProcrastinateQueue) -> None:
    """Somebody decides at the same moment, and cannot see the scan."""
    queue.wait(0.0)
    with store.write() as deciding:
        store.lock(deciding, "queue")
        put(store, queue)
        assert jobs(store) == []
    waiting = threading.Thread(target=queue.wait, args=(120.0,))
    waiting.start()
    waiting.join(100)
    assert not waiting.is_alive()
    assert queue.claim("w/1") is not None


def test_a_listener_that_was_cut_off_listens_again(store: Store, queue: ProcrastinateQueue) -> None:
    queue.wait(0.0)
    with store.write() as session:
        ended = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )
        assert session.scalar(ended) == 1
    queue.wait(0.0)
    queue.wait(0.0)
    put(store, queue)
    queue.wait(120.0)
    assert queue.claim("w/1") is not None


def test_a_running_scan_s_end_is_asked_for(store: Store, queue: ProcrastinateQueue) -> None:
    scan_id = put(store, queue)
    job = queue.claim("w/1")
    assert job is not None
    queue.wait(0.0)
    with store.write() as session:
        assert queue.cancel(session, scan_id, "no")
    queue.wait(120.0)  # told by NOTIFY
    assert jobs(store) == [("scan", "doing", True)]
    assert queue.cancelled(job) == "no"
    queue.end_cancelled(job)
    assert jobs(store) == []


def test_jobs_that_no_lease_knows_of_are_over(store: Store, queue: ProcrastinateQueue) -> None:
    scan_id = put(store, queue)
    assert queue.claim("w/1") is not None
    with store.write() as session:
        session.delete(session.get_one(JobRow, scan_id))
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = '2020-01-01'"))
    queue.requeue_expired()
    assert jobs(store) == []


def test_a_stranger_s_job_in_our_queue_is_put_away(store: Store, queue: ProcrastinateQueue) -> None:
    with store.write() as session:
        queue._engine.defer(session, uuid.uuid4(), "scan", 99)
    scan_id = put(store, queue)
    job = queue.claim("w/1")
    assert job is not None
    assert job.scan_id == scan_id
    assert jobs(store) == [("scan", "doing", False)]


def test_a_worker_that_was_forgotten_comes_again(store: Store, queue: ProcrastinateQueue) -> None:
    put(store, queue)
    job = queue.claim("w/1")
    assert job is not None
    with store.write() as session:
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = '2020-01-01'"))
    queue.requeue_expired()
    queue.heartbeat(job)  # the lease still holds
    queue.seen("w/1")
    queue.finish(job, made_report(str(job.scan_id)))
    put(store, queue)
    assert queue.claim("w/1") is not None


def test_an_ended_result_stays_where_procrastinate_s_job_is_gone(
    store: Store, queue: ProcrastinateQueue
) -> None:
    put(store, queue)
    job = queue.claim("w/1")
    with store.write() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    assert job is not None
    queue.finish(job, made_report(str(job.scan_id)))
    assert jobs(store) == []


def test_what_fails_in_it_is_a_sentence(store: Store, queue: ProcrastinateQueue) -> None:
    with pytest.raises(StoreError, match="The store failed"), store.write() as session:
        queue._engine.defer(session, uuid.uuid4(), "q" * 200, 0)


def _chores(settings: Settings, file: Path) -> int:
    """One server's chores, in a fork; each writes when it began and ended, and who did it."""

    def run() -> bool:
        began = time.monotonic()
        time.sleep(0.05)
        with file.open("a") as out:
            out.write(f"{began} {time.monotonic()} {os.getpid()}\n")
        return False

    child = os.fork()
    if child:
        return child
    try:
        os._exit(periodic_tasks.run(Store(settings), [Periodic("count", 2.0, run)]))
    finally:
        os._exit(99)


def test_a_chore_is_done_once_over_all_machines(store: Store, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "chores"
    file.touch()
    children = [_chores(settings, file) for _ in range(2)]
    while len(file.read_text().splitlines()) < 4:
        time.sleep(0.2)
    for child in children:
        os.kill(child, signal.SIGTERM)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    times = sorted(tuple(map(float, line.split()[:2])) for line in file.read_text().splitlines())
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(times)]
    assert min(gaps) > 1.0, "no sooner than its time, whoever does it"
    assert jobs(store) == []


def test_a_chore_of_a_dead_server_waits_again(store: Store) -> None:
    async def stall() -> list[str]:
        chores = [Periodic("count", 60.0, lambda: False)]
        app = periodic_tasks.app_of(store, chores, threading.Event())
        async with app.open_async():
            await app.configure_task("chore count").defer_async(timestamp=0)
            number = await app.job_manager.register_worker()
            job = await app.job_manager.fetch_job([periodic_tasks.QUEUE], number)
            assert job is not None
            before = jobs(store)
            await periodic_tasks.retry_stalled(app)
            assert jobs(store) == before, "its server lives"
            with store.write() as session:
                session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = '2020-01-01'"))
            await periodic_tasks.retry_stalled(app)
            return [status for _, status, _ in jobs(store)]

    assert asyncio.run(stall()) == ["todo"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.3, "* * * * * */1"),
        (10, "* * * * * */10"),
        (45, "* * * * * */30"),
        (60, "* * * * *"),
        (604_800, "* * * * *"),
    ],
)
def test_how_often_it_is_looked_whether_a_chore_is_due(seconds: float, expected: str) -> None:
    assert periodic_tasks.cron(seconds) == expected
