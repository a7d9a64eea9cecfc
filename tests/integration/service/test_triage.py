"""Findings of projects and their states, on both databases."""

from __future__ import annotations

import datetime as dt
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING
from package_hunter.errors import UsageError
from package_hunter.governance import policies
from package_hunter.model.finding import Evidence
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Coverage, Decision, Verdict
from package_hunter.policy.decide import today
from package_hunter.queue.base import Job
from package_hunter.store import history, reports, scans
from package_hunter.store import results as after
from package_hunter.store.database import Store
from package_hunter.store.finding_tables import (
    FindingRow,
    LineRow,
    OccurrenceRow,
    PresenceRow,
    ScanResultRow,
    StateRow,
)
from package_hunter.store.members import Place
from package_hunter.store.models import Scan, StoredReport
from package_hunter.store.places import MissingError
from package_hunter.triage import listing, projection, results, states
from package_hunter.triage.judge import ServerJudge
from package_hunter.triage.listing import Filters
from package_hunter.triage.states import NeedsProposalError
from package_hunter.triage.values import Grant, NewState, Reason, State
from tests.support import judge_samples as samples
from tests.support.duty_store import ANA, BEN, LOOK, PROOF, finding, id_of, scanned, shops

WEEK = today() + dt.timedelta(days=7)
FALSE = NewState(State.FALSE_POSITIVE, Reason.STATED_PURPOSE)
ACCEPT = NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, until=WEEK)
CONFIRM = NewState(State.CONFIRMED, Reason.OTHER, "seen it")


def _row(session: Session, mark: str, place: Place) -> FindingRow:
    return session.get_one(FindingRow, projection.finding_id(id_of(place), mark))


def _decision(store: Store, scan: uuid.UUID) -> tuple[Verdict, Decision]:
    with store.read() as session:
        result = results.of_scans(session, [scan])[scan]
        return result.verdict, result.decision


def test_a_result_becomes_findings_that_survive_versions(store: Store) -> None:
    at = shops(store)
    shop = id_of(at["web/shop"])
    newer = replace(LOOK, blame=replace(LOOK.blame, package="pkg:npm/maldep@2.0.0"))  # type: ignore[arg-type]
    with store.write() as session:
        first = scanned(session, [LOOK, PROOF], shop)
        states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, FALSE)
        second = scanned(session, [newer, PROOF], shop)
        scanned(session, [LOOK], id_of(at["ops/pay"]))
    with store.read() as session:
        row = _row(session, LOOK.fingerprint, at["web/shop"])
        assert (row.first_scan, row.last_scan, row.scans) == (first, second, 2)
        assert (row.state, row.asks, row.detected) == ("false_positive", None, True)
        assert (row.package, row.kind, row.verdict) == ("pkg:npm/maldep", "git_hook", "suspicious")
        assert _row(session, PROOF.fingerprint, at["web/shop"]).verdict == "malicious"
        assert _row(session, LOOK.fingerprint, at["ops/pay"]).state == "needs_triage"


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (replace(LOOK, subjects=("/etc/cron.d/x",)), "New"),
        (replace(LOOK, severity="high"), "severity"),
        (replace(LOOK, proof=True), "proof"),
        (replace(LOOK, attack=(*LOOK.attack, "T9999")), "techniques"),
    ],
)
def test_behaviour_that_grew_asks_again_and_says_what(store: Store, later: object, says: str) -> None:
    from package_hunter.triage.listing import changes

    at = shops(store)
    shop = id_of(at["web/shop"])
    with store.write() as session:
        scan = scanned(session, [LOOK], shop)
        states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, FALSE)
    assert _decision(store, scan) == (Verdict.NO_FINDINGS, Decision.PASS)
    with store.write() as session:
        scan = scanned(session, [later], shop)  # type: ignore[list-item]
    with store.read() as session:
        row = _row(session, LOOK.fingerprint, at["web/shop"])
        assert (row.state, row.asks) == ("needs_triage", "changed")
        assert any(says in sentence for sentence in changes(session, row))
    assert _decision(store, scan)[1] is not Decision.PASS


def test_less_behaviour_asks_nothing(store: Store) -> None:
    at = shops(store)
    more = replace(LOOK, subjects=("/a", "/b"))
    with store.write() as session:
        scanned(session, [more], id_of(at["web/shop"]))
        states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, FALSE)
        scanned(session, [replace(LOOK, subjects=("/b",))], id_of(at["web/shop"]))
        assert _row(session, LOOK.fingerprint, at["web/shop"]).asks is None


