"""The queue's contract, part two: priorities, deadlines, needs, limits, cancelling, dead letters, joining."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import event

from package_hunter.access.view import EVERYTHING, LEGACY, View
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.model.priority import Priority
from package_hunter.queue import fair, make
from package_hunter.queue.base import Job, LeaseLostError, Queue, Terms
from package_hunter.queue.joining import joined_result
from package_hunter.storage.base import Kind
from package_hunter.store import archives as archives_of
from package_hunter.store import scans
from package_hunter.store.archives import Archives
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import JobRow, Scan
from package_hunter.store.scans import NewScan
from tests.integration.service.test_queue import expire
from tests.support.service_fake import made_report

NPM, PYPI = "ecosystem:npm", "ecosystem:pypi"


def put(store: Store, queue: Queue, terms: Terms = Terms(), **more: object) -> uuid.UUID:  # noqa: B008 - frozen
    said = {"target": "left-pad", "submitter": "ana", "purl": "pkg:npm/left-pad@1.3.0", **more}
    with store.write() as session:
        scan = scans.add(session, NewScan(**said))  # type: ignore[arg-type]
        queue.enqueue(session, scan.id, terms)
    time.sleep(0.002)  # times are in milliseconds
    return scan.id


def scan_of(store: Store, scan_id: uuid.UUID) -> Scan:
    with store.read() as session:
        scan = scans.get(session, EVERYTHING, scan_id)
    assert scan is not None
    return scan


def claimed(queue: Queue, *can: str) -> Job:
    job = queue.claim("w/1", frozenset(can) if can else None)
    assert job is not None
    return job


def done(queue: Queue, job: Job, verdict: str = "no_findings") -> None:
    queue.finish(job, made_report(str(job.scan_id), verdict))


def test_merge_requests_go_first_and_nightly_scans_last(store: Store, queue: Queue) -> None:
    nightly = put(store, queue, Terms(Priority.NIGHTLY))
    usual = [put(store, queue), put(store, queue)]
    urgent = put(store, queue, Terms(Priority.MERGE_REQUEST), submitter="bob")
    order = []
    for _ in range(4):
        job = claimed(queue)
        order.append(job.scan_id)
        done(queue, job)
    assert order == [urgent, *usual, nightly]


def test_a_merge_request_overtakes_nightly_scans_that_were_handed_already(store: Store, queue: Queue) -> None:
    nightly = [
        put(store, queue, Terms(Priority.NIGHTLY, needs=frozenset({n})), submitter=a) for a, n in NIGHT
    ]
    first = claimed(queue, NPM, PYPI)
    urgent = [
        put(store, queue, Terms(Priority.MERGE_REQUEST, needs=frozenset({need})), submitter="clock")
        for need in (NPM, PYPI, NPM)
    ]
    order = [claimed(queue, NPM, PYPI).scan_id for _ in range(6)]
    assert set(order[:3]) == set(urgent), "whatever they need, whoever asks, whosever turn it is"
    assert sorted([first.scan_id, *order[3:]]) == sorted(nightly)


def test_a_nightly_scan_that_is_tried_again_does_not_go_before_a_merge_request(
    store: Store, queue: Queue
) -> None:
    put(store, queue, Terms(Priority.NIGHTLY))
    tried = claimed(queue)
    urgent = put(store, queue, Terms(Priority.MERGE_REQUEST), submitter="late")
    expire(store)
    queue.requeue_expired()
    assert [claimed(queue).scan_id for _ in range(2)] == [urgent, tried.scan_id]


NIGHT = [("clock", NPM), ("clock", PYPI), ("ana", NPM), ("bob", NPM)]


def test_turns_are_taken_within_a_priority(store: Store, queue: Queue) -> None:
    for account in ("greedy", "greedy", "ana"):
        put(store, queue, Terms(Priority.MERGE_REQUEST), submitter=account)
    put(store, queue, submitter="bob")
    assert [claimed(queue).submitter for _ in range(4)] == ["greedy", "ana", "greedy", "bob"]


def test_an_account_s_projects_take_turns(store: Store, queue: Queue) -> None:
    big, small = uuid.uuid4(), uuid.uuid4()
    for project in (big, big, big, small):
        put(store, queue, project=project)
    assert [claimed(queue).project for _ in range(4)] == [big, small, big, big]


def test_who_never_had_a_turn_is_first_in_the_order_of_coming(store: Store, queue: Queue) -> None:
    put(store, queue, submitter="served")
    done(queue, claimed(queue))
    for account in ("served", "z", "m", "a"):
        put(store, queue, submitter=account)
    assert [claimed(queue).submitter for _ in range(4)] == ["z", "m", "a", "served"]


def test_lanes_in_which_nothing_waits_are_passed_over(store: Store, queue: Queue) -> None:
    with store.write() as session:
        for number in range(150):
            fair.join(session, f"idle{number}", uuid.uuid4())
    ids = [put(store, queue, submitter="ana") for _ in range(2)]
    assert [claimed(queue).scan_id for _ in ids] == ids
    assert queue.claim("w/1") is None


@pytest.mark.parametrize("waiting", [2, 60])
def test_a_claim_asks_no_more_where_more_wait(store: Store, queue: Queue, waiting: int) -> None:
    for number in range(waiting):
        put(store, queue, Terms(needs=frozenset({NPM})), submitter=f"user{number}", project=uuid.uuid4())
    claimed(queue, NPM)  # the first looks twice, as an idle worker
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    claimed(queue, NPM)
    event.remove(store.engine, "before_cursor_execute", note)
    assert len([one for one in asked if not one.startswith(("BEGIN", "SAVEPOINT"))]) <= 14


def test_no_more_of_a_project_than_its_limit(store: Store, settings: Settings) -> None:
    queue = make(settings.model_copy(update={"max_running_per_project": 2}), store)
    crowded, other = uuid.uuid4(), uuid.uuid4()
    ids = [put(store, queue, project=crowded, submitter=f"user{n}") for n in range(4)]
    late = put(store, queue, project=other, submitter="late")
    first, second, third = claimed(queue), claimed(queue), claimed(queue)
    assert [first.scan_id, second.scan_id, third.scan_id] == [ids[0], ids[1], late]
    assert queue.claim("w/1") is None
    done(queue, second)
    assert claimed(queue).scan_id == ids[2]
    assert queue.claim("w/1") is None
    queue.fail(first, "No.", 3)
    assert claimed(queue).scan_id == ids[3]


def test_a_scan_goes_to_who_can(store: Store, queue: Queue) -> None:
    python = put(store, queue, Terms(needs=frozenset({PYPI, "engine:probe"})))
    npm = put(store, queue, Terms(needs=frozenset({NPM})))
    anywhere = put(store, queue)
    assert queue.claim("w/1", frozenset({"engine:probe"})).scan_id == anywhere  # type: ignore[union-attr]
    assert queue.claim("w/1", frozenset({"engine:probe"})) is None
    assert queue.claim("w/2", frozenset({NPM, "engine:falco"})).scan_id == npm  # type: ignore[union-attr]
    assert queue.claim("w/2", frozenset({PYPI})) is None
    assert claimed(queue, PYPI, "engine:probe", NPM).scan_id == python


def test_what_a_scan_needs_comes_back_with_it(store: Store, queue: Queue) -> None:
    scan_id = put(store, queue, Terms(needs=frozenset({PYPI})))
    queue.release(claimed(queue, PYPI))
    assert queue.claim("w/1", frozenset({NPM})) is None
    assert claimed(queue, PYPI).scan_id == scan_id


@pytest.mark.parametrize(
    "needs",
    [{"npm"}, {"Ecosystem:npm"}, {"a:b c"}, {"a:b\n"}, {"x:" + "y" * 40}, {f"a:{n}" for n in range(17)}],
)
def test_needs_have_a_form(needs: set[str]) -> None:
    with pytest.raises(UsageError, match="needs"):
        Terms(needs=frozenset(needs))


def test_one_that_nobody_began_in_time_ends_with_a_sentence(store: Store, queue: Queue) -> None:
    late = put(store, queue, Terms(deadline=now_ms() - 1))
    in_time = put(store, queue, Terms(deadline=now_ms() + 3_600_000))
    assert claimed(queue).scan_id == in_time
    assert queue.claim("w/1") is None
    assert queue.requeue_expired() == 1
    scan = scan_of(store, late)
    assert (scan.status, scan.exit_code, scan.dead) == ("failed", 69, None)
    assert scan.reason is not None
    assert scan.reason.startswith("No worker began this scan by its deadline (")
    assert queue.requeue_expired() == 0


def test_a_deadline_is_for_the_beginning_only(store: Store, settings: Settings) -> None:
    queue = make(settings.model_copy(update={"lease_seconds": 60}), store)
    scan_id = put(store, queue, Terms(deadline=now_ms() + 3_600_000))
    job = claimed(queue)
    with store.write() as session:
        session.get_one(JobRow, scan_id).deadline = now_ms() - 1
    assert queue.requeue_expired() == 0
    done(queue, job)
    assert scan_of(store, scan_id).status == "finished"


def test_a_waiting_scan_is_cancelled_at_once(store: Store, queue: Queue) -> None:
    kept, scan_id = put(store, queue), put(store, queue)
    with store.write() as session:
        assert queue.cancel(session, scan_id, "ana: a newer commit\x1b[2J is there.")
    scan = scan_of(store, scan_id)
    assert (scan.status, scan.exit_code, scan.reason) == (
        "cancelled",
        130,
        "ana: a newer commit [2J is there.",
    )
    assert scan.finished is not None
    with store.write() as session:
        assert not queue.cancel(session, scan_id, "again")
        assert not queue.cancel(session, uuid.uuid4(), "who?")
    assert claimed(queue).scan_id == kept
    assert queue.claim("w/1") is None


def test_nothing_is_cancelled_where_the_transaction_fails(store: Store, queue: Queue) -> None:
    scan_id = put(store, queue)
    with pytest.raises(ZeroDivisionError), store.write() as session:
        assert queue.cancel(session, scan_id, "no")
        raise ZeroDivisionError
    assert claimed(queue).scan_id == scan_id


def test_a_running_scan_is_told_and_ends_as_cancelled(store: Store, queue: Queue) -> None:
    scan_id = put(store, queue)
    job = claimed(queue)
    assert queue.cancelled(job) is None
    with store.write() as session:
        assert queue.cancel(session, scan_id, "Not needed.")
        assert queue.cancel(session, scan_id, "Twice.")
    assert scan_of(store, scan_id).status == "running"
    assert queue.cancelled(job) == "Not needed."
    queue.end_cancelled(job)
    scan = scan_of(store, scan_id)
    assert (scan.status, scan.exit_code, scan.reason) == ("cancelled", 130, "Not needed.")
    with pytest.raises(LeaseLostError):
        queue.end_cancelled(job)
    assert queue.cancelled(job) is None


@pytest.mark.parametrize("how", ["release", "retry", "recover", "expire"])
def test_a_cancelled_scan_is_never_run_again(store: Store, queue: Queue, how: str) -> None:
    scan_id = put(store, queue)
    job = claimed(queue)
    with store.write() as session:
        assert queue.cancel(session, scan_id, "Not needed.")
    if how == "release":
        queue.release(job)
    elif how == "retry":
        assert not queue.retry(job, "The gateway was killed.")
    elif how == "recover":
        assert queue.recover("w/1") == 1
    else:
        expire(store)
        assert queue.requeue_expired() == 1
    assert (scan_of(store, scan_id).status, queue.claim("w/2")) == ("cancelled", None)


def test_a_result_that_came_first_stays(store: Store, queue: Queue) -> None:
    scan_id = put(store, queue)
    job = claimed(queue)
    with store.write() as session:
        assert queue.cancel(session, scan_id, "Not needed.")
    done(queue, job, "malicious")
    assert scan_of(store, scan_id).verdict == "malicious"


def test_what_failed_through_us_is_a_dead_letter_and_can_be_run_again(store: Store, queue: Queue) -> None:
    project = uuid.uuid4()
    scan_id = put(store, queue, project=project)
    theirs = put(store, queue)
    for _ in range(3):
        ours = claimed(queue)
        if ours.scan_id == theirs:
            queue.fail(ours, "This is no archive.", 3)
            ours = claimed(queue)
        waits = queue.retry(ours, "The gateway was killed.")
    assert not waits
    mine, others = View(frozenset({project})), View(frozenset({LEGACY}))
    with store.write() as session:
        assert [scan.id for scan in queue.dead(session, mine)] == [scan_id]
        assert list(queue.dead(session, others)) == []
        assert scans.get(session, EVERYTHING, scan_id).dead is not None  # type: ignore[union-attr]
        assert not queue.rerun(session, theirs)
        assert queue.rerun(session, scan_id, Terms(Priority.MERGE_REQUEST))
        assert not queue.rerun(session, scan_id)
    scan = scan_of(store, scan_id)
    assert (scan.status, scan.reason, scan.exit_code, scan.dead) == ("pending", None, None, None)
    job = claimed(queue)
    assert (job.scan_id, job.attempt) == (scan_id, 1)
    done(queue, job)
    assert scan_of(store, scan_id).status == "finished"


def test_workers_that_die_leave_a_dead_letter(store: Store, queue: Queue) -> None:
    scan_id = put(store, queue)
    for _ in range(3):
        claimed(queue)
        assert queue.recover("w/1") == 1
    with store.read() as session:
        assert [scan.id for scan in queue.dead(session, EVERYTHING)] == [scan_id]


def test_an_archive_is_kept_for_a_dead_letter_for_some_days(
    store: Store, queue: Queue, settings: Settings
) -> None:
    archives = Archives(settings, store)
    upload = archives.begin()
    upload.write(b"archive")
    upload.done()
    claims = archives.keep(upload)
    upload.discard()
    scan_id = put(store, queue, purl=None, sha256=upload.sha256, size=upload.size)
    with store.write() as session:
        archives_of.note(session, session.get_one(Scan, scan_id), claims)
    queue.fail(claimed(queue), "The box could not be made.")
    archives.let_go(scan_id)
    assert store.artefacts.stat(Kind.ARCHIVE, upload.sha256) is not None
    with store.write() as session:
        assert queue.rerun(session, scan_id)
    queue.fail(claimed(queue), "The box could not be made.")
    Archives(settings.model_copy(update={"dead_letter_seconds": -1.0}), store).let_go(scan_id)
    assert store.artefacts.stat(Kind.ARCHIVE, upload.sha256) is None


@pytest.fixture
def joining(store: Store, settings: Settings) -> Queue:
    return make(settings.model_copy(update={"result_cache_seconds": 60.0}), store)


def test_the_same_in_flight_is_joined_and_given_the_result(store: Store, joining: Queue) -> None:
    first, second = put(store, joining), put(store, joining)
    job = claimed(joining)
    third = put(store, joining)
    assert (job.scan_id, joining.claim("w/2")) == (first, None)
    assert joined_result(store, job) is None
    done(joining, job, "malicious")
    for scan_id in (second, third):
        follower = claimed(joining)
        assert (follower.scan_id, follower.joined) == (scan_id, first)
        found = joined_result(store, follower)
        assert found is not None
        assert (found.id, found.verdict.value) == (str(first), "malicious")
        joining.finish(follower, replace(found, id=str(scan_id), known_from=str(first)))
        assert scan_of(store, scan_id).known_from == first


@pytest.mark.parametrize("how", ["fail", "dead", "cancel", "inconclusive"])
def test_who_joined_one_without_a_result_is_run(store: Store, joining: Queue, how: str) -> None:
    first, second = put(store, joining), put(store, joining)
    job = claimed(joining)
    if how == "fail":
        joining.fail(job, "No.", 3)
    elif how == "cancel":
        with store.write() as session:
            joining.cancel(session, first, "no")
        joining.end_cancelled(job)
    elif how == "inconclusive":
        done(joining, job, "inconclusive")
    else:
        while joining.retry(job, "The gateway was killed."):
            job = _again(joining, first)
    follower = claimed(joining)
    assert (follower.scan_id, follower.attempt) == (second, 1)
    assert joined_result(store, follower) is None


def _again(queue: Queue, scan_id: uuid.UUID) -> Job:
    job = queue.claim("w/1")
    assert job is not None
    assert job.scan_id == scan_id
    return job


OTHERS = [
    {"project": uuid.uuid4()},
    {"submitter": "bob"},
    {"depth": "deep"},
    {"manager": "yarn"},
    {"purl": "pkg:npm/left-pad@1.2.0"},
    {"fresh": True},
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
def test_what_is_not_the_same_joins_nothing(store: Store, joining: Queue, other: dict[str, object]) -> None:
    put(store, joining)
    put(store, joining, **other)
    assert [claimed(joining).joined for _ in range(2)] == [None, None]


def test_who_waits_is_begun_as_urgently_as_who_joined_it(store: Store, joining: Queue) -> None:
    nightly = put(store, joining, Terms(Priority.NIGHTLY))
    put(store, joining, submitter="bob")
    put(store, joining, Terms(Priority.MERGE_REQUEST))
    assert claimed(joining).scan_id == nightly


@pytest.mark.parametrize("when", ["before", "while it runs"])
def test_who_joined_one_that_was_begun_is_not_late(store: Store, joining: Queue, when: str) -> None:
    terms = Terms(deadline=now_ms() + 3_600_000)
    put(store, joining, terms)
    second = put(store, joining, terms) if when == "before" else None
    job = claimed(joining)
    second = second or put(store, joining, terms)
    with store.read() as session:
        assert session.get_one(JobRow, second).deadline is None
    done(joining, job)
    assert claimed(joining).scan_id == second
