"""The queue's contract: any implementation of `queue.base.Queue` must pass these."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import update

from package_hunter.access.view import EVERYTHING
from package_hunter.model.scan import ScanStatus
from package_hunter.model.text import well_formed
from package_hunter.queue.base import Job, LeaseLostError, Queue
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.models import JobRow
from package_hunter.store.scans import NewScan
from tests.support.service_fake import made_report

PURL = "pkg:npm/left-pad@1.3.0"


def put(store: Store, queue: Queue, **more: str) -> uuid.UUID:
    with store.write() as session:
        scan = scans.add(session, NewScan("left-pad", "ana", "npm", **(more or {"purl": PURL})))
        queue.enqueue(session, scan.id)
    return scan.id


def expire(store: Store) -> None:
    """The time of all leases has passed."""
    with store.write() as session:
        session.execute(update(JobRow).where(JobRow.lease.is_not(None)).values(lease_until=1))


def status(store: Store, scan_id: uuid.UUID) -> str:
    with store.read() as session:
        scan = scans.get(session, EVERYTHING, scan_id)
        assert scan is not None
        return scan.status


def claimed(queue: Queue, worker: str = "w/1") -> Job:
    job = queue.claim(worker)
    assert job is not None
    return job


def test_first_in_first_out_and_each_to_one_worker(store: Store, queue: Queue) -> None:
    ids = []
    for _ in range(3):
        ids.append(put(store, queue))
        time.sleep(0.002)
    assert [claimed(queue).scan_id for _ in ids] == ids
    assert queue.claim("w/2") is None


def test_a_job_says_what_to_scan_and_holds_no_path(store: Store, queue: Queue) -> None:
    put(store, queue, sha256="a" * 64)
    job = claimed(queue)
    assert (job.sha256, job.purl, job.manager, job.attempt) == ("a" * 64, None, "npm", 1)
    assert status(store, job.scan_id) == "running"


def test_a_job_says_how_far_to_look_where_the_submitter_did(store: Store, queue: Queue) -> None:
    put(store, queue, purl=PURL, depth="deep")
    put(store, queue)
    assert [claimed(queue).depth for _ in range(2)] == ["deep", None]


def test_nothing_is_enqueued_where_the_transaction_fails(store: Store, queue: Queue) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as session:
        scan = scans.add(session, NewScan("x", "ana", purl=PURL))
        queue.enqueue(session, scan.id)
        raise ZeroDivisionError
    assert queue.claim("w/1") is None


def test_finish_stores_the_report_and_ends_the_scan(store: Store, queue: Queue) -> None:
    put(store, queue)
    job = claimed(queue)
    queue.finish(job, made_report(str(job.scan_id), "malicious", 2))
    with store.read() as session:
        scan = scans.get(session, EVERYTHING, job.scan_id)
        assert scan is not None
        assert (scan.status, scan.verdict, scan.decision) == ("finished", "malicious", "block")
        assert scan.finished is not None
        report = scans.report(session, EVERYTHING, job.scan_id)
        assert report is not None
        assert len(report["alerts"]) == 2
        assert scans.unfinished(session) == 0


def test_an_inconclusive_or_failed_report_keeps_its_reason(store: Store, queue: Queue) -> None:
    put(store, queue)
    job = claimed(queue)
    queue.finish(job, made_report(str(job.scan_id), "inconclusive"))
    put(store, queue)
    second = claimed(queue)
    failed = replace(
        made_report(str(second.scan_id), "inconclusive"), status=ScanStatus.FAILED, error="No\x00 disk."
    )
    queue.finish(second, failed)
    with store.read() as session:
        one, two = scans.get(session, EVERYTHING, job.scan_id), scans.get(session, EVERYTHING, second.scan_id)
        assert one is not None
        assert two is not None
        assert (one.status, one.reason) == ("finished", "The install phase failed.")
        assert (two.status, two.reason) == ("failed", "No  disk. The install phase failed.")


def test_fail_keeps_the_reason(store: Store, queue: Queue) -> None:
    put(store, queue)
    job = claimed(queue)
    queue.fail(job, "No\x1b[31m tar.", 3)
    with store.read() as session:
        scan = scans.get(session, EVERYTHING, job.scan_id)
        assert scan is not None
        assert (scan.status, scan.reason, scan.exit_code) == ("failed", "No [31m tar.", 3)


def test_release_gives_the_scan_back_and_does_not_count(store: Store, queue: Queue) -> None:
    put(store, queue)
    for _ in range(5):
        job = claimed(queue)
        assert job.attempt == 1
        queue.release(job)
        assert status(store, job.scan_id) == "pending"


def test_a_fault_of_ours_is_tried_again_and_then_told(store: Store, queue: Queue) -> None:
    scan_id = put(store, queue)
    for attempt in (1, 2):
        job = claimed(queue)
        assert job.attempt == attempt
        assert queue.retry(job, "The gateway was killed.")
        assert status(store, scan_id) == "pending"
    last = claimed(queue)
    assert not queue.retry(last, "The gateway was killed.", 70)
    assert queue.claim("w/1") is None
    with pytest.raises(LeaseLostError):
        queue.retry(last, "again")
    with store.read() as session:
        scan = scans.get(session, EVERYTHING, scan_id)
        assert scan is not None
        assert (scan.status, scan.reason, scan.exit_code) == ("failed", "The gateway was killed.", 70)


def test_a_result_says_where_it_came_from(store: Store, queue: Queue) -> None:
    first, second = put(store, queue), put(store, queue)
    for known_from in (None, str(first)):
        job = claimed(queue)
        queue.finish(job, replace(made_report(str(job.scan_id)), known_from=known_from))
    with store.read() as session:
        found = [
            scan.known_from
            for i in (first, second)
            if (scan := scans.get(session, EVERYTHING, i)) is not None
        ]
    assert sorted(found, key=str) == sorted([None, first], key=str)


def test_a_lease_that_ends_is_tried_again_and_then_failed(store: Store, queue: Queue) -> None:
    scan_id = put(store, queue)
    for attempt in (1, 2, 3):
        assert claimed(queue).attempt == attempt
        assert queue.requeue_expired() == 0
        expire(store)
        assert queue.requeue_expired() == 1
    assert queue.claim("w/1") is None
    with store.read() as session:
        scan = scans.get(session, EVERYTHING, scan_id)
        assert scan is not None
        assert scan.status == "failed"
        assert scan.reason == "The worker fell silent during this scan, 3 times: given up."


def test_a_heartbeat_keeps_the_lease(store: Store, queue: Queue) -> None:
    put(store, queue)
    job = claimed(queue)
    for _ in range(2):
        expire(store)
        queue.heartbeat(job)
        assert queue.requeue_expired() == 0
    queue.finish(job, made_report(str(job.scan_id)))


def test_who_lost_the_lease_changes_nothing(store: Store, queue: Queue) -> None:
    put(store, queue)
    old = claimed(queue)
    assert queue.recover("w/1") == 1
    new = claimed(queue, "w/2")
    with pytest.raises(LeaseLostError):
        queue.heartbeat(old)
    with pytest.raises(LeaseLostError):
        queue.finish(old, made_report(str(old.scan_id), "malicious"))
    with pytest.raises(LeaseLostError):
        queue.fail(old, "no")
    with pytest.raises(LeaseLostError):
        queue.release(old)
    with pytest.raises(LeaseLostError):
        queue.retry(old, "no")
    assert status(store, old.scan_id) == "running"
    queue.finish(new, made_report(str(new.scan_id)))
    with pytest.raises(LeaseLostError):
        queue.finish(new, made_report(str(new.scan_id)))


def test_recover_takes_only_its_own(store: Store, queue: Queue) -> None:
    put(store, queue)
    put(store, queue)
    claimed(queue, "w/1")
    other = claimed(queue, "w/2")
    assert queue.recover("w/1") == 1
    queue.heartbeat(other)


def test_many_workers_never_share_a_scan(store: Store, queue: Queue) -> None:
    ids = {put(store, queue) for _ in range(24)}
    got: list[uuid.UUID] = []

    def work(name: str) -> None:
        while (job := queue.claim(name)) is not None:
            got.append(job.scan_id)
            queue.finish(job, made_report(str(job.scan_id)))

    threads = [threading.Thread(target=work, args=(f"w/{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = queue.claim("last")  # a worker may see an empty queue while another one holds the row
    while left is not None:
        got.append(left.scan_id)
        left = queue.claim("last")
    assert sorted(got) == sorted(ids)


def test_workers_are_seen(store: Store, queue: Queue) -> None:
    queue.seen("w/1")
    queue.seen("w/1")
    with store.read() as session:
        assert scans.worker_seen(session) is not None
        assert scans.oldest_waiting(session) is None


def put_for(store: Store, queue: Queue, account: str, number: int = 1) -> list[uuid.UUID]:
    """So many scans of an account, in this order."""
    made = []
    for _ in range(number):
        with store.write() as session:
            made.append(scans.add(session, NewScan("x", account, purl=PURL)).id)
            queue.enqueue(session, made[-1])
        time.sleep(0.002)
    return made


def order(store: Store, queue: Queue, number: int, done: bool = True) -> list[str]:
    """Whose scans the next ``number`` are; each ends before the next begins, where they are ``done``."""
    found = []
    for _ in range(number):
        job = claimed(queue)
        found.append(job.submitter)
        if done:
            queue.finish(job, made_report(str(job.scan_id)))
    return found


def test_accounts_take_turns(store: Store, queue: Queue) -> None:
    first = put_for(store, queue, "greedy", 6)
    put_for(store, queue, "ana", 2)
    put_for(store, queue, "token:ci", 1)
    assert order(store, queue, 6) == ["greedy", "ana", "token:ci", "greedy", "ana", "greedy"]
    assert [claimed(queue).scan_id for _ in range(3)] == first[3:]  # and its own stay in their order


def test_who_comes_later_is_next(store: Store, queue: Queue) -> None:
    put_for(store, queue, "greedy", 5)
    assert order(store, queue, 3) == ["greedy"] * 3
    put_for(store, queue, "late", 2)
    assert order(store, queue, 4) == ["late", "greedy", "late", "greedy"]


def test_workers_are_shared(store: Store, queue: Queue) -> None:
    """Whoever has most scans running waits, however old his others are."""
    put_for(store, queue, "greedy", 4)
    assert order(store, queue, 2, done=False) == ["greedy", "greedy"]
    put_for(store, queue, "ana", 3)
    assert order(store, queue, 3, done=False) == ["ana", "ana", "greedy"]


def test_scans_that_kill_their_workers_lose_their_turn_too(store: Store, queue: Queue) -> None:
    put_for(store, queue, "killer", 3)
    put_for(store, queue, "ana", 1)
    assert claimed(queue).submitter == "killer"
    assert queue.recover("w/1") == 1
    assert claimed(queue).submitter == "ana"


def test_what_workers_lack(store: Store, queue: Queue) -> None:
    def lacks(since: int = 0) -> str | None:
        with store.read() as session:
            return scans.worker_lacks(session, since)

    assert lacks() is None
    queue.seen("w/1", "No image.")
    assert lacks() == "No image."
    assert lacks(1 << 50) is None
    queue.seen("w/2")
    assert lacks() is None


def test_an_account_s_part_of_the_queue(store: Store, queue: Queue) -> None:
    put_for(store, queue, "ana", 2)
    with store.write() as session:
        scan = scans.add(session, NewScan("x", "bob", sha256="a" * 64, size=7))
        queue.enqueue(session, scan.id)
        scans.add(session, NewScan("x", "bob", sha256="a" * 64, size=9))  # ended: no job
    with store.read() as session:
        assert scans.unfinished_by_account(session) == {"ana": 2, "bob": 1}
        assert (scans.unfinished_bytes(session, "bob"), scans.unfinished_bytes(session, "ana")) == (7, 0)


@pytest.mark.parametrize("bad", ["\ud800", "a\0b", "\udcff\u202e\x1b[2J", "9" * 5_000])
def test_a_report_of_any_text_is_stored(store: Store, queue: Queue, bad: str) -> None:
    put(store, queue)
    job = claimed(queue)
    made = made_report(str(job.scan_id), "inconclusive")
    target = replace(made.target, name=bad)
    made = replace(made, status=ScanStatus.FAILED, error=bad, notices=(bad,), target=target)
    queue.finish(job, made)
    with store.read() as session:
        scan, found = (
            scans.get(session, EVERYTHING, job.scan_id),
            scans.report(session, EVERYTHING, job.scan_id),
        )
        assert scan is not None
        assert scan.status == "failed"
        assert found is not None
        assert found["notices"] == [well_formed(bad)]
    put(store, queue)
    queue.fail(failed := claimed(queue), bad)
    assert status(store, failed.scan_id) == "failed"
