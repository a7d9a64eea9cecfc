"""Figures and traces in the store, on both databases."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import update

from package_hunter import duties  # noqa: F401 (says what follows a result)
from package_hunter.access.view import DRILL, LEGACY
from package_hunter.model.scan import Verdict
from package_hunter.queue.local import LocalQueue
from package_hunter.store import results, scans
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import Scan
from package_hunter.store.scans import NewScan
from package_hunter.store.watching_tables import FigureRow, StepsRow
from package_hunter.watching import figures, steps
from package_hunter.watching.steps import Accepted, Try
from package_hunter.watching.stopwatch import Lap
from package_hunter.watching.tracer import AT_ONCE, KEPT_MS, Tracer
from package_hunter.watching.traces import Span
from tests.support.service_fake import made_report

NS = 1_790_000_000_000_000_000
LAPS = (Lap("install", NS, NS + 2 * 10**9), Lap("install", NS, NS + 10**9), Lap("judge", NS, NS + 10**8))


class Kept:
    """An exporter that keeps what it is sent, unless it is told to fail."""

    def __init__(self) -> None:
        self.sent: list[Span] = []
        self.problem: str | None = None

    def send(self, found: Sequence[Span]) -> str | None:
        if self.problem is None:
            self.sent += found
        return self.problem


def _finished(
    store: Store, queue: LocalQueue, project: uuid.UUID = LEGACY, *, traced: bool = False, tries: int = 1
) -> uuid.UUID:
    """A scan from its submission to its stored result."""
    with store.write() as session:
        scan = scans.add(session, NewScan("demo", "ana", purl="pkg:npm/x@1", project=project))
        queue.enqueue(session, scan.id)
        if traced:
            steps.note_accepted(session, scan.id, Accepted(NS - 5, NS - 3))
    job = queue.claim("w")
    assert job is not None
    for number in range(1, tries + 1):
        steps.note_try(store, scan.id, Try(number, NS, NS + 3 * 10**9, False, LAPS), traced=False)
    queue.finish(job, replace(made_report(str(scan.id)), verdict=Verdict.NO_FINDINGS))
    return scan.id


def _figures(store: Store, name: str) -> dict[tuple[str, ...], tuple[int, float]]:
    with store.read() as session:
        return {one.labels: (one.count, one.seconds) for one in figures.of(session, name)}


def test_a_scan_is_counted_with_the_times_of_its_last_try(store: Store, queue: LocalQueue) -> None:
    _finished(store, queue, tries=2)
    _finished(store, queue)
    assert _figures(store, figures.RESULTS) == {("normal", "no_findings", "pass", "run"): (2, 0.0)}
    taken = _figures(store, figures.STEPS)
    assert taken[("install",)] == (2, 6.0)  # a scan's boxes together are one observation
    assert taken[("judge",)] == (2, 0.2)
    assert taken[("store",)][0] == 2
    assert _figures(store, figures.WAITS)[("normal",)][0] == 2


def test_a_result_that_is_made_anew_is_no_further_scan(store: Store, queue: LocalQueue) -> None:
    key = _finished(store, queue)
    before = _figures(store, figures.RESULTS)
    with store.write() as session:
        results.stored(session, session.get_one(Scan, key), made_report(str(key), "malicious"))
    assert _figures(store, figures.RESULTS) == before


def test_a_drill_is_in_nobodys_figures(store: Store, queue: LocalQueue) -> None:
    _finished(store, queue, DRILL)
    assert _figures(store, figures.RESULTS) == {}
    assert _figures(store, figures.STEPS) == {}


def test_buckets_hold_each_observation_once(store: Store) -> None:
    times = [0.0, 0.1, 0.11, 3.0, 5_000.0]
    with store.write() as session:
        for seconds in times:
            figures.add(session, "steps", ("box",), seconds)
    with store.read() as session:
        found = figures.of(session, "steps")[0]
    assert found.count == len(times)
    assert sum(found.buckets) == len(times) - 1  # one is more than any bound
    assert found.buckets[0] == 2
    assert found.buckets[1] == 1


def test_two_that_count_at_once_lose_none(store: Store) -> None:
    def many() -> None:
        for _ in range(20):
            with store.write() as session:
                figures.add(session, "results", ("a",), 1.0)

    threads = [threading.Thread(target=many) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _figures(store, "results") == {("a",): (60, 60.0)}


@pytest.mark.parametrize("labels", ["{", '{"a": 1}', "7", "null"])
def test_a_row_that_says_nothing_is_left_out(store: Store, labels: str) -> None:
    with store.write() as session:
        figures.add(session, "results", ("a",))
        session.add(FigureRow(name="results", labels=labels, count=5, ms=5, buckets="?"))
    assert _figures(store, "results") == {("a",): (1, 0.0)}


def test_a_trace_is_sent_once_the_scan_has_ended_and_once_alone(store: Store, queue: LocalQueue) -> None:
    with store.write() as session:
        waits = scans.add(session, NewScan("demo", "ana", purl="pkg:npm/y@1"))
        steps.note_accepted(session, waits.id, Accepted(NS, NS + 1))
    key, kept = _finished(store, queue, traced=True), Kept()
    tracer = Tracer(store, kept)
    assert not tracer.step()
    assert {span.trace for span in kept.sent} == {key.int}
    names = [span.name for span in kept.sent]
    assert names == ["scan", "accept", "wait", "try", "install", "install", "judge", "store"]
    tracer.step()
    assert len(kept.sent) == len(names)
    with store.read() as session:
        row = session.get_one(StepsRow, key)
    assert (row.body, row.due, row.counted) == (None, None, True)


def test_a_scan_that_failed_is_told_too(store: Store, queue: LocalQueue) -> None:
    with store.write() as session:
        scan = scans.add(session, NewScan("demo", "ana", purl="pkg:npm/x@1"))
        queue.enqueue(session, scan.id)
    job = queue.claim("w")
    assert job is not None
    steps.note_try(store, scan.id, Try(1, NS, NS + 1, True, LAPS[:1]), traced=True)
    queue.fail(job, "It is no archive.", 3)
    kept = Kept()
    Tracer(store, kept).step()
    assert [(span.name, span.failed) for span in kept.sent] == [
        ("scan", True),
        ("wait", False),
        ("try", True),
        ("install", False),
    ]


def test_where_nobody_is_told_nothing_is_kept(store: Store, queue: LocalQueue) -> None:
    key, kept = _finished(store, queue), Kept()
    Tracer(store, kept).step()
    assert kept.sent == []
    with store.read() as session:
        assert session.get_one(StepsRow, key).body is None


def test_what_could_not_be_sent_is_tried_again_then_dropped(store: Store, queue: LocalQueue) -> None:
    key, kept = _finished(store, queue, traced=True), Kept()
    tracer = Tracer(store, kept)
    kept.problem = "no"
    tracer.step()
    kept.problem = None
    tracer.step()
    assert kept.sent == []  # not at once
    with store.write() as session:
        session.execute(update(StepsRow).values(due=now_ms()))
    tracer.step()
    assert kept.sent != []
    with store.write() as session:
        session.execute(update(StepsRow).values(due=now_ms(), body="{}"))
        session.execute(update(Scan).where(Scan.id == key).values(finished=now_ms() - KEPT_MS - 1))
    tracer.prune()
    with store.read() as session:
        assert session.get_one(StepsRow, key).due is None


def test_many_are_sent_in_several_requests(store: Store, queue: LocalQueue) -> None:
    for _ in range(AT_ONCE + 1):
        _finished(store, queue, traced=True)
    kept = Kept()
    tracer = Tracer(store, kept)
    assert tracer.step()
    assert len({span.trace for span in kept.sent}) == AT_ONCE
    assert not tracer.step()
    assert len({span.trace for span in kept.sent}) == AT_ONCE + 1
