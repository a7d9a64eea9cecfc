"""What proposed changes would do to what was scanned, and that they do it, on both databases."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from package_hunter.errors import UsageError
from package_hunter.governance import policies
from package_hunter.governance.proposals import decide, propose
from package_hunter.governance.proposals.decide import Emergency
from package_hunter.governance.proposals.kind import Budget
from package_hunter.model.finding import Finding
from package_hunter.policy.decide import today
from package_hunter.store.database import Store
from package_hunter.store.finding_tables import StateRow
from package_hunter.triage import results, states
from package_hunter.triage.values import Grant, NewState, Reason, State
from tests.support.duty_store import LOOK, PROOF, finding, scanned
from tests.support.proposals_world import TEST, World

HOOKS = {"rule": [{"decision": "block", "kind": "git_hook", "name": "no hooks"}]}
WEEK = (today() + dt.timedelta(days=7)).isoformat()


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def scan(world: World, *findings: Finding, path: str = "web/shop") -> str:
    """A stored scan's id."""
    with world.store.write() as session:
        place = world.place(session, path)
        assert place.project is not None
        return str(scanned(session, findings, place.project.id, name="shop"))


def impact(world: World, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.get(number).impact)
    return found


def decision(world: World, scan_id: str) -> str:
    key = uuid.UUID(scan_id)
    with world.store.read() as session:
        return results.of_scans(session, [key])[key].decision.value


def waiver(mark: str, **more: Any) -> dict[str, Any]:
    return {"fingerprint": mark, "reason": "acceptable_risk", "until": WEEK} | more


def test_a_policy_says_which_scans_would_flip_and_flips_them(world: World) -> None:
    clean, hook = scan(world, finding(9, kind="dns", severity="low")), scan(world, LOOK)
    number = world.propose("ann", HOOKS, kind="policy")
    found = impact(world, number)
    assert (found["total"], found["tried"], found["not_tried"], found["flipped"]) == (2, 2, 0, 1)
    assert found["flips"][0] == {
        "scan": hook,
        "target": "shop",
        "project": "web/shop",
        "was": "review",
        "now": "block",
        "merge_request": None,
    }
    assert decision(world, hook) == "review", "nothing holds yet"
    assert world.approve("bea", number) == "applied"
    assert (decision(world, hook), decision(world, clean)) == ("block", "review")
    with world.store.read() as session:
        current = policies.current(session, world.place(session, ""))
    assert (current.document, current.reviewed, current.digest) == (
        HOOKS,
        True,
        world.get(number).content_hash,
    )


def test_what_the_budget_leaves_out_is_counted(world: World) -> None:
    for _ in range(3):
        scan(world, LOOK)
    with world.store.read() as session:
        nothing = propose.prepare(session, "policy", world.place(session, ""), HOOKS, Budget(0.0)).impact
    assert (nothing.total, nothing.tried, nothing.not_tried) == (3, 0, 3)


def test_a_policy_of_a_place_is_tried_on_what_lies_in_it(world: World) -> None:
    inside = scan(world, LOOK)
    with world.store.write() as session:
        scanned(session, [LOOK], name="elsewhere")
    assert [f["scan"] for f in impact(world, world.propose("ann", HOOKS, "web", "policy"))["flips"]] == [
        inside
    ]


def test_the_policy_that_nothing_could_pass_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="nothing could pass any more"):
        world.propose("ann", {"verdicts": {"no_findings": "block"}}, kind="policy")
    for wrong in (
        [],
        {"rules": []},
        {"rule": [{"decision": "sometimes"}]},
        {"verdicts": {"inconclusive": "pass"}},
    ):
        with pytest.raises(UsageError):
            world.propose("ann", wrong, kind="policy")


def test_a_policy_that_was_changed_meanwhile(world: World) -> None:
    number = world.propose("ann", HOOKS, kind="policy")
    with world.store.write() as session:
        policies.put(session, TEST, world.place(session, ""), {"verdicts": {"suspicious": "block"}})
    assert world.approve("bea", number) == "stale"
    with world.store.read() as session:
        assert policies.current(session, world.place(session, "")).version == 1


def test_what_one_alone_changes_is_marked_on_the_policy_too(store: Store) -> None:
    world = World(store, "ann")
    world.propose("ann", HOOKS, kind="policy")
    with world.store.read() as session:
        assert not policies.current(session, world.place(session, "")).reviewed


def test_no_policy_any_more_is_a_change_too(world: World) -> None:
    world.approve("bea", world.propose("ann", HOOKS, kind="policy"))
    hook = scan(world, LOOK)
    number = world.propose("ann", None, kind="policy")
    assert impact(world, number)["flips"][0]["now"] == "review"
    assert world.approve("bea", number) == "applied"
    assert decision(world, hook) == "review"