def test_the_nearest_state_counts(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        for path in ("web/shop", "web/blog", "ops/pay"):
            scanned(session, [LOOK], id_of(at[path]))
        states.set_state(session, ANA, at[""], LOOK.fingerprint, FALSE)
        states.set_state(session, ANA, at["web"], LOOK.fingerprint, ACCEPT)
        states.set_state(session, ANA, at["web/blog"], LOOK.fingerprint, CONFIRM)
        found = {p: _row(session, LOOK.fingerprint, at[p]).state for p in ("web/shop", "web/blog", "ops/pay")}
    assert found == {"web/shop": "accepted", "web/blog": "confirmed", "ops/pay": "false_positive"}
    with store.write() as session:
        states.set_state(session, ANA, at[""], LOOK.fingerprint, CONFIRM)
        found = {p: _row(session, LOOK.fingerprint, at[p]).state for p in ("web/shop", "web/blog", "ops/pay")}
        assert set(found.values()) == {"confirmed"}, "what is confirmed above is accepted nowhere below"
        with pytest.raises(NeedsProposalError, match="confirmed for all"):
            states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, FALSE)


def test_proof_is_silenced_by_a_grant_alone(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        scan = scanned(session, [PROOF], id_of(at["web/shop"]))
        with pytest.raises(NeedsProposalError, match="proof") as refused:
            states.set_state(session, ANA, at["web/shop"], PROOF.fingerprint, ACCEPT)
        assert "waiver" in refused.value.advice
        states.set_state(session, ANA, at["web/shop"], PROOF.fingerprint, CONFIRM)
    assert _decision(store, scan) == (Verdict.MALICIOUS, Decision.BLOCK)
    with store.write() as session:
        states.set_state(session, ANA, at["web/shop"], PROOF.fingerprint, ACCEPT, Grant("7"))
    assert _decision(store, scan) == (Verdict.NO_FINDINGS, Decision.PASS)


def test_an_enforced_rule_is_lifted_by_a_grant_alone_also_one_that_came_later(store: Store) -> None:
    at = shops(store)
    rule = {"rule": [{"decision": "block", "kind": "git_hook", "name": "no hooks"}]}
    with store.write() as session:
        scan = scanned(session, [LOOK], id_of(at["web/shop"]))
        states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, FALSE)
    assert _decision(store, scan)[1] is Decision.PASS
    with store.write() as session:
        policies.put(session, BEN, at["web"], rule, "hooks")
    assert _decision(store, scan)[1] is Decision.BLOCK
    with store.write() as session:
        with pytest.raises(NeedsProposalError, match="no hooks"):
            states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, FALSE)
        states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, FALSE, Grant("8"))
    assert _decision(store, scan)[1] is Decision.PASS


def test_an_acceptance_ends_with_its_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    at = shops(store)
    with store.write() as session:
        scan = scanned(session, [LOOK], id_of(at["web/shop"]))
        states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, ACCEPT)
    for day, decision in ((WEEK, Decision.PASS), (WEEK + dt.timedelta(days=1), Decision.REVIEW)):
        monkeypatch.setattr(results, "today", lambda day=day: day)
        assert _decision(store, scan)[1] is decision
    with store.write() as session:
        from package_hunter.triage.expiry import expire

        assert expire(session, WEEK) == 0
        assert expire(session, WEEK + dt.timedelta(days=1)) == 1
        row = _row(session, LOOK.fingerprint, at["web/shop"])
        assert (row.state, row.asks) == ("needs_triage", "expired")


def test_no_longer_detected_is_a_fact_of_whole_scans(store: Store) -> None:
    at = shops(store)
    shop = id_of(at["web/shop"])

    def detected() -> bool:
        with store.read() as session:
            return _row(session, LOOK.fingerprint, at["web/shop"]).detected

    with store.write() as session:
        scanned(session, [LOOK], shop, created=1_000)
        scanned(session, [LOOK], shop, purl="pkg:npm/x@1", created=1_500)
        scanned(session, [], shop, reasons=["half"], created=2_000)
    assert detected(), "who did not see all proves nothing gone"
    with store.write() as session:
        scanned(session, [], shop, created=3_000)
    assert detected(), "the package's own scans have it still"
    with store.write() as session:
        scanned(session, [], shop, purl="pkg:npm/x@2", created=4_000)
    assert not detected()
    with store.write() as session:
        scanned(session, [LOOK], shop, created=2_500)
    assert not detected(), "an older scan that ends later changes nothing"
    with store.write() as session:
        states.set_state(
            session, ANA, at["web/shop"], LOOK.fingerprint, NewState(State.RESOLVED, Reason.NOT_APPLICABLE)
        )
        later = session.get_one(StateRow, (shop.hex, LOOK.fingerprint)).time + 1_000
        scanned(session, [LOOK], shop, created=later)
        row = _row(session, LOOK.fingerprint, at["web/shop"])
        assert (row.detected, row.state, row.asks) == (True, "needs_triage", "back")


