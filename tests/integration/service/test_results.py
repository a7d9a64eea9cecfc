"""What follows a result happens in its transaction, or the result is not there either."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.model.report import Report
from package_hunter.queue.base import Queue
from package_hunter.report.sample import sample
from package_hunter.store import results, scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan, StoredReport


def _put(store: Store, queue: Queue) -> None:
    with store.write() as session:
        scan = scans.add(session, scans.NewScan("thing", "ana", sha256="0" * 64, size=1))
        queue.enqueue(session, scan.id)


def test_a_step_sees_the_result_in_its_transaction(
    store: Store, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str | None, bool]] = []

    def look(session: Session, scan: Scan, report: Report) -> None:
        stored = session.scalar(select(StoredReport.scan_id).where(StoredReport.scan_id == scan.id))
        seen.append((scan.verdict, stored == scan.id and report.verdict.value == scan.verdict))

    monkeypatch.setattr(results, "AFTER_RESULT", (look,))
    _put(store, queue)
    job = queue.claim("w")
    assert job is not None
    queue.finish(job, replace(sample(), id=str(job.scan_id)))
    assert seen == [(sample().verdict.value, True)]


def test_a_step_that_fails_takes_the_result_back(
    store: Store, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Session, _scan: Scan, _report: Report) -> None:
        raise ValueError("no")

    monkeypatch.setattr(results, "AFTER_RESULT", (fail,))
    _put(store, queue)
    job = queue.claim("w")
    assert job is not None
    with pytest.raises(ValueError, match="no"):
        queue.finish(job, replace(sample(), id=str(job.scan_id)))
    with store.read() as session:
        assert session.scalar(select(Scan.status)) == "running"
        assert session.scalar(select(StoredReport.scan_id)) is None
