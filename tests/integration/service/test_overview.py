"""What needs a person, counted, on both databases: each figure is what its list shows, and no more than one may see."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL, EVERYTHING, View
from package_hunter.governance.overview import waiting, weeks
from package_hunter.governance.overview.weeks import WEEK_MS, WEEKS
from package_hunter.model.scan import ScanStatus
from package_hunter.policy.decide import today
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.gate_tables import GateAnswer, ScanOrigin
from package_hunter.store.models import Scan
from package_hunter.triage import listing, states
from package_hunter.triage.listing import Filters
from package_hunter.triage.values import Asks, NewState, Reason, State
from tests.support.duty_store import ANA, LOOK, finding, id_of, scanned, shops

DAY = waiting.DAY_MS


def _aged(session: Session, mark: str, days: float) -> None:
    when = now_ms() - int(days * DAY)
    session.execute(update(FindingRow).where(FindingRow.fingerprint == mark).values(first_seen=when))


def _listed(session: Session, filters: Filters) -> int:
    return len(listing.page(session, EVERYTHING, filters, 500).rows)


def test_findings_that_wait_are_counted_by_age_as_the_lists_show_them(store: Store) -> None:
    at = shops(store)
    shop, pay = id_of(at["web/shop"]), id_of(at["ops/pay"])
    many = [finding(n) for n in range(10, 16)]
    with store.write() as session:
        scanned(session, [*many, finding(20, severity="info")], shop)
        scanned(session, [finding(30)], pay)
        scanned(session, [finding(40)], DRILL)
        for mark, days in zip((one.fingerprint for one in many), (0.1, 2, 6.9, 8, 29, 31), strict=True):
            _aged(session, mark, days)
        _aged(session, finding(30).fingerprint, 400)
        session.execute(
            update(FindingRow).where(FindingRow.fingerprint == f"{15:032x}").values(detected=False)
        )
    waits = {"state": State.NEEDS_TRIAGE, "detected": True, "severity": "low", "drill": False}
    ages: list[dict[str, int]] = [
        {"newer_than": 1},
        {"older_than": 1, "newer_than": 7},
        {"older_than": 7, "newer_than": 30},
        {"older_than": 30},
    ]
    with store.read() as session:
        counted = waiting.untriaged(session, EVERYTHING, now_ms())
        assert counted == [1, 2, 2, 1]
        assert counted == [_listed(session, Filters(**waits, **age)) for age in ages]  # type: ignore[arg-type]
        assert waiting.untriaged(session, View(frozenset({pay})), now_ms()) == [0, 0, 0, 1]
        assert waiting.untriaged(session, View(frozenset()), now_ms()) == [0, 0, 0, 0]


@pytest.mark.parametrize(("days", "soon"), [(0, 1), (14, 1), (15, 0)])
def test_acceptances_that_end_soon(store: Store, days: int, soon: int) -> None:
    at = shops(store)
    until = today() + dt.timedelta(days=days)
    with store.write() as session:
        scanned(session, [LOOK], id_of(at["web/shop"]))
        new = NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, until=until)
        states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, new)
        assert waiting.expiring(session, EVERYTHING) == soon
        assert soon == _listed(session, Filters(expires_in=waiting.SOON))
        assert waiting.expiring(session, View(frozenset({id_of(at["ops/pay"])}))) == 0
        session.execute(update(FindingRow).values(state=State.NEEDS_TRIAGE.value, asks=Asks.EXPIRED.value))
        assert (waiting.expiring(session, EVERYTHING), waiting.expired(session, EVERYTHING)) == (0, 1)


def _answer(session: Session, project: uuid.UUID, commit: str, result: str, when: int) -> None:
    body = {"says": f"{result} of {commit}", "reasons": [{"scan": "s-1"}]}
    session.add(
        GateAnswer(
            id=uuid.uuid4(),
            project_id=project,
            commit=commit,
            result=result,
            body=json.dumps(body),
            digest="0" * 64,
            asked_by="ana",
            created=when,
        )
    )


def _origin(session: Session, project: uuid.UUID, commit: str, number: str | None, when: int) -> None:
    scan = scanned(session, [], project, purl=f"pkg:npm/{commit}@1")
    row = ScanOrigin(scan_id=scan, project_id=project, commit=commit, merge_request=number)
    row.known, row.created = "claimed", when
    session.add(row)


def test_commits_that_the_gate_stops_are_those_that_it_stops_now(store: Store) -> None:
    at, now = shops(store), now_ms()
    shop, pay = id_of(at["web/shop"]), id_of(at["ops/pay"])
    with store.write() as session:
        for commit, results in {
            "blocked": ("missing", "block"),
            "lifted": ("block", "pass"),
            "looked": ("review",),
            "missing": ("missing",),
            "first": ("block",),  # of merge request 7, whose next commit is clean
            "second": ("pass",),
        }.items():
            for number, result in enumerate(results):
                _answer(session, shop, commit, result, now - 1_000 + number)
        _answer(session, shop, "old", "block", now - 40 * DAY)
        _answer(session, DRILL, "drilled", "block", now)
        _answer(session, pay, "first", "block", now)
        _origin(session, shop, "first", "7", now - 500)
        _origin(session, shop, "second", "7", now - 400)
        _origin(session, shop, "blocked", "8", now - 300)
        _origin(session, pay, "first", "7", now - 200)
    with store.read() as session:
        found = waiting.stopped(session, EVERYTHING, now)
        seen = {(one.project, one.commit): (one.result, one.merge_request) for one in found}
        assert seen == {
            (shop, "blocked"): ("block", "8"),
            (shop, "looked"): ("review", None),
            (pay, "first"): ("block", "7"),
        }
        assert {one.scan for one in found} == {"s-1"}
        assert [one.commit for one in waiting.stopped(session, View(frozenset({pay})), now)] == ["first"]


def test_weeks_count_scans_and_take_medians(store: Store) -> None:
    at, now = shops(store), now_ms()
    shop, pay = id_of(at["web/shop"]), id_of(at["ops/pay"])
    with store.write() as session:
        for number, (age, took) in enumerate(((0, 10_000), (1, 30_000), (2, 90_000), (8, 5_000), (200, 1))):
            created = now - age * DAY
            scan = session.get_one(
                Scan, scanned(session, [], shop, purl=f"pkg:npm/p{number}@1", created=created)
            )
            scan.finished = created + took
        known = session.get_one(Scan, scanned(session, [], shop, purl="pkg:npm/known@1", created=now))
        known.known_from, known.finished = uuid.uuid4(), now + 1
        failed = session.get_one(Scan, scanned(session, [], pay, purl="pkg:npm/bad@1", created=now))
        failed.status, failed.verdict = ScanStatus.FAILED.value, None
        scanned(session, [], DRILL, purl="pkg:npm/drill@1", created=now)
        scanned(
            session, [LOOK, replace(LOOK, fingerprint="8" * 32)], shop, name="other", created=now - 9 * DAY
        )
        for mark, hours in ((LOOK.fingerprint, 3), ("8" * 32, 5)):
            new = NewState(State.FALSE_POSITIVE, Reason.STATED_PURPOSE)
            states.set_state(session, ANA, at["web/shop"], mark, new)
            when = now - 9 * DAY + hours * 3_600_000
            session.execute(update(StateRow).where(StateRow.fingerprint == mark).values(time=when))
    with store.read() as session:
        found = weeks.weeks(session, EVERYTHING, EVERYTHING, now)
        here = weeks.weeks(session, View(frozenset({pay})), View(frozenset({pay})), now)
    assert len(found) == WEEKS
    assert found[-1].begin + WEEK_MS == now + 1
    last, before = found[-1], found[-2]
    assert (last.verdicts["no_findings"], last.verdicts["failed"], last.answer_ms) == (4, 1, 30_000)
    assert before.verdicts["no_findings"] == 1
    assert sum(before.verdicts.values()) == 2
    assert (before.decision_ms, last.decision_ms) == (3 * 3_600_000, None)
    assert sum(sum(one.verdicts.values()) for one in found) == 7, "neither drills nor what is older"
    assert [sum(one.verdicts.values()) for one in here] == [0] * (WEEKS - 1) + [1]
    assert all(one.decision_ms is None and one.answer_ms is None for one in here)
