"""Lists of findings, on both databases: every filter alone, in threes, in both orders, a page at a time."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING, View
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import Verdict
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import FindingRow, WordsRow
from package_hunter.triage import listing
from package_hunter.triage.listing import Filters, Order
from package_hunter.triage.values import Asks, State

DAY = 86_400_000
IDS = [uuid.UUID(int=n + 1) for n in range(6)]
PACKAGES = (
    "pkg:npm/left",
    "pkg:npm/left-pad",
    "pkg:npm/Left-Pad",
    "pkg:npm/l%t",
    "pkg:npm/leſt",
    "pkg:pypi/left",
    "",
)
VALUES: dict[str, tuple[Any, ...]] = {
    "state": (State.NEEDS_TRIAGE, State.ACCEPTED),
    "asks": tuple(Asks)[:1],
    "kind": ("mining",),
    "severity": ("high", "critical"),
    "verdict": (Verdict.MALICIOUS,),
    "package": ("pkg:npm/left", "pkg:npm/left*", "pkg:npm/l%*", "pkg:npm/Left*", "*"),
    "fingerprint": (f"{7:032x}",),
    "older_than": (5,),
    "newer_than": (5,),
    "detected": (True, False),
    "claimed": (True, False),
    "text": ("host", "host7", "100%", "none"),
}
VIEWS = {
    "all": (EVERYTHING, set(IDS)),
    "three": (View(frozenset(IDS[:3])), set(IDS[:3])),
    "one": (View(frozenset(IDS[:1])), set(IDS[:1])),
}


def _rows() -> list[dict[str, Any]]:
    chance, now = random.Random(16), now_ms()
    return [
        {
            "id": uuid.UUID(int=chance.getrandbits(128)),
            "project_id": chance.choice(IDS),
            "fingerprint": f"{chance.randrange(40):032x}",
            "kind": chance.choice(("mining", "git_hook")),
            "severity": chance.randrange(5),
            "proof": False,
            "verdict": chance.choice(("malicious", "suspicious")),
            "confidence": "certain",
            "title": f"It connected to host{number} at 100{chance.choice('%x')}",
            "package": chance.choice(PACKAGES),
            "facts": "{}",
            "behaviour": "{}",
            "behaviour_digest": "0" * 32,
            "first_seen": now - chance.randrange(20) * DAY - 1000,
            "last_seen": now - chance.randrange(50),
            "first_scan": IDS[0],
            "last_scan": IDS[0],
            "scans": 1,
            "detected": chance.random() < 0.7,
            "state": chance.choice(list(State)).value,
            "asks": chance.choice((None, *(asks.value for asks in Asks))),
            "claimed_until": chance.choice((None, now - DAY, now + DAY)),
        }
        for number in range(240)
    ]


def _words(row: dict[str, Any]) -> str:
    return f"{row['title']} {row['package']} {row['kind']} {row['fingerprint']}".lower()


def _is_meant(row: dict[str, Any], filters: Filters) -> bool:
    now, package = now_ms(), filters.package
    claimed = row["claimed_until"] is not None and row["claimed_until"] > now
    answers = (
        (filters.state, row["state"] == filters.state),
        (filters.asks, row["asks"] == filters.asks),
        (filters.kind, row["kind"] == filters.kind),
        (filters.severity, row["severity"] >= severity_rank(filters.severity or "info")),
        (filters.verdict, row["verdict"] == filters.verdict),
        (filters.fingerprint, row["fingerprint"] == filters.fingerprint),
        (
            package,
            row["package"] == package
            or ((package or "").endswith("*") and row["package"].startswith((package or "")[:-1])),
        ),
        (filters.older_than, row["first_seen"] < now - (filters.older_than or 0) * DAY),
        (filters.newer_than, row["first_seen"] > now - (filters.newer_than or 0) * DAY),
        (filters.detected, row["detected"] is filters.detected),
        (filters.claimed, claimed is filters.claimed),
        (filters.text, (filters.text or "") in _words(row)),
    )
    return all(holds for asked, holds in answers if asked is not None)


def _fill(session: Session) -> list[dict[str, Any]]:
    rows = _rows()
    session.execute(insert(FindingRow), rows)
    session.execute(insert(WordsRow), [{"finding_id": row["id"], "words": _words(row)} for row in rows])
    return rows


def _pages(session: Session, view: View, filters: Filters, order: Order, limit: int) -> Iterator[uuid.UUID]:
    after: str | None = None
    while True:
        page = listing.page(session, view, filters, limit, after, order)
        yield from (row.id for row in page.rows)
        if (after := page.next) is None:
            return
        assert len(page.rows) == limit


def _filters(number: int) -> Iterator[Filters]:
    for names in itertools.combinations(VALUES, number):
        for values in itertools.product(*(VALUES[name] for name in names)):
            yield Filters(**dict(zip(names, values, strict=True)))


@pytest.mark.parametrize("order", Order)
def test_what_is_asked_is_listed_whole_and_in_order(store: Store, order: Order) -> None:
    some = random.Random(3).sample([*_filters(3), *_filters(2)], 30)
    with store.write() as session:
        rows = _fill(session)
    with store.read() as session:
        for filters in (Filters(), *_filters(1), *some):
            for view, projects in VIEWS.values():
                meant = [row for row in rows if row["project_id"] in projects and _is_meant(row, filters)]
                head = (lambda row: row["severity"]) if order is Order.SEVERITY else (lambda row: 0)
                meant.sort(key=lambda row: (head(row), row["last_seen"], row["id"].int), reverse=True)
                found = list(_pages(session, view, filters, order, 50))
                assert found == [row["id"] for row in meant], (filters, order)


@pytest.mark.parametrize("limit", [1, 7])
def test_pages_of_any_size_come_to_the_same(store: Store, limit: int) -> None:
    filters = Filters(state=State.NEEDS_TRIAGE, severity="low", package="pkg:npm/*")
    with store.write() as session:
        _fill(session)
    with store.read() as session:
        for order in Order:
            whole = list(_pages(session, EVERYTHING, filters, order, 500))
            assert len(whole) > limit
            assert list(_pages(session, EVERYTHING, filters, order, limit)) == whole


@pytest.mark.parametrize(
    ("order", "index"), [(Order.SEEN, "findings_listed"), (Order.SEVERITY, "findings_gravest")]
)
@pytest.mark.parametrize(
    "filters",
    [
        Filters(state=State.NEEDS_TRIAGE, kind="mining", detected=False),
        Filters(package="pkg:npm/l*"),
        Filters(claimed=False),
    ],
)
def test_filters_are_asked_of_an_index_alone(
    store: Store, filters: Filters, order: Order, index: str
) -> None:
    """On SQLite by its plan; PostgreSQL's depends on how much there is (`tests/bench/triage`)."""
    asked: list[tuple[str, Any]] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda _c, _u, text, values, *_: asked.append((text, values))
    )
    with store.read() as session:
        listing.page(session, EVERYTHING, filters, 50, None, order)
        (text, values) = next(one for one in asked if one[0].startswith("SELECT"))
        assert "facts" not in text
        if store.is_sqlite:
            plan = [
                row[-1] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            ]
            assert any(f"SCAN findings USING COVERING INDEX {index}" in line for line in plan), plan
            assert not any("TEMP B-TREE" in line for line in plan), plan
