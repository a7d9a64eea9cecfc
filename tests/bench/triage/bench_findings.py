"""Lists of findings with 100,000 of them, on both databases: how long each takes, and by which indexes; and how long it
takes to judge scans anew."""

from __future__ import annotations

import itertools
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING, View
from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.model.scan import Verdict
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import FindingRow, WordsRow
from package_hunter.store.members import Place
from package_hunter.triage import impact, listing
from package_hunter.triage.listing import Filters, Order
from package_hunter.triage.values import Asks, State
from tests.support.duty_store import LOOK, finding, scanned
from tests.support.service_postgres import postgres

FINDINGS, PROJECTS, RUNS, COMBINED = 100_000, 500, 20, 300
KINDS = ("git_hook", "exfiltration", "unexpected_connection", "persistence", "mining")
IDS = [uuid.UUID(int=n + 1) for n in range(PROJECTS)]
T0 = 1_790_000_000_000
AGE = (now_ms() - T0) // 86_400_000  # days: all are as old
VALUES: dict[str, tuple[Any, ...]] = {
    "state": (State.NEEDS_TRIAGE,),
    "asks": (Asks.CHANGED,),  # none does
    "kind": ("mining",),
    "severity": ("high",),
    "verdict": (Verdict.MALICIOUS,),
    "package": ("pkg:npm/name77", "pkg:npm/name7*", "pkg:pypi/*", "pkg:npm/*"),
    "fingerprint": ("0" * 32,),
    "older_than": (AGE - 1, AGE + 5),
    "newer_than": (AGE + 5, 0),
    "detected": (True, False),
    "claimed": (True, False),
    "text": ("host", "host7777", "zzzz"),
}
CASES: dict[str, tuple[View, Filters, Order]] = {
    "all, newest": (EVERYTHING, Filters(), Order.SEEN),
    "all, gravest": (EVERYTHING, Filters(), Order.SEVERITY),
    "250 projects": (View(frozenset(IDS[:250])), Filters(), Order.SEEN),
    "one project": (View(frozenset(IDS[:1])), Filters(), Order.SEEN),
    "one project, gravest": (View(frozenset(IDS[:1])), Filters(), Order.SEVERITY),
    "state": (EVERYTHING, Filters(state=State.NEEDS_TRIAGE), Order.SEEN),
    "kind and severity": (EVERYTHING, Filters(kind="mining", severity="critical"), Order.SEEN),
    "one package": (EVERYTHING, Filters(package="pkg:npm/name77"), Order.SEEN),
    "packages that begin so": (EVERYTHING, Filters(package="pkg:npm/name77*"), Order.SEEN),
    "young, none is": (EVERYTHING, Filters(newer_than=1), Order.SEEN),
    "claimed, none is": (EVERYTHING, Filters(claimed=True), Order.SEEN),
    "a rare word": (EVERYTHING, Filters(text="host77777"), Order.SEEN),
    "a word that all have": (EVERYTHING, Filters(text="host"), Order.SEEN),
    "three filters": (
        EVERYTHING,
        Filters(state=State.NEEDS_TRIAGE, kind="mining", severity="high"),
        Order.SEEN,
    ),
    "three filters, 250 projects": (
        View(frozenset(IDS[:250])),
        Filters(state=State.NEEDS_TRIAGE, kind="mining", severity="high"),
        Order.SEVERITY,
    ),
    "three filters, a package": (
        EVERYTHING,
        Filters(package="pkg:npm/name7*", verdict=Verdict.MALICIOUS, detected=True),
        Order.SEEN,
    ),
    "a word that none has": (EVERYTHING, Filters(text="zzzz"), Order.SEEN),
}


def main() -> None:
    """Print the figures of both."""
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", Path(folder), None)
    with tempfile.TemporaryDirectory() as folder, postgres() as url:
        _measure("PostgreSQL", Path(folder), url)


def _measure(name: str, folder: Path, url: str | None) -> None:
    settings = Settings(data_dir=folder, database_url=url, min_free_bytes=0)
    prepare_folders(settings)
    store = Store(settings)
    store.migrate()
    with store.write() as session:
        fill(session)
    with store.write() as session:
        session.execute(text("ANALYZE"))
    print(f"{name}: pages of 50 of {FINDINGS} findings in {PROJECTS} projects (budget of a page: 100 ms)")
    for case, (view, filters, order) in CASES.items():
        times, work = [], []
        for _ in range(RUNS):
            with store.read() as session:
                began, busy = time.perf_counter(), time.thread_time()
                listing.page(session, view, filters, 50, None, order)
                times.append((time.perf_counter() - began) * 1000)
                work.append((time.thread_time() - busy) * 1000)
        p95 = sorted(times)[int(RUNS * 0.95) - 1]
        print(
            f"  {case:28} median {statistics.median(times):.1f}, p95 {p95:.1f} ms "
            f"(processor: median {statistics.median(work):.1f} ms)"
        )
        with store.read() as session:
            for line in _plans(session, view, filters, order, sqlite=url is None):
                print(f"      {line}")
    _combined(store)
    _judging(store)
    store.close()


