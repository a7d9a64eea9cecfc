"""What teams are told of findings, on both databases: each thing once, in the transaction in which it happens."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from package_hunter.notices import outbox
from package_hunter.policy.decide import today
from package_hunter.store.database import Store
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.notice_tables import NoticeRow
from package_hunter.triage import expiry, states
from package_hunter.triage.values import Grant, NewState, Reason, State
from tests.support.duty_store import ANA, LOOK, PROOF, id_of, scanned, shops

GRANT = Grant("p1")
WEEK = today() + dt.timedelta(days=7)
FALSE = NewState(State.FALSE_POSITIVE, Reason.STATED_PURPOSE, "it is an uploader")
ACCEPT = NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, until=WEEK)
RESOLVE = NewState(State.RESOLVED, Reason.OTHER, "pinned")
MARK = PROOF.fingerprint


def _told(session: Session) -> list[tuple[str, str | None]]:
    rows = session.scalars(select(NoticeRow).order_by(NoticeRow.time, NoticeRow.event))
    return [(row.event, outbox.read(row).fingerprint) for row in rows]


def test_proof_is_told_once_however_often_it_is_scanned(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        for _ in range(3):
            scanned(session, [LOOK, PROOF], id_of(at["web/shop"]))
        scanned(session, [PROOF], id_of(at["ops/pay"]))
    with store.read() as session:
        assert _told(session) == [("proof.found", MARK)] * 2
        places = {row.project_id for row in session.scalars(select(NoticeRow))}
        notice = outbox.read(session.scalars(select(NoticeRow)).first())  # type: ignore[arg-type]
    assert places == {id_of(at["web/shop"]), id_of(at["ops/pay"])}
    assert notice.what == "Secrets were sent away." or notice.what.endswith(".")
    assert "sealed box" in notice.how
    assert notice.look.startswith("/api/v1/scans/")
    assert notice.facts["proof"] is True


def test_a_result_that_is_rolled_back_tells_nothing(store: Store) -> None:
    at = shops(store)
    with pytest.raises(RuntimeError), store.write() as session:
        scanned(session, [PROOF], id_of(at["web/shop"]))
        raise RuntimeError
    with store.read() as session:
        assert _told(session) == []


def test_settled_back_and_settled_again(store: Store) -> None:
    at = shops(store)
    shop, grown = at["web/shop"], replace(PROOF, subjects=("other.example",))
    with store.write() as session:
        scanned(session, [PROOF], id_of(shop))
        states.set_state(session, ANA, shop, MARK, FALSE, GRANT)
        states.set_state(session, ANA, shop, MARK, RESOLVE, GRANT)  # settled is settled
    with store.write() as session:
        scanned(session, [grown], id_of(shop))
    with store.write() as session:
        states.set_state(session, ANA, shop, MARK, FALSE, GRANT)
    with store.read() as session:
        events = [event for event, _ in _told(session)]
        said = [
            outbox.read(row).what
            for row in session.scalars(select(NoticeRow))
            if row.event == "finding.resolved"
        ]
    assert sorted(events) == ["finding.resolved", "finding.resolved", "proof.found", "proof.found"]
    assert all("ana set it to “false positive”: it is an uploader" in what for what in said)


def test_for_a_group_each_project_is_told(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        for path in ("web/shop", "web/blog", "ops/pay"):
            scanned(session, [PROOF], id_of(at[path]))
        states.set_state(session, ANA, at["web"], MARK, FALSE, GRANT)
    with store.read() as session:
        gone = {r.project_id for r in session.scalars(select(NoticeRow)) if r.event == "finding.resolved"}
    assert gone == {id_of(at["web/shop"]), id_of(at["web/blog"])}


def test_what_was_settled_above_before_it_came_is_not_told(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        scanned(session, [PROOF], id_of(at["web/shop"]))
        states.set_state(session, ANA, at["web"], MARK, FALSE, GRANT)
        scanned(session, [PROOF], id_of(at["web/blog"]))
    with store.read() as session:
        places = {row.project_id for row in session.scalars(select(NoticeRow))}
    assert places == {id_of(at["web/shop"])}


@pytest.mark.parametrize("found", [LOOK, PROOF], ids=["look", "proof"])
def test_an_acceptance_that_runs_out_is_told_once(store: Store, found: object) -> None:
    at = shops(store)
    shop, mark = at["web/shop"], found.fingerprint  # type: ignore[attr-defined]
    with store.write() as session:
        scanned(session, [found], id_of(shop))  # type: ignore[list-item]
        states.set_state(session, ANA, shop, mark, ACCEPT, GRANT)
        before = len(_told(session))
    with store.write() as session:
        assert expiry.expire(session, WEEK) == 0  # the last day itself is within it
        session.execute(update(StateRow).values(until=str(today() - dt.timedelta(days=1))))
        session.execute(update(FindingRow).values(until=str(today() - dt.timedelta(days=1))))
        assert expiry.expire(session, today()) == 1
        assert expiry.expire(session, today()) == 0
    with store.write() as session:
        scanned(session, [found], id_of(shop))  # type: ignore[list-item]
    with store.read() as session:
        rest = [event for event, _ in _told(session)]
    assert len(rest) == before + 1
    assert "acceptance.expires" in rest


def test_what_is_no_proof_is_told_of_by_nobody(store: Store) -> None:
    at = shops(store)
    shop = at["web/shop"]
    confirm = NewState(State.CONFIRMED, Reason.OTHER, "seen it")
    with store.write() as session:
        scanned(session, [LOOK], id_of(shop))
        for state in (FALSE, confirm, FALSE, RESOLVE):
            states.set_state(session, ANA, shop, LOOK.fingerprint, state)
    with store.read() as session:
        assert _told(session) == []


def test_what_turns_out_to_be_proof_later_is_told(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        scanned(session, [LOOK], id_of(at["web/shop"]))
        scanned(session, [replace(LOOK, proof=True)], id_of(at["web/shop"]))
    with store.read() as session:
        assert _told(session) == [("proof.found", LOOK.fingerprint)]
