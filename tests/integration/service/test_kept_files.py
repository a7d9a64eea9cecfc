"""What a server keeps beside a report: stored while the scan is held, referred to with its result; both databases."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select

from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.errors import HostError, StoreError
from package_hunter.model.report import KeptFile, Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.model.scan import Verdict
from package_hunter.pipeline import dropped
from package_hunter.pipeline.dropped import DroppedFile
from package_hunter.queue import kept_files, recordings
from package_hunter.queue.base import Job, Queue
from package_hunter.storage.base import Kind
from package_hunter.store import artefacts, scans
from package_hunter.store.artefact_tables import ArtefactClaim
from package_hunter.store.collection import collect
from package_hunter.store.database import Store
from package_hunter.store.scans import NewScan
from tests.support.judge_samples import report as sample


@pytest.fixture
def recording(settings: Settings) -> Settings:
    return settings.model_copy(update={"recordings_bytes": 1 << 20})


def begun(store: Store, queue: Queue) -> Job:
    with store.write() as session:
        scan = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x"))
        queue.enqueue(session, scan.id)
    job = queue.claim("w/1")
    assert job is not None
    return job


def scanned(store: Store, settings: Settings, job: Job, verdict: Verdict = Verdict.MALICIOUS) -> Report:
    """As the runner does it, with two recordings and a dropped file."""
    with kept_files.Folder(settings, job.scan_id) as beside:
        if beside.recording is not None:
            beside.recording.write_bytes(b"first box")
            beside.recording.with_name(f"{job.scan_id}.2.scap").write_bytes(b"second box")
        if beside.dropped is not None:
            file = DroppedFile("/home/dev/.x/miner", "", 7)
            file = replace(file, sha256=artefacts.digest_of(b"payload"))
            dropped._write(beside.dropped.folder, file, b"payload")
        folder = beside.path
        report = beside.keep(store, replace(sample(), id=str(job.scan_id), verdict=verdict))
    assert not folder.exists()
    return report


def kept(store: Store, scan_id: uuid.UUID) -> list[tuple[str, str]]:
    with store.read() as session:
        rows = artefacts.of_scan(session, scan_id)
    return [(row.kind, row.name) for row in rows if row.kind != Kind.REPORT]


def test_recordings_and_dropped_files_are_the_scans_with_its_result(
    recording: Settings, store: Store, queue: Queue
) -> None:
    job = begun(store, queue)
    report = scanned(store, recording, job)
    assert [file.kind for file in report.kept] == ["recording", "recording", "dropped"]
    assert kept(store, job.scan_id) == []
    collect(store, -1, 100)  # claimed: not collected
    queue.finish(job, report)
    names = [("dropped", "/home/dev/.x/miner"), ("recording", f"{job.scan_id}.2.scap")]
    assert kept(store, job.scan_id) == [*names, ("recording", f"{job.scan_id}.scap")]
    with store.read() as session:
        assert session.scalars(select(ArtefactClaim)).all() == []
        assert recordings.sizes(session, [job.scan_id]) == {job.scan_id: 19}
        data = scans.report(session, EVERYTHING, job.scan_id)
    assert data is not None and from_json(data).kept == report.kept
    with recordings.fetched(store, recording, job.scan_id) as files:
        assert [path.read_bytes() for path in files] == [b"first box", b"second box"]
        assert files[0].parent.stat().st_mode & 0o777 == 0o700
    assert not files[0].exists()
    assert store.artefacts.open(Kind.DROPPED, report.kept[2].sha256).read() == b"payload"


def test_dropped_files_are_kept_of_scans_that_found_something(
    recording: Settings, store: Store, queue: Queue
) -> None:
    report = scanned(store, recording, begun(store, queue), Verdict.NO_FINDINGS)
    assert [file.kind for file in report.kept] == ["recording", "recording"]


def test_nothing_is_kept_where_that_is_not_wanted(settings: Settings, store: Store, queue: Queue) -> None:
    none = settings.model_copy(update={"dropped_files": 0})
    report = scanned(store, none, begun(store, queue))
    assert report.kept == ()
    assert "kept" not in to_json(report)


def test_a_result_that_is_known_has_what_the_earlier_scan_has(
    recording: Settings, store: Store, queue: Queue
) -> None:
    first = begun(store, queue)
    report = scanned(store, recording, first)
    queue.finish(first, report)
    second = begun(store, queue)
    known = replace(report, id=str(second.scan_id), known_from=report.id)
    with kept_files.Folder(recording, second.scan_id) as beside:
        known = beside.keep(store, known)
    lost = KeptFile("dropped", "0" * 64, 1, "/gone")
    queue.finish(second, replace(known, kept=(*known.kept, lost)))
    assert len(kept(store, second.scan_id)) == 3
    with store.write() as session:
        session.delete(session.get_one(scans.Scan, first.scan_id))
    collect(store, -1, 100)
    with recordings.fetched(store, recording, second.scan_id) as files:
        assert len(files) == 2


def test_an_artefact_store_that_is_away_is_waited_for(
    recording: Settings, store: Store, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = store.artefacts.keep, []

    def away_twice(*args: object) -> object:
        times.append(args)
        if len(times) < 3:
            raise StoreError("away")
        return real(*args)

    monkeypatch.setattr(store.artefacts, "keep", away_twice)
    monkeypatch.setattr(kept_files, "_AGAIN_SECONDS", 0.0)
    assert len(scanned(store, recording, begun(store, queue)).kept) == 3
    times.clear()
    monkeypatch.setattr(kept_files, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(StoreError, match="away"):
        scanned(store, recording, begun(store, queue))


def test_a_damaged_recording_is_told(recording: Settings, store: Store, queue: Queue) -> None:
    job = begun(store, queue)
    queue.finish(job, scanned(store, recording, job))
    for path in recording.data_dir.glob("artefacts/recording/*/*"):
        path.write_bytes(b"damaged")
    with pytest.raises(HostError, match="changed"), recordings.fetched(store, recording, job.scan_id):
        pass