def test_a_waiver_of_proof_takes_two_and_says_what_passes_then(world: World) -> None:
    bad = scan(world, PROOF)
    scan(world, LOOK)
    number = world.propose("dev", waiver(PROOF.fingerprint), "web/shop", "waiver")
    found = impact(world, number)
    assert (found["total"], found["tried"]) == (1, 1), "only scans that had the finding"
    assert [(f["scan"], f["was"], f["now"]) for f in found["flips"]] == [(bad, "block", "pass")]
    document = json.loads(world.get(number).document)
    assert document["behaviour"]["proof"] is True
    assert document["state"] == "accepted"
    assert decision(world, bad) == "block"
    assert world.approve("bea", number) == "applied"
    assert decision(world, bad) == "pass"


def test_a_waiver_is_stale_where_the_finding_does_more_by_then(world: World) -> None:
    scan(world, PROOF)
    number = world.propose("dev", waiver(PROOF.fingerprint), "web/shop", "waiver")
    bad = scan(world, replace(PROOF, subjects=("another.example",)))
    assert world.approve("bea", number) == "stale"
    assert decision(world, bad) == "block"


def test_a_waiver_is_stale_where_somebody_decided_meanwhile(world: World) -> None:
    scan(world, PROOF)
    number = world.propose("dev", waiver(PROOF.fingerprint), "web/shop", "waiver")
    with world.store.write() as session:
        confirmed = NewState(State.CONFIRMED, Reason.OTHER, "it is theft")
        states.set_state(session, TEST, world.place(session, "web/shop"), PROOF.fingerprint, confirmed)
    assert world.approve("bea", number) == "stale"


def test_a_narrower_state_goes_before_what_is_proposed_above_it(world: World) -> None:
    bad = scan(world, PROOF)
    with world.store.write() as session:
        confirmed = NewState(State.CONFIRMED, Reason.OTHER, "it is theft")
        states.set_state(session, TEST, world.place(session, "web/shop"), PROOF.fingerprint, confirmed)
    number = world.propose("ann", waiver(PROOF.fingerprint), "web", "waiver")
    assert impact(world, number)["flipped"] == 0
    assert world.approve("bea", number) == "applied"
    assert decision(world, bad) == "block"


def test_a_waiver_by_breaking_the_glass_holds_and_waits_for_its_review(world: World) -> None:
    bad = scan(world, PROOF)
    number = world.propose("dev", waiver(PROOF.fingerprint), "web/shop", "waiver")
    with world.store.write() as session:
        decide.break_glass(session, world.by(session, "ann"), number, Emergency.DEADLINE, "release at noon")
    assert decision(world, bad) == "pass"
    assert world.get(number).reviewed is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"fingerprint": "f" * 32, "reason": "acceptable_risk", "until": WEEK},
        waiver(PROOF.fingerprint, until="2020-01-01"),
        waiver(PROOF.fingerprint, until=5),
        waiver(PROOF.fingerprint, until=None),
        waiver(PROOF.fingerprint, reason="because"),
        waiver(PROOF.fingerprint, reason=None),
        waiver(PROOF.fingerprint, state="confirmed", until=None),
        waiver(PROOF.fingerprint, remark=7),
        waiver(PROOF.fingerprint, more=1),
        waiver(PROOF.fingerprint, state=[]),
    ],
)
def test_waivers_that_cannot_be(world: World, wrong: Any) -> None:
    scan(world, PROOF)
    with pytest.raises(UsageError):
        world.propose("dev", wrong, "web/shop", "waiver")


def test_required_scans_change_their_part_of_the_policy_alone(world: World) -> None:
    world.approve("bea", world.propose("ann", HOOKS, kind="policy"))
    required = {"require": [{"scan": "merge_request", "projects": ["web/*"]}]}
    number = world.propose("ann", required, kind="required-scan")
    assert "1 of 2 projects (web/shop)" in impact(world, number)["effects"][0]
    assert world.approve("bea", number) == "applied"
    with world.store.read() as session:
        assert policies.current(session, world.place(session, "")).document == HOOKS | required
    for wrong in ({}, {"require": 1}, {"require": [{"scan": "sometimes"}]}, {"require": [], "rule": []}):
        with pytest.raises(UsageError):
            world.propose("ann", wrong, kind="required-scan")


def test_a_grant_is_of_the_proposal(world: World) -> None:
    scan(world, PROOF)
    number = world.propose("dev", waiver(PROOF.fingerprint), "web/shop", "waiver")
    world.approve("bea", number)
    with world.store.read() as session:
        row = session.get(StateRow, (world.place(session, "web/shop").key, PROOF.fingerprint))
    assert row is not None
    assert row.proposal == Grant(str(number)).proposal
