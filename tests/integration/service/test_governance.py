"""Policies by scope, their figures, schedules, and results that are kept true, on both databases."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING, View
from package_hunter.errors import UsageError
from package_hunter.governance import figures, policies, policy_file, requirements, schedules
from package_hunter.governance.clock import Clock
from package_hunter.governance.document import digest_of
from package_hunter.model.priority import Priority
from package_hunter.model.scan import Decision
from package_hunter.policy.decide import today
from package_hunter.policy.model import When
from package_hunter.queue.base import Queue
from package_hunter.store import history
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import EffortRow, FindingRow, ScanResultRow
from package_hunter.store.models import JobRow, Scan
from package_hunter.store.places import TakenError
from package_hunter.store.policy_tables import PolicyRow
from package_hunter.triage import bulk, claims, impact, listing, notes, results, states
from package_hunter.triage.impact import Budget
from package_hunter.triage.listing import Filters, Order
from package_hunter.triage.projection import finding_id
from package_hunter.triage.results import Standing, judge, load
from package_hunter.triage.values import Grant, NewState, Reason, State
from tests.support.duty_store import ANA, BEN, LOOK, PROOF, finding, id_of, scanned, shops

FALSE = NewState(State.FALSE_POSITIVE, Reason.STATED_PURPOSE)
BLOCK_HOOKS = {"rule": [{"decision": "block", "kind": "git_hook", "name": "no hooks"}]}


def _decision(session: Session, scan: uuid.UUID) -> Decision:
    return results.of_scans(session, [scan])[scan].decision


def test_the_stricter_of_all_scopes_wins_and_versions_stay(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        shop, pay = (scanned(session, [LOOK], id_of(at[p])) for p in ("web/shop", "ops/pay"))
        assert _decision(session, shop) is Decision.REVIEW
        first = policies.put(session, ANA, at[""], {"verdicts": {"suspicious": "pass"}}, "calm")
        assert [_decision(session, s) for s in (shop, pay)] == [Decision.PASS] * 2
        policies.put(session, ANA, at["web"], BLOCK_HOOKS, "hooks", Grant("12", policies.NONE))
        passing = {"rule": [{"decision": "pass", "kind": "git_hook"}]}
        policies.put(session, ANA, at["web/shop"], passing, "we may not")
        assert [_decision(session, s) for s in (shop, pay)] == [Decision.BLOCK, Decision.PASS]
        policies.put(session, ANA, at["web"], None, "no more")
        assert _decision(session, shop) is Decision.PASS
        with pytest.raises(UsageError, match="meanwhile"):
            policies.put(session, BEN, at[""], {}, "late", Grant("13", policies.NONE))
        again = policies.put(session, BEN, at[""], {}, "fresh", Grant("14", first.digest))
        assert (again.version, again.reviewed, first.reviewed) == (2, True, False)
        assert [row.version for row in policies.versions(session, at["web"])] == [2, 1]
        assert {p.key for p in policies.scopes(session)} == {at[""].key, at["web/shop"].key}
    with store.read() as session:
        told = history.entries(session, 20, action="policy.put")
    assert [(e.object, e.why) for e in told][:2] == [("all", "calm"), ("group:web", "hooks")]
    assert policies.NONE in str(told[1].before)


@pytest.mark.parametrize(
    "document",
    [
        {"rule": [{"decision": "maybe"}]},
        {"project": {"own_file": True}},
        {"rules": []},
        {"rule": [{"decision": "block", "warn_from": "soon"}]},
        {"schedule": [{"name": "x", "cron": "never"}]},
        {"require": [{"scan": "sometimes"}]},
        {"rule": [{"decision": "block", "older_than": True}]},
    ],
)
def test_a_wrong_document_is_refused_whole(store: Store, document: dict[str, object]) -> None:
    at = shops(store)
    with store.write() as session:
        with pytest.raises(UsageError):
            policies.put(session, ANA, at["web"], document)
        assert session.scalar(select(PolicyRow.version)) is None


def test_the_servers_file_holds_where_the_store_says_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, file = shops(store), tmp_path / "policy.toml"
    monkeypatch.setattr(policy_file, "_current", policy_file.PolicyFile(None))
    file.write_text('[verdicts]\nsuspicious = "block"\n')
    with store.write() as session:
        scan = scanned(session, [LOOK], id_of(at["web/shop"]))
        policy_file.use(file)
        assert _decision(session, scan) is Decision.BLOCK
        file.write_text('[verdicts]\nsuspicious = "pass"\n[[rule]]\ndecision = "pass"\nkind = "x"\n')
        assert _decision(session, scan) is Decision.PASS
        file.write_text("no policy at all [[[")
        assert _decision(session, scan) is Decision.PASS, "what it said last goes on to hold"
        policies.put(session, ANA, at[""], {"verdicts": {"suspicious": "block"}})
        assert _decision(session, scan) is Decision.BLOCK
        policies.put(session, ANA, at[""], None)
        assert _decision(session, scan) is Decision.PASS


def test_what_is_kept_is_what_the_function_says(store: Store) -> None:
    """Whatever happens in whatever order: results that are read, kept and refreshed are those that are worked out."""
    at, chance = shops(store), random.Random(15)
    marks = [finding(n, proof=n == 3, severity="high") for n in range(1, 5)]
    paths = ("web/shop", "web/blog", "ops/pay")
    documents = (None, BLOCK_HOOKS, {"rule": [{"decision": "pass", "kind": "git_hook", "older_than": 1}]}, {})
    all_scans: list[uuid.UUID] = []
    for _ in range(30):
        with store.write() as session:
            act = chance.randrange(4)
            if act == 0 or not all_scans:
                some = chance.sample(marks, chance.randrange(4))
                all_scans.append(scanned(session, some, id_of(at[chance.choice(paths)])))
            elif act == 1:
                policies.put(session, ANA, at[chance.choice(list(at))], chance.choice(documents))
            elif act == 2:
                state = NewState(
                    chance.choice([State.FALSE_POSITIVE, State.CONFIRMED]), Reason.NOT_APPLICABLE
                )
                try:
                    grant = chance.choice([None, Grant("1")])
                    mark = chance.choice(marks).fingerprint
                    states.set_state(session, ANA, at[chance.choice(list(at))], mark, state, grant)
                except UsageError:
                    pass  # no such finding there, or not by one person
            else:
                results.refresh(session, chance.randrange(4))
        with store.read() as session:
            found = results.of_scans(session, all_scans)
            assert set(found) == set(all_scans)
            for one in load(Standing(session), session.scalars(select(ScanResultRow)).all()):
                assert found[one.row.scan_id] == judge(Standing(session), one)
    with store.write() as session:
        results.refresh(session, 1_000)
        assert results.refresh(session, 1_000) == 0
        for one in load(Standing(session), session.scalars(select(ScanResultRow)).all()):
            assert one.row.basis == Standing(session).basis(one.row.project_id)
            assert results.kept(one.row) == judge(Standing(session), one)


def test_a_preview_says_what_bulk_then_does(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        shop = scanned(session, [LOOK, finding(5)], id_of(at["web/shop"]))
        scanned(session, [LOOK, PROOF], id_of(at["web/blog"]))
        scanned(session, [LOOK], id_of(at["ops/pay"]))
        view = View(frozenset({id_of(at["web/shop"]), id_of(at["web/blog"])}))
        seen = bulk.preview(session, ANA, view, Filters(), FALSE)
        assert (seen.findings, seen.projects, seen.detected) == (3, 2, 3)
        assert [(r.fingerprint, r.why) for r in seen.refused] == [
            (PROOF.fingerprint, "it is proof of malice")
        ]
        assert [(f.scan, f.before, f.after) for f in seen.impact.flips] == [
            (shop, Decision.REVIEW, Decision.PASS)
        ]
        assert (seen.impact.tried, seen.impact.milder, seen.impact.stricter) == (2, 1, 0)
        with pytest.raises(TakenError):
            bulk.apply(session, ANA, view, Filters(), FALSE, "0" * 64)
        done, refused = bulk.apply(session, ANA, view, Filters(), FALSE, seen.digest)
        assert (done, len(refused)) == (3, 1)
        assert _decision(session, shop) is Decision.PASS
        rows = {
            row.project_id: row.state for row in session.scalars(select(FindingRow)) if row.kind == "git_hook"
        }
        assert rows[id_of(at["ops/pay"])] == "needs_triage", "what cannot be seen is not meant"
        with pytest.raises(TakenError):
            bulk.apply(session, ANA, view, Filters(), FALSE, seen.digest)
        with pytest.raises(UsageError, match="No finding"):
            bulk.preview(session, ANA, view, Filters(text="nothing like it"), FALSE)


def test_the_impact_of_a_policy_is_told_within_its_budget(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        scans = [scanned(session, [LOOK], id_of(at["web/shop"]), purl=f"pkg:npm/p{n}@1") for n in range(5)]
        scanned(session, [LOOK], id_of(at["ops/pay"]))
        whole = impact.of_policy(session, at["web"], BLOCK_HOOKS)
        assert (whole.tried, whole.not_tried, whole.stricter, whole.milder) == (5, 0, 5, 0)
        assert {f.scan for f in whole.flips} == set(scans)
        part = impact.of_policy(session, at["web"], BLOCK_HOOKS, budget=Budget(scans=2))
        assert (part.tried, part.not_tried, part.stricter) == (2, 3, 2)
        assert impact.of_policy(session, at["web"], BLOCK_HOOKS, View(frozenset())).tried == 0
        assert impact.of_policy(session, at[""], BLOCK_HOOKS).tried == 6
        assert policies.current(session, at["web"]).document is None, "nothing was changed"


def test_a_rule_shows_what_it_decided_and_proposes_its_exception(store: Store) -> None:
    at = shops(store)
    rules = {
        "rule": [
            {"decision": "review", "kind": "git_hook", "mode": "warn", "name": "soft"},
            {"decision": "review", "kind": "git_*", "name": "hooks"},
        ]
    }
    with store.write() as session:
        policies.put(session, ANA, at["web"], rules)
        for number, path in enumerate(("web/shop", "web/blog", "ops/pay")):
            scanned(session, [LOOK, finding(7 + number)], id_of(at[path]))
        row = session.get_one(FindingRow, finding_id(id_of(at["web/shop"]), LOOK.fingerprint))
        claims.claim(session, ANA, row)
        row.claimed = now_ms() - 5 * 60_000
        for path, mark in (("web/shop", LOOK.fingerprint), ("web/blog", LOOK.fingerprint)):
            states.set_state(session, ANA, at[path], mark, FALSE, Grant("3"))
        assert session.scalar(select(EffortRow.state)) == "false_positive"
        found = figures.of_policy(session, EVERYTHING, at["web"])
        soft, hooks = found.rules
        assert (soft.label, soft.mode, soft.fits, soft.decided) == ("group:web, soft", "warn", 4, 0)
        assert (hooks.fits, hooks.decided, hooks.false_positive_share) == (4, 4, 1.0)
        assert hooks.minutes in (5, 6)
        assert [(e.rule["kind"], e.rule["package"], e.false_positives) for e in hooks.exceptions] == [
            ("git_hook", "pkg:npm/maldep", 2)
        ]
        better = {"rule": [hooks.exceptions[0].rule, *rules["rule"]]}
        assert policies.check(at["web"], better).rules[0].decision is Decision.PASS
        confirmed = NewState(State.CONFIRMED, Reason.NOT_APPLICABLE)
        states.set_state(session, ANA, at["web/shop"], finding(7).fingerprint, confirmed)
        hooks = figures.of_policy(session, EVERYTHING, at["web"]).rules[1]
        assert hooks.exceptions == (), "it was right once"
        assert hooks.false_positive_share == pytest.approx(2 / 3)
        assert figures.of_policy(session, View(frozenset()), at["web"]).counted == 0


def test_required_scans_and_schedules_are_due_once(store: Store, queue: Queue) -> None:
    at = shops(store)
    document = {
        "require": [
            {"scan": "merge_request", "projects": ["web/*"]},
            {"scan": "nightly", "projects": ["web/shop"], "depth": "deep"},
        ],
        "schedule": [
            {"name": "weekly", "cron": "0 3 * * 1", "projects": ["ops/*"], "targets": ["pkg:npm/left-pad"]}
        ],
    }
    monday = dt.datetime(2026, 11, 30, 3, 0, tzinfo=dt.UTC)
    with store.write() as session:
        scanned(session, [], id_of(at["web/shop"]), purl="pkg:npm/x@1")
        scanned(session, [], id_of(at["web/shop"]), name="shop")
        policies.put(session, ANA, at[""], document)
        session.execute(update(PolicyRow).values(time=int((monday.timestamp() - 86_400) * 1000)))
        wanted = requirements.required(session, id_of(at["web/shop"]))
        assert [(r.when, r.scope, r.depth) for r in wanted] == [
            (When.MERGE_REQUEST, "all", ""),
            (When.NIGHTLY, "all", "deep"),
        ]
        assert requirements.required(session, id_of(at["ops/pay"])) == ()
        assert [one.path for one in schedules.due(session, monday)] == ["web/shop", "ops/pay"]
        assert [one.path for one in schedules.due(session, monday - dt.timedelta(minutes=1))] == ["web/shop"]
    clock = Clock(store, queue)
    assert clock.tick(monday)
    clock.tick(monday)
    with store.read() as session:
        assert schedules.due(session, monday) == []
        asked = session.execute(
            select(Scan.purl, Scan.depth, Scan.submitter, Scan.project_id).join(
                JobRow, JobRow.scan_id == Scan.id
            )
        ).all()
        jobs = session.scalars(select(JobRow)).all()
        assert {(job.priority, job.needs) for job in jobs} == {(Priority.NIGHTLY, "ecosystem:npm")}
        assert sorted((p, d, s, project) for p, d, s, project in asked) == [
            ("pkg:npm/left-pad", None, "schedule:weekly", id_of(at["ops/pay"])),
            ("pkg:npm/x", "deep", "schedule:required: nightly 2", id_of(at["web/shop"])),
        ]
        [run] = schedules.runs(session, id_of(at["web/shop"]))
        assert (run.submitted, "npm: shop" in run.said, "pipeline" in run.said) == (1, True, True)
        next_week = schedules.due(session, monday + dt.timedelta(days=15))
        assert [(one.path, one.moment) for one in next_week if one.path == "ops/pay"] == [
            ("ops/pay", int((monday + dt.timedelta(days=14)).timestamp() * 1000))
        ], "what was missed is made up for once"


def test_claims_run_out_and_notes_are_threads(store: Store) -> None:
    at = shops(store)
    with store.write() as session:
        scanned(session, [LOOK, finding(5)], id_of(at["web/shop"]))
        row = session.get_one(FindingRow, finding_id(id_of(at["web/shop"]), LOOK.fingerprint))
        other = session.get_one(FindingRow, finding_id(id_of(at["web/shop"]), finding(5).fingerprint))
        claims.claim(session, ANA, row, 1)
        for act in (claims.claim, claims.release):
            with pytest.raises(TakenError, match="ana is on"):
                act(session, BEN, row)
        assert claims.holder_of(row, now_ms() + 3_599_000) == "ana"
        assert claims.holder_of(row, now_ms() + 3_601_000) is None
        row.claimed_until = now_ms() - 1
        claims.claim(session, BEN, row)
        assert listing.page(session, EVERYTHING, Filters(claimed=True)).rows == [row]
        assert listing.page(session, EVERYTHING, Filters(claimed=False)).rows == [other]
        claims.release(session, BEN, row)
        for hours in (0, 1_000):
            with pytest.raises(UsageError):
                claims.claim(session, ANA, row, hours)
        first = notes.add(session, ANA, row, "what is\x1b[31m this?\n")
        notes.add(session, BEN, row, "telemetry", first.id)
        with pytest.raises(UsageError):
            notes.add(session, BEN, other, "elsewhere", first.id)
        for text in ("", " \n", "x" * 10_001):
            with pytest.raises(UsageError):
                notes.add(session, ANA, row, text)
        told = [(n.who, n.parent_id, n.text) for n in notes.listed(session, row)]
        assert told == [("ana", None, "what is [31m this?\n"), ("ben", first.id, "telemetry")]
        assert today() >= dt.date(2026, 1, 1)


@pytest.mark.parametrize("order", Order)
def test_a_list_is_whole_page_by_page(store: Store, order: Order) -> None:
    at, chance = shops(store), random.Random(4)
    with store.write() as session:
        for n in range(12):
            kinds = ("git_hook", "mining")
            some = [
                finding(100 + n * 3 + i, kind=chance.choice(kinds), severity=chance.choice(("low", "high")))
                for i in range(3)
            ]
            scanned(session, some, id_of(at[chance.choice(("web/shop", "ops/pay"))]))
    cases = [
        (EVERYTHING, Filters()),
        (EVERYTHING, Filters(kind="mining", severity="high")),
        (View(frozenset({id_of(at["ops/pay"])})), Filters(text="MALDEP")),
        (EVERYTHING, Filters(package="pkg:npm/mal*", detected=True)),
        (EVERYTHING, Filters(older_than=1_000)),
        (EVERYTHING, Filters(text="100%_")),
    ]
    with store.read() as session:
        for view, filters in cases:
            whole = listing.page(session, view, filters, 500, None, order)
            assert whole.next is None
            walked: list[uuid.UUID] = []
            after: str | None = None
            while True:
                page = listing.page(session, view, filters, 5, after, order)
                walked += [row.id for row in page.rows]
                after = page.next
                if after is None:
                    break
            assert walked == [row.id for row in whole.rows]
            expected = [
                row.id
                for row in session.scalars(select(FindingRow))
                if view.sees(row.project_id)
                and filters.kind in (None, row.kind)
                and filters.detected in (None, row.detected)
                and (filters.severity is None or row.severity >= 3)
                and filters.older_than is None
                and filters.text != "100%_"
            ]
            assert set(walked) == set(expected)
        for wrong in ("x", "1.2.3", "1." + "0" * 90, f"1.{uuid.uuid4()}.2"):
            with pytest.raises(UsageError):
                listing.page(session, EVERYTHING, Filters(), 5, wrong, order)
    assert digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