def _combined(store: Store) -> None:
    """Every filter alone and in threes (some of those that there are), in both orders, of all and of 250 projects: the
    worst."""
    names, chance, found = list(VALUES), random.Random(16), []
    asked = [
        dict(zip(c, v, strict=True))
        for n in (1, 3)
        for c in itertools.combinations(names, n)
        for v in _each(c)
    ]
    alone = [one for one in asked if len(one) == 1]
    for filters in alone + chance.sample(asked, COMBINED):
        for view, order in itertools.product((EVERYTHING, View(frozenset(IDS[:250]))), Order):
            found.append(_took(store, view, filters, order))
    found.sort(reverse=True, key=lambda one: one[0])
    times = [one[0] for one in found]
    print(f"  {len(found)} lists by one or three filters: median {statistics.median(times):.1f}, ", end="")
    print(f"p95 {times[len(times) // 20]:.1f}, worst {times[0]:.1f} ms")
    for took, work, said in found[:5]:
        print(f"      {took:.1f} ms (processor {work:.1f}): {said}")


def _each(names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return itertools.product(*(VALUES[name] for name in names))


def _took(store: Store, view: View, filters: dict[str, Any], order: Order) -> tuple[float, float, str]:
    """The better of two: milliseconds on the clock and of this thread's processor time, and what was asked."""
    said = f"{filters}, {order}, {'all' if view is EVERYTHING else '250 projects'}"
    times = []
    for _ in range(2):
        with store.read() as session:
            began, busy = time.perf_counter(), time.thread_time()
            listing.page(session, view, Filters(**filters), 50, None, order)
            times.append(((time.perf_counter() - began) * 1000, (time.thread_time() - busy) * 1000))
    return *min(times), said


def fill(session: Session) -> None:
    """All findings, of projects `IDS`."""
    chance = random.Random(15)
    for begin in range(0, FINDINGS, 5_000):
        rows = [_row(n, chance) for n in range(begin, begin + 5_000)]
        session.execute(insert(FindingRow), rows)
        words = [
            {"finding_id": r["id"], "words": f"{r['title']} {r['package']} {r['kind']}".lower()} for r in rows
        ]
        session.execute(insert(WordsRow), words)


def _row(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "id": uuid.UUID(int=chance.getrandbits(128)),
        "project_id": IDS[number % PROJECTS],
        "fingerprint": f"{chance.getrandbits(120):032x}",
        "kind": chance.choice(KINDS),
        "severity": chance.randrange(5),
        "proof": chance.random() < 0.05,
        "verdict": chance.choice(("malicious", "suspicious", "no_findings")),
        "confidence": "certain",
        "title": f"It connected to host{number}.example and wrote ~/.config/thing{number}",
        "package": f"pkg:npm/name{chance.randrange(20_000)}",
        "facts": "x" * 500,
        "behaviour": "x" * 500,
        "behaviour_digest": "0" * 32,
        "first_seen": T0 + number,
        "last_seen": T0 + chance.randrange(10**9),
        "first_scan": IDS[0],
        "last_scan": IDS[0],
        "scans": 1,
        "detected": True,
        "state": chance.choice(list(State)).value,
    }


def _plans(session: Session, view: View, filters: Filters, order: Order, *, sqlite: bool) -> Iterator[str]:
    """The plan of each query that a page asks."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        listing.page(session, view, filters, 50, None, order)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    for statement, parameters in asked:
        found = session.connection().exec_driver_sql(explain + statement, parameters)
        for row in found.all()[:6]:
            yield str(row[-1]).strip()[:150]


def _judging(store: Store) -> None:
    with store.write() as session:
        for number in range(300):
            some = [finding(10_000 + number * 8 + n) for n in range(8)]
            scanned(session, [LOOK, *some], purl=f"pkg:npm/p{number}@1")
        began = time.perf_counter()
        rule: dict[str, Any] = {"rule": [{"decision": "block", "kind": "git_hook"}]}
        found = impact.of_policy(session, Place(), rule)
        took = time.perf_counter() - began
    print(
        f"  the impact of a policy: {found.tried / took:.0f} scans a second (9 findings each, judged twice)"
    )
