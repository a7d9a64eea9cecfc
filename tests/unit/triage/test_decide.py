"""The function that decides: whatever is added, the stricter wins; nobody's word alone lifts proof or a rule."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.governance.document import policy_of
from package_hunter.model.scales import SEVERITIES
from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy.facts import Facts
from package_hunter.policy.layers import ALL, Effective, Layer
from package_hunter.policy.model import Match, Policy, Rule, Waiver
from package_hunter.triage.behaviour import Behaviour, grown
from package_hunter.triage.decide import Held, Result, Seen, needs_grant, result
from package_hunter.triage.values import State

DAY = dt.date(2026, 11, 30)
MARKS = [f"{n:032x}" for n in range(4)]
KINDS = ("git_hook", "mining", "exfiltration")
BEHAVIOUR = Behaviour(("",), "medium", False, ("T1",), ("a", "b"))


def layer(scope: str, text: dict[str, object], narrow: bool = True) -> Layer:
    return Layer(scope, policy_of(text, scope, narrow=narrow), scope)


def _facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        fingerprint=st.sampled_from(MARKS),
        kind=st.sampled_from(KINDS),
        severity=st.sampled_from(SEVERITIES),
        proof=st.booleans(),
        package=st.sampled_from(("", "pkg:npm/a@1", "pkg:npm/b@2")),
        confidence=st.sampled_from(("", "tree", "likely", "certain")),
        days=st.integers(0, 60),
    )


def _match() -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "kind": st.sampled_from(("*", *KINDS)),
            "severity": st.sampled_from(SEVERITIES),
            "package": st.sampled_from(("pkg:npm/*", "pkg:npm/a")),
            "verdict": st.sampled_from(("malicious", "suspicious", "no_findings")),
            "confidence": st.sampled_from(("tree", "likely", "certain")),
            "older_than": st.integers(0, 60),
            "newer_than": st.integers(0, 60),
        },
    )


def _rule() -> st.SearchStrategy[dict[str, object]]:
    days = st.dates(DAY - dt.timedelta(days=3), DAY + dt.timedelta(days=3))
    more = st.fixed_dictionaries(
        {"decision": st.sampled_from([d.value for d in Decision])},
        optional={
            "mode": st.sampled_from(("log", "warn", "enforce")),
            "warn_from": days,
            "enforce_from": days,
        },
    )
    return st.builds(lambda match, rest: {**match, **rest}, _match(), more)


def _document() -> st.SearchStrategy[dict[str, object]]:
    waiver = (
        _match()
        .filter(bool)
        .map(lambda m: {**m, "reason": "known", "author": "ana", "expires": DAY + dt.timedelta(days=1)})
    )
    verdicts = st.dictionaries(
        st.sampled_from(("malicious", "suspicious", "no_findings")),
        st.sampled_from([d.value for d in Decision]),
    )
    return st.fixed_dictionaries(
        {"verdicts": verdicts, "rule": st.lists(_rule(), max_size=4), "waiver": st.lists(waiver, max_size=1)}
    )


def _held() -> st.SearchStrategy[dict[str, Held]]:
    one = st.builds(
        Held,
        state=st.sampled_from(State),
        said=st.just("somebody said so"),
        until=st.one_of(st.none(), st.dates(DAY - dt.timedelta(days=2), DAY + dt.timedelta(days=2))),
        granted=st.booleans(),
        behaviour=st.sampled_from((None, BEHAVIOUR, replace(BEHAVIOUR, subjects=("a",)))),
    )
    return st.dictionaries(st.sampled_from(MARKS), one)


FINDINGS = st.lists(_facts(), max_size=4, unique_by=lambda f: f.fingerprint).map(
    lambda many: [Seen(f, replace(BEHAVIOUR, proof=f.proof)) for f in many]
)


def _graver(one: Result, other: Result) -> bool:
    return one.decision.rank >= other.decision.rank


@given(FINDINGS, _document(), st.lists(_document(), max_size=3), _held(), st.booleans(), st.data())
def test_whatever_layer_is_added_makes_nothing_milder(
    findings: list[Seen],
    base: dict[str, object],
    narrow: list[dict[str, object]],
    held: dict[str, Held],
    incomplete: bool,
    data: st.DataObject,
) -> None:
    layers = [layer(ALL, base, narrow=False), *(layer(f"group:{i}", d) for i, d in enumerate(narrow))]
    kept = [layers[0], *data.draw(st.lists(st.sampled_from(layers[1:]), unique_by=id))] if narrow else layers
    some = [one for one in layers if one in kept]  # fewer, in their order
    more = result(findings, Effective(tuple(layers)), held, incomplete, DAY)
    fewer = result(findings, Effective(tuple(some)), held, incomplete, DAY)
    assert _graver(more, fewer)
    own = policy_of({"waiver": [], "verdicts": {}, "rule": []}, "own", narrow=True)
    assert _graver(result(findings, Effective(tuple(layers)), held, incomplete, DAY, own), more)


@given(FINDINGS, _document(), _held(), st.booleans())
def test_states_without_a_grant_lift_neither_proof_nor_an_enforced_rule(
    findings: list[Seen], base: dict[str, object], held: dict[str, Held], incomplete: bool
) -> None:
    policies = Effective((layer(ALL, {**base, "waiver": []}, narrow=False),))
    ungranted = {mark: replace(one, granted=False) for mark, one in held.items()}
    with_states = result(findings, policies, ungranted, incomplete, DAY)
    bare = result(findings, policies, {}, incomplete, DAY)
    for seen, outcome, plain in zip(findings, with_states.outcomes, bare.outcomes, strict=True):
        if needs_grant(seen.facts, policies, DAY) is not None:
            assert outcome == plain
    assert not _graver(with_states, bare) or with_states.decision is bare.decision
    if any(s.facts.proof for s in findings):
        assert with_states.verdict is Verdict.MALICIOUS


@given(FINDINGS, _document(), _held())
def test_an_inconclusive_scan_never_passes(
    findings: list[Seen], base: dict[str, object], held: dict[str, Held]
) -> None:
    made = result(findings, Effective((layer(ALL, base, narrow=False),)), held, True, DAY)
    assert (
        made.decision is not Decision.PASS or made.verdict is Verdict.MALICIOUS
    )  # of which the policy says so


LOOK = Facts(MARKS[0], "git_hook", "medium", False, "pkg:npm/a@1", confidence="certain")
PLAIN = Layer(ALL, Policy(), "")


def _decided(*layers: Layer, held: Held | None = None, facts: Facts = LOOK, day: dt.date = DAY) -> Result:
    states = {} if held is None else {facts.fingerprint: held}
    return result([Seen(facts, BEHAVIOUR)], Effective(layers), states, False, day)


def test_modes_and_dates() -> None:
    rule = {"decision": "block", "kind": "git_hook", "name": "hooks", "mode": "enforce"}
    soon, later = DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=2)
    rolled = layer("group:web", {"rule": [{**rule, "warn_from": soon, "enforce_from": later}]})
    today, tomorrow, then = (_decided(PLAIN, rolled, day=day) for day in (DAY, soon, later))
    assert [r.decision for r in (today, tomorrow, then)] == [Decision.REVIEW, Decision.REVIEW, Decision.BLOCK]
    assert today.outcomes[0].logged == ("group:web, hooks: block",)
    assert tomorrow.outcomes[0].warned == ("group:web, hooks: block",)
    assert tomorrow.notices == ("A rule that only warns: group:web, hooks: block.",)
    assert then.outcomes[0].rule == "group:web, hooks"
    for mode in ("log", "warn"):
        assert _decided(PLAIN, layer("all", {"rule": [{**rule, "mode": mode}]})).decision is Decision.REVIEW


@pytest.mark.parametrize(
    ("match", "facts", "fits"),
    [
        ({"verdict": "suspicious"}, LOOK, True),
        ({"verdict": "malicious"}, LOOK, False),
        ({"verdict": "malicious"}, replace(LOOK, proof=True), True),
        ({"confidence": "likely"}, LOOK, True),
        ({"confidence": "certain"}, replace(LOOK, confidence="likely"), False),
        ({"confidence": "tree"}, replace(LOOK, confidence=""), False),
        ({"older_than": 30}, replace(LOOK, days=31), True),
        ({"older_than": 30}, replace(LOOK, days=30), False),
        ({"newer_than": 1}, LOOK, True),
        ({"newer_than": 1}, replace(LOOK, days=1), False),
        ({"package": "pkg:npm/a*"}, LOOK, True),
        ({"package": "pkg:npm/b*"}, LOOK, False),
    ],
)
def test_what_rules_may_ask(match: dict[str, object], facts: Facts, fits: bool) -> None:
    made = _decided(PLAIN, layer("group:web", {"rule": [{**match, "decision": "block"}]}), facts=facts)
    assert (made.outcomes[0].rule is not None) is fits


def test_a_narrow_waiver_counts_against_its_own_rules_alone() -> None:
    waiver = {"reason": "r", "author": "a", "expires": DAY, "kind": "git_hook"}
    own = {"rule": [{"decision": "block", "kind": "git_hook"}], "waiver": [waiver]}
    assert _decided(PLAIN, layer("project:x", own)).decision is Decision.REVIEW
    base = Layer(ALL, Policy(waivers=(Waiver(Match(kind="git_hook"), "r", "a", DAY),)), "")
    assert _decided(base, layer("group:web", {"rule": own["rule"]})).decision is Decision.PASS


def test_a_state_holds_for_what_was_looked_at() -> None:
    for state, decision in ((State.FALSE_POSITIVE, Decision.PASS), (State.CONFIRMED, Decision.REVIEW)):
        assert _decided(PLAIN, held=Held(state, "s", behaviour=BEHAVIOUR)).decision is decision
    less = replace(BEHAVIOUR, subjects=("a",))
    assert _decided(PLAIN, held=Held(State.FALSE_POSITIVE, "s", behaviour=less)).decision is Decision.REVIEW
    assert grown(less, BEHAVIOUR) == ("New: b.",)
    assert grown(BEHAVIOUR, less) == ()


def test_a_key_is_another_where_the_result_may_be() -> None:
    rule = Rule(Match(kind="x"), Decision.BLOCK, enforce_from=DAY)
    effective = Effective((Layer(ALL, Policy(rules=(rule,)), "d"),))
    before, day, after = (effective.key(DAY + dt.timedelta(days=n)) for n in (-1, 0, 1))
    assert before != day == after
    aged = Effective((Layer(ALL, Policy(rules=(Rule(Match(older_than=3), Decision.BLOCK),)), "d"),))
    assert len({aged.key(DAY + dt.timedelta(days=n)) for n in (-1, 0, 1)}) == 3
    waived = Effective((Layer(ALL, Policy(waivers=(Waiver(Match(kind="x"), "r", "a", DAY),)), "d"),))
    assert waived.key(DAY) != waived.key(DAY + dt.timedelta(days=1))