@pytest.mark.parametrize(
    "new",
    [
        NewState(State.FALSE_POSITIVE),
        NewState(State.CONFIRMED, Reason.OTHER, "  "),
        NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK),
        NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, until=today() - dt.timedelta(days=1)),
        NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, until=today() + dt.timedelta(days=800)),
        NewState(State.RESOLVED, Reason.ACCEPTABLE_RISK, until=WEEK),
    ],
)
def test_a_state_without_its_reason_or_day_is_refused(store: Store, new: NewState) -> None:
    at = shops(store)
    with store.write() as session:
        scanned(session, [LOOK], id_of(at["web/shop"]))
        with pytest.raises(UsageError):
            states.set_state(session, ANA, at["web/shop"], LOOK.fingerprint, new)
        assert session.scalar(select(StateRow.state)) is None


def test_what_is_not_there_has_no_state_and_each_change_is_in_the_history(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        scanned(session, [LOOK], id_of(at["web/shop"]))
        for path in ("ops", "ops/pay", "web/blog"):
            with pytest.raises(MissingError):
                states.set_state(session, ANA, at[path], LOOK.fingerprint, FALSE)
        states.set_state(session, ANA, at["web"], LOOK.fingerprint, FALSE)
        states.set_state(session, BEN, at["web"], LOOK.fingerprint, CONFIRM)
    with store.read() as session:
        told = history.entries(session, 10, action="finding.state")
    assert [(e.who, e.before is None) for e in told] == [("ana", True), ("ben", False)]
    assert '"false_positive"' in str(told[1].before)
    assert '"confirmed"' in str(told[1].after)


def _judged(store: Store, project: uuid.UUID, own: str | None = None) -> Report:
    """What a worker makes of a scan in this project that found LOOK and PROOF."""
    with store.write() as session:
        scan = scans.add(session, scans.NewScan("demo", "ana", sha256="0" * 64, size=1, project=project))
    report = replace(samples.report(), id=str(scan.id), findings=(LOOK, PROOF), coverage=Coverage())
    job = Job(scan.id, None, "0" * 64, None, 1, "lease", project=project)
    made = ServerJudge().judge(store, job, report, own)
    with store.write() as session:
        session.add(StoredReport(scan_id=scan.id, body=reports.pack(to_json(made))))
        session.get_one(Scan, scan.id).status = "finished"
        after.stored(session, session.get_one(Scan, scan.id), made)
    assert _decision(store, scan.id) == (made.verdict, made.decision), "what is kept is what the report says"
    return made


def test_a_scan_is_judged_by_the_policies_and_states_of_its_project(store: Store) -> None:
    at = shops(store)
    shop = id_of(at["web/shop"])
    assert _judged(store, shop).decision is Decision.BLOCK
    with store.write() as session:
        states.set_state(session, ANA, at["web"], PROOF.fingerprint, ACCEPT, Grant("3"))
    made = _judged(store, shop)
    assert (made.verdict, made.decision) == (Verdict.SUSPICIOUS, Decision.REVIEW)
    assert [bool(f.waived) for f in made.findings] == [False, True]
    assert "acceptable risk (ana, until" in str(made.findings[1].waived)
    with store.write() as session:
        warns = {"rule": [{"decision": "block", "kind": "git_hook", "mode": "warn", "name": "soon"}]}
        policies.put(session, ANA, at["web"], warns)
    made = _judged(store, shop)
    assert made.decision is Decision.REVIEW
    assert any("only warns: group:web, soon: block" in notice for notice in made.notices)
    pay = _judged(store, id_of(at["ops/pay"]))
    assert pay.decision is Decision.BLOCK


def test_a_projects_own_file_lifts_neither_proof_nor_an_enforced_rule(store: Store) -> None:
    at = shops(store)
    shop = id_of(at["web/shop"])
    own = (
        '[[waiver]]\nkind = "*"\nreason = "ours"\nauthor = "eve"\nexpires = 2099-01-01\n'
        '[[rule]]\ndecision = "pass"\nkind = "*"\n'
    )
    made = _judged(store, shop, own)
    assert [f.waived for f in made.findings] == ["ours (eve, until 2099-01-01)", None]
    assert made.decision is Decision.BLOCK
    assert any("1 finding is waived by the project's own" in notice for notice in made.notices)
    with store.write() as session:
        policies.put(session, ANA, at["web"], {"rule": [{"decision": "review", "kind": "git_hook"}]})
    assert [f.waived for f in _judged(store, shop, own).findings] == [None, None]
    wrong = _judged(store, shop, "no toml [[[")
    assert any("was not used" in notice for notice in wrong.notices)


def _projected(session: Session) -> Sequence[object]:
    tables = (FindingRow, OccurrenceRow, LineRow, PresenceRow, ScanResultRow)
    return [
        sorted(
            str(sorted((column.name, str(getattr(row, column.name))) for column in table.__table__.columns))
            for row in session.scalars(select(table))
        )
        for table in tables
    ]


def test_the_projection_is_made_anew_from_the_reports(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        scanned(session, [LOOK, PROOF], id_of(at["web/shop"]))
        scanned(session, [LOOK, finding(9)], id_of(at["web/shop"]), reasons=["half"])
        scanned(session, [], id_of(at["web/blog"]), purl="pkg:npm/x@1")
        states.set_state(session, ANA, at["web"], LOOK.fingerprint, FALSE)
        results.refresh(session, 100)
        before = _projected(session)
        for table in (ScanResultRow, OccurrenceRow, PresenceRow, LineRow, FindingRow):
            session.execute(delete(table))
        session.expire_all()
        assert projection.backfill(session, 2) == 2
        assert projection.backfill(session, 2) == 1
        assert projection.backfill(session, 2) == 0
        results.refresh(session, 100)
        assert _projected(session) == before


@pytest.mark.parametrize(
    "body", [b"no report", zlib.compress(b"[]"), zlib.compress(b"{"), zlib.compress(b"\xff")]
)
def test_a_stored_report_that_is_none_passes_nowhere_and_holds_nothing_up(store: Store, body: bytes) -> None:
    with store.write() as session:
        bad = scans.add(session, scans.NewScan("bad", "ana", sha256="0" * 64, size=1))
        bad.status, bad.created = "finished", 1
        session.add(StoredReport(scan_id=bad.id, body=body))
    with store.write() as session:
        good = scanned(session, [LOOK])
        session.execute(delete(ScanResultRow).where(ScanResultRow.scan_id == good))
        assert projection.backfill(session, 10) == 2
        assert projection.backfill(session, 10) == 0
    assert _decision(store, bad.id) == (Verdict.INCONCLUSIVE, Decision.REVIEW)
    assert _decision(store, good)[1] is Decision.REVIEW


def test_whatever_a_report_says_is_stored_and_listed(store: Store) -> None:
    odd = "\x00\udc80\u202e'%_\\" * 40
    blame = replace(LOOK.blame, package=f"pkg:npm/{odd}@1", phase=odd, confidence="certain")  # type: ignore[arg-type]
    evidence = (Evidence(1, odd, {"rule": odd, "path": odd, "destination": odd, "fields": odd}),)
    named = {"fingerprint": odd, "kind": odd, "title": odd, "form": odd, "subjects": (odd, "x" * 5_000)}
    hostile = replace(LOOK, blame=blame, evidence=evidence, **named)  # type: ignore[arg-type]
    many = replace(
        LOOK, subjects=tuple(f"host{chr(97 + n % 26)}{chr(97 + n // 26)}.example" for n in range(600))
    )
    with store.write() as session:
        scan = scanned(session, [hostile, many], name=odd)
        again = scanned(session, [hostile, many], name=odd)
        assert session.scalar(select(LineRow.last_scan)) == again
    assert _decision(store, scan)[1] is not Decision.PASS
    with store.read() as session:
        rows = listing.page(session, EVERYTHING, Filters()).rows
        assert len(rows) == 2
        for row in rows:
            assert row.scans == 2
            assert row.asks is None
            assert listing.page(session, EVERYTHING, Filters(text=row.title[:20])).rows
        found = listing.page(session, EVERYTHING, Filters(detected=True)).rows
        assert {row.id for row in rows} == {row.id for row in found}
    with store.write() as session:
        rule = {"rule": [{"decision": "block", "package": "pkg:npm/*", "path": "*", "kind": "*"}]}
        policies.put(session, ANA, Place(), rule)
    assert _decision(store, scan)[1] in (Decision.BLOCK, Decision.REVIEW)
