"""Reports as artefacts: read wherever they lie, and never lost to a store that is away."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.errors import StoreError
from package_hunter.model.report_form import to_json
from package_hunter.queue.base import Queue
from package_hunter.storage.base import Kind
from package_hunter.store import reports, scans
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.collection import collect
from package_hunter.store.database import Store
from package_hunter.store.models import StoredReport
from package_hunter.store.scans import NewScan
from tests.support.judge_samples import report as sample


def finished(store: Store, queue: Queue) -> uuid.UUID:
    with store.write() as session:
        scan = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x"))
        queue.enqueue(session, scan.id)
    job = queue.claim("w/1")
    assert job is not None
    queue.finish(job, replace(sample(), id=str(scan.id)))
    return scan.id


def told(store: Store, scan_id: uuid.UUID) -> object:
    with store.read() as session:
        return scans.report(session, EVERYTHING, scan_id)


def row(store: Store, scan_id: uuid.UUID) -> StoredReport:
    with store.read() as session:
        return session.get_one(StoredReport, scan_id)


def files(settings: Settings) -> list[Path]:
    return list(settings.data_dir.glob("artefacts/report/*/*"))


def test_a_report_is_an_artefact_and_its_row_names_it(settings: Settings, store: Store, queue: Queue) -> None:
    scan_id = finished(store, queue)
    (file,) = files(settings)
    assert (row(store, scan_id).digest, row(store, scan_id).body) == (file.name, b"")
    assert told(store, scan_id) == to_json(replace(sample(), id=str(scan_id)))
    collect(store, -1, 100)
    assert told(store, scan_id) is not None


def test_a_store_that_is_away_costs_no_result(
    settings: Settings, store: Store, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr(store.artefacts, "put", away)
        scan_id = finished(store, queue)
        assert row(store, scan_id).digest is None
        before = told(store, scan_id)
        assert before == to_json(replace(sample(), id=str(scan_id)))
        with pytest.raises(StoreError, match="away"):
            reports.move_out(store, 10)
    assert told(store, scan_id) == before
    assert reports.move_out(store, 10) == 1
    assert reports.move_out(store, 10) == 0
    assert (row(store, scan_id).digest, row(store, scan_id).body) == (files(settings)[0].name, b"")
    assert told(store, scan_id) == before


def test_reports_of_before_are_moved_out_as_they_are(settings: Settings, store: Store) -> None:
    with store.write() as session:
        ids = [scans.add(session, NewScan("x", "ana", purl="pkg:npm/x")).id for _ in range(3)]
        for number, scan_id in enumerate(ids):
            session.add(StoredReport(scan_id=scan_id, body=reports.pack({"number": number})))
    assert [reports.move_out(store, 2) for _ in range(3)] == [2, 1, 0]
    assert [told(store, scan_id) for scan_id in ids] == [{"number": n} for n in range(3)]
    with store.read() as session:
        assert len(session.scalars(select(ArtefactRef)).all()) == 3


def test_one_that_is_replaced_meanwhile_stays_the_new_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as session:
        scan_id = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x")).id
        reports.replace(session, scan_id, {"number": 1})
    real = store.artefacts.put

    def meanwhile(kind: Kind, content: bytes) -> object:
        with store.write() as session:
            reports.replace(session, scan_id, {"number": 2})
        return real(kind, content)

    with monkeypatch.context() as patch:
        patch.setattr(store.artefacts, "put", meanwhile)
        reports.move_out(store, 10)
    assert told(store, scan_id) == {"number": 2}
    reports.move_out(store, 10)
    assert told(store, scan_id) == {"number": 2}


def test_a_replaced_report_lets_its_artefact_go(settings: Settings, store: Store, queue: Queue) -> None:
    scan_id = finished(store, queue)
    with store.write() as session:
        reports.replace(session, scan_id, {"number": 2})
    assert told(store, scan_id) == {"number": 2}
    assert collect(store, -1, 100).number == 1
    assert files(settings) == []


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_damaged_report_is_told(settings: Settings, store: Store, queue: Queue, damage: str) -> None:
    scan_id = finished(store, queue)
    (file,) = files(settings)
    if damage == "changed":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        file.unlink()
    with pytest.raises(reports.UnreadableReportError) as caught:
        told(store, scan_id)
    assert str(settings.data_dir) not in caught.value.told
