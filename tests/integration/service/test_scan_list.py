"""Lists of scans: every filter, alone and with others, page by page, on both databases."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from package_hunter.access.view import EVERYTHING, LEGACY
from package_hunter.errors import UsageError
from package_hunter.model.depth import DepthName
from package_hunter.model.scan import Decision, Package, ScanStatus, Verdict
from package_hunter.queue.local import LocalQueue
from package_hunter.store import scan_list, scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan
from package_hunter.store.scan_list import ScanFilters
from package_hunter.store.scans import NewScan
from tests.support.service_fake import made_report

from package_hunter import duties  # noqa: F401  isort: skip


def _add(store: Store, queue: LocalQueue, new: NewScan, at: int, verdict: str | None = None) -> uuid.UUID:
    with store.write() as session:
        scan = scans.add(session, new)
        queue.enqueue(session, scan.id)
        scan.created = at
        key = scan.id
    if verdict is not None:
        job = queue.claim("w")
        assert job is not None and job.scan_id == key
        held = (Package("pkg:npm/shared@1.0.0", "shared", "1.0.0"),)
        queue.finish(job, replace(made_report(str(key), verdict), packages=held))
    return key


@pytest.fixture
def known(store: Store, queue: LocalQueue) -> dict[str, uuid.UUID]:
    new = NewScan("shop", "ana", "yarn", sha256="a" * 64, size=1, depth="deep")
    return {
        "bad": _add(store, queue, new, 1_000, "malicious"),
        "good": _add(store, queue, NewScan("x", "bob", purl="pkg:npm/x@1.0"), 2_000, "no_findings"),
        "waits": _add(store, queue, NewScan("x", "bob", purl="pkg:pypi/x@2.0"), 3_000),
    }


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (ScanFilters(), "waits good bad"),
        (ScanFilters(status=ScanStatus.PENDING), "waits"),
        (ScanFilters(verdict=Verdict.MALICIOUS), "bad"),
        (ScanFilters(decision=Decision.PASS), "good"),
        (ScanFilters(ecosystem="npm"), "good bad"),
        (ScanFilters(ecosystem="pypi"), "waits"),
        (ScanFilters(submitter="bob"), "waits good"),
        (ScanFilters(depth=DepthName.DEEP), "bad"),
        (ScanFilters(since=2_000), "waits good"),
        (ScanFilters(until=2_000), "bad"),
        (ScanFilters(since=1_001, until=3_000), "good"),
        (ScanFilters(package=("pkg:npm/shared", "")), "good bad"),
        (ScanFilters(package=("pkg:npm/shared", "1.0.0")), "good bad"),
        (ScanFilters(package=("pkg:npm/shared", "2.0.0")), ""),
        (ScanFilters(package=("pkg:pypi/x", "")), "waits"),
        (ScanFilters(package=("pkg:pypi/x", "2.0")), "waits"),
        (ScanFilters(package=("pkg:pypi/x", "2")), ""),
        (ScanFilters(submitter="bob", verdict=Verdict.NO_FINDINGS, ecosystem="npm"), "good"),
        (ScanFilters(submitter="ana", verdict=Verdict.NO_FINDINGS), ""),
    ],
    ids=str,
)
def test_filters(store: Store, known: dict[str, uuid.UUID], filters: ScanFilters, found: str) -> None:
    with store.read() as session:
        page = scan_list.page(session, EVERYTHING, filters)
    names = {key: name for name, key in known.items()}
    assert [names[scan.id] for scan in page.rows] == found.split()
    assert page.next is None


def test_pages_hold_each_once(store: Store, queue: LocalQueue) -> None:
    made = [_add(store, queue, NewScan(f"s{n}", "ana", purl="pkg:npm/x"), 1_000 + n // 3) for n in range(8)]
    seen: list[Any] = []
    after: str | None = None
    with store.read() as session:
        while True:
            page = scan_list.page(session, EVERYTHING, ScanFilters(submitter="ana"), 3, after)
            seen += [scan.id for scan in page.rows]
            after = page.next
            if after is None:
                break
    assert len(seen) == 8 and set(seen) == set(made)


@pytest.mark.parametrize("before", ["", "x", "12", "12-no", "9" * 16 + "-" + str(LEGACY), "-" + str(LEGACY)])
def test_what_is_no_place_in_the_list(store: Store, before: str) -> None:
    with store.read() as session, pytest.raises(UsageError, match="no place in this list"):
        scan_list.page(session, EVERYTHING, ScanFilters(), 3, before)


def test_a_malformed_row_hides_no_other(store: Store, known: dict[str, uuid.UUID]) -> None:
    if not store.is_sqlite:
        return  # PostgreSQL takes none
    with store.write() as session:
        session.connection().exec_driver_sql(
            "UPDATE scans SET created = 'no time' WHERE id = ?", (known["good"].hex,)
        )
    with store.read() as session:
        page = scan_list.page(session, EVERYTHING, ScanFilters(), 2)
    assert [scan.id for scan in page.rows] == [known["waits"], known["bad"]]


def test_what_a_report_says_of_the_ecosystem_counts(store: Store, known: dict[str, uuid.UUID]) -> None:
    with store.read() as session:
        assert session.get_one(Scan, known["bad"]).ecosystem == "npm"
