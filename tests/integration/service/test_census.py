"""What the store says of the whole service, on both databases."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, update

from package_hunter import duties  # noqa: F401 (says what follows a result)
from package_hunter.access.view import DRILL, LEGACY
from package_hunter.api.store_figures import StoreFigures
from package_hunter.config import Settings
from package_hunter.model.priority import Priority
from package_hunter.queue import fleet
from package_hunter.queue.base import Queue, Terms
from package_hunter.store import scans
from package_hunter.store.access_tables import Project
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import ChoreRow, JobRow, Scan, WorkerRow
from package_hunter.store.scans import NewScan
from package_hunter.store.watching_tables import DrillRow
from package_hunter.store.worker_states import State
from package_hunter.watching import census, figures
from package_hunter.watching.census import BUSIEST, REST, Census
from tests.support.requires import ROOT
from tests.support.service_fake import made_report

USUAL = Terms()
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _project(store: Store, path: str) -> uuid.UUID:
    with store.write() as session:
        key = uuid.uuid4()
        session.add(Project(id=key, path=path, created=1))
    return key


def _waits(
    store: Store, queue: Queue, project: uuid.UUID = LEGACY, terms: Terms = USUAL, many: int = 1
) -> None:
    with store.write() as session:
        for number in range(many):  # each another: the same would be joined
            scan = scans.add(
                session, NewScan("x", "ana", purl=f"pkg:npm/x{number}@{uuid.uuid4().hex}", project=project)
            )
            queue.enqueue(session, scan.id, terms)


def _census(store: Store) -> Census:
    with store.read() as session:
        return census.take(session, lease_seconds=60)


def _scraped(store: Store, settings: Settings) -> Samples:
    """As Prometheus reads it."""
    registry = CollectorRegistry()
    with store.read() as session:
        registry.register(StoreFigures(session, settings, census.artefacts(session)))
    text = generate_latest(registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_queue_by_priority(store: Store, queue: Queue, settings: Settings) -> None:
    _waits(store, queue, terms=Terms(Priority.MERGE_REQUEST), many=2)
    _waits(store, queue, terms=Terms(Priority.NIGHTLY))
    assert queue.claim("w") is not None
    found = _census(store).queue
    assert (found["merge-request"].waiting, found["merge-request"].running) == (1, 1)
    assert (found["nightly"].waiting, found["nightly"].running) == (1, 0)
    assert (found["normal"].waiting, found["normal"].oldest) == (0, None)
    with store.write() as session:
        session.execute(update(JobRow).values(enqueued=now_ms() - 5_000))
    seen = _scraped(store, settings)
    assert seen["package_hunter_queue_wait_seconds", (("priority", "nightly"),)] == pytest.approx(5.0, abs=4)
    assert seen["package_hunter_queue_wait_seconds", (("priority", "normal"),)] == 0.0
    key = "package_hunter_queue_scans", (("priority", "merge-request"), ("state", "running"))
    assert seen[key] == 1.0


def test_of_many_projects_the_busiest_are_named_and_nothing_is_lost(store: Store, queue: Queue) -> None:
    for number in range(BUSIEST + 5):
        _waits(store, queue, _project(store, f"many/p{number:02}"), many=1 + (number < 3))
    found = _census(store).projects
    assert len(found) == BUSIEST + 1
    assert {"many/p00", "many/p01", "many/p02"} < set(found)
    assert found[REST] == (5, 0)
    assert sum(waiting for waiting, _ in found.values()) == BUSIEST + 5 + 3


@pytest.mark.parametrize("path", ["other", 'a"} 1\nx{b="', "ä" * 255, "back\\slash"])
def test_a_hostile_path_is_one_label_and_no_other(
    store: Store, queue: Queue, settings: Settings, path: str
) -> None:
    _waits(store, queue, _project(store, path))
    named = [
        dict(labels)["project"]
        for (name, labels) in _scraped(store, settings)
        if name == "package_hunter_project_scans"
    ]
    assert set(named) == {path}


def test_a_project_that_is_there_no_more_is_of_the_rest(store: Store, queue: Queue) -> None:
    _waits(store, queue, uuid.uuid4())
    assert _census(store).projects == {REST: (1, 0)}


def test_results_of_the_last_day_by_project(store: Store, queue: Queue, settings: Settings) -> None:
    shop = _project(store, "web/shop")
    for project, verdict in ((shop, "malicious"), (shop, "no_findings"), (DRILL, "malicious")):
        _waits(store, queue, project)
        job = queue.claim("w")
        assert job is not None
        queue.finish(job, made_report(str(job.scan_id), verdict))
    assert _census(store).day == {("web/shop", "malicious"): 1, ("web/shop", "no_findings"): 1}
    with store.write() as session:
        session.execute(update(Scan).values(verdict="what?", created=now_ms() - 1))
    assert _census(store).day == {("web/shop", "other"): 2}
    with store.write() as session:
        session.execute(update(Scan).values(created=now_ms() - 86_400_001))
    assert _census(store).day == {}


def test_a_drill_that_waits_is_no_projects(store: Store, queue: Queue) -> None:
    _waits(store, queue, DRILL)
    assert _census(store).projects == {}


def test_workers_by_how_they_stand(store: Store, queue: Queue, settings: Settings) -> None:
    _waits(store, queue)
    _waits(store, queue)
    now = now_ms()
    rows: Sequence[WorkerRow] = [
        WorkerRow(name="busy", seen=now),
        WorkerRow(name="idle", seen=now),
        WorkerRow(name="unfit", seen=now, lacks="It has no image."),
        WorkerRow(name="draining", seen=now),
        WorkerRow(name="drained", seen=now, drain=now),
        WorkerRow(name="lost", seen=now - 120_000),
    ]
    with store.write() as session:
        session.add_all(rows)
    assert queue.claim("busy") is not None
    assert queue.claim("draining") is not None
    with store.write() as session:
        session.get_one(WorkerRow, "draining").drain = now
    assert _census(store).workers == {state.value: 1 for state in State}
    with store.read() as session:  # what the API and the command line call them
        assert {one.name: one.state.value for one in fleet.listed(session, settings)} == {
            row.name: row.name for row in rows
        }


def test_alerts_and_documents_use_these_words() -> None:
    said = re.findall(
        r'package_hunter_workers\{state=~?"([^"]+)"',
        (ROOT / "deploy/prometheus/package-hunter.rules.yml").read_text(),
    )
    assert said
    assert {word for one in said for word in one.split("|")} <= set(State)
    table = (ROOT / "docs/server.md").read_text().partition("| state | |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| (.+?) \|", table, re.M)[1:]) and all(f"`{state}`" in table for state in State)


def test_chores_and_dead_letters(store: Store, queue: Queue, settings: Settings) -> None:
    with store.write() as session:
        session.add_all((ChoreRow(name="clock", done=5_000), ChoreRow(name="drill", done=7_000, error="no")))
    _waits(store, queue)
    job = queue.claim("w")
    assert job is not None
    queue.fail(job, "It was us.")
    seen = _scraped(store, settings)
    assert seen["package_hunter_chore_done_timestamp_seconds", (("chore", "clock"),)] == 5.0
    assert seen["package_hunter_chore_failed", (("chore", "clock"),)] == 0.0
    assert seen["package_hunter_chore_failed", (("chore", "drill"),)] == 1.0
    assert seen["package_hunter_dead_letters", ()] == 1.0


def test_an_artefact_that_several_refer_to_is_counted_once(
    store: Store, queue: Queue, settings: Settings
) -> None:
    _waits(store, queue, many=3)
    with store.write() as session:
        for place, scan in enumerate(session.scalars(select(Scan)).all()):
            of = {"kind": "archive", "digest": f"{place // 2:064x}", "size": 10 + place // 2}
            session.add(ArtefactRef(id=uuid.uuid4(), scan_id=scan.id, name="", created=1, **of))
    seen = _scraped(store, settings)
    assert seen["package_hunter_artefacts", (("kind", "archive"),)] == 2
    assert seen["package_hunter_artefact_bytes", (("kind", "archive"),)] == 21


def test_histograms_are_cumulated_as_prometheus_has_them(store: Store, settings: Settings) -> None:
    with store.write() as session:
        for seconds in (0.05, 0.2, 4.0, 99_999.0):
            figures.add(session, figures.STEPS, ("box",), seconds)
        figures.add(session, figures.STEPS, ("too", "many"), 1.0)  # of a version to come
    seen = _scraped(store, settings)
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in seen.items()
        if name.endswith("step_seconds_bucket")
    }
    assert (buckets["0.1"], buckets["0.25"], buckets["5.0"], buckets["1200.0"], buckets["+Inf"]) == (
        1,
        2,
        3,
        3,
        4,
    )
    assert list(buckets.values()) == sorted(buckets.values())
    assert seen["package_hunter_scan_step_seconds_count", (("step", "box"),)] == 4
    assert seen["package_hunter_scan_step_seconds_sum", (("step", "box"),)] == pytest.approx(100_003.25)


def test_results_are_counted_by_priority(store: Store, queue: Queue, settings: Settings) -> None:
    _waits(store, queue)
    job = queue.claim("w")
    assert job is not None
    queue.finish(job, made_report(str(job.scan_id), "malicious"))
    labels = (("decision", "block"), ("from", "run"), ("priority", "normal"), ("verdict", "malicious"))
    assert _scraped(store, settings)["package_hunter_results_total", labels] == 1


def test_the_drill(store: Store, settings: Settings) -> None:
    names = ("proven_timestamp_seconds", "block_seconds", "decided_minutes", "undecided_minutes", "failed")
    before = _scraped(store, settings)
    assert [before[f"package_hunter_drill_{name}", ()] for name in names] == [-1.0, -1.0, -1.0, -1.0, 0.0]
    now = now_ms()
    row = DrillRow(
        id=uuid.uuid4(),
        begun=now - 60_000,
        deadline=now,
        by="ana",
        scan_id=uuid.uuid4(),
        commit="c",
        state="proven",
    )
    row.blocked = now - 50_000
    with store.write() as session:
        session.add(row)
    after = _scraped(store, settings)
    assert after["package_hunter_drill_block_seconds", ()] == 10.0
    assert after["package_hunter_drill_undecided_minutes", ()] >= 0.8
    assert after["package_hunter_drill_proven_timestamp_seconds", ()] == pytest.approx(row.blocked / 1000)
