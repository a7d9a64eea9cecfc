"""The one function that says what policies make of findings and of what people decided about them.

Lists show a projection of it (`triage/results.py`), the gate asks it, a preview asks it twice. It reads no clock and
no store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy.decide import decision_of, enforced
from package_hunter.policy.facts import Facts
from package_hunter.policy.layers import Effective, Layer
from package_hunter.policy.match import fits
from package_hunter.policy.model import Mode, Policy
from package_hunter.policy.verdict import verdict_of
from package_hunter.policy.waive import covers
from package_hunter.triage.behaviour import Behaviour, grown
from package_hunter.triage.values import State


@dataclass(frozen=True, slots=True)
class Held:
    """A state that was set and reaches the finding. ``granted``: by an approved proposal, so it lifts proof and
    enforced rules, too. ``behaviour`` is what was looked at then; ``said`` why, by whom, for people."""

    state: State
    said: str = ""
    until: dt.date | None = None
    granted: bool = False
    behaviour: Behaviour | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding as a scan has it."""

    facts: Facts
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one finding. ``silenced`` says why it does not count, else None. ``rule`` is the enforced rule
    that decided the gravest; ``warned`` and ``logged`` are those whose word is not done."""

    fingerprint: str
    decision: Decision
    silenced: str | None = None
    rule: str | None = None
    warned: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """Of a scan."""

    verdict: Verdict
    decision: Decision
    outcomes: tuple[Outcome, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What rules that only warn have to say."""
        labels = dict.fromkeys(label for outcome in self.outcomes for label in outcome.warned)
        return tuple(f"A rule that only warns: {label}." for label in labels)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that `result` is asked with: so that it can be asked again, elsewhere and later, of the same."""

    found: tuple[Seen, ...]
    policies: Effective
    held: Mapping[str, Held]
    incomplete: bool
    day: dt.date
    own: Policy | None = None

    def result(self) -> Result:
        """See `result`."""
        return result(self.found, self.policies, self.held, self.incomplete, self.day, self.own)


def result(
    findings: Sequence[Seen],
    policies: Effective,
    held: Mapping[str, Held],
    incomplete: bool,
    day: dt.date,
    own: Policy | None = None,
) -> Result:
    """The result of a scan on that day. ``held`` are states by fingerprint; ``incomplete``: the scan did not see all.

    Waivers of the document for all count everywhere, those of a group or project only against its own rules: what is
    narrower makes nothing milder. ``own`` is the scanned project's own file, where it has a say: what it waives counts
    less than proof and than an enforced rule, and it can only make the decision stricter.
    """
    outcomes = tuple(
        _outcome(seen, policies, held.get(seen.facts.fingerprint), day, own) for seen in findings
    )
    counting = [s.facts for s, o in zip(findings, outcomes, strict=True) if o.silenced is None]
    verdict = verdict_of(counting, incomplete)
    asked = [_layer_decision(layer, counting, incomplete, day) for layer in policies.layers]
    if own is not None:
        asked.append(decision_of(verdict, counting, own, day))
    return Result(verdict, max(asked, key=lambda decision: decision.rank), outcomes)


def _layer_decision(layer: Layer, counting: Sequence[Facts], incomplete: bool, day: dt.date) -> Decision:
    waivers = list(layer.valid_waivers(day))
    left = [f for f in counting if not any(covers(w, f) for w in waivers)]
    return decision_of(verdict_of(left, incomplete), left, layer.policy, day)


def _outcome(seen: Seen, policies: Effective, held: Held | None, day: dt.date, own: Policy | None) -> Outcome:
    facts = seen.facts
    decision, rule = _decided(facts, policies, day)
    silenced = _silenced(seen, policies, held, day, own)
    if silenced is not None:
        return Outcome(facts.fingerprint, Decision.PASS, silenced, rule)
    told = {mode: _of_mode(facts, policies, day, mode) for mode in (Mode.WARN, Mode.LOG)}
    return Outcome(facts.fingerprint, decision, None, rule, told[Mode.WARN], told[Mode.LOG])


def _decided(facts: Facts, policies: Effective, day: dt.date) -> tuple[Decision, str | None]:
    """The gravest that any layer asks for because of this finding, and its rule's label."""
    decision, label = Decision.PASS, None
    for layer in policies.layers:
        rule = enforced(facts, layer.policy, day)
        asked = dict(layer.policy.by_verdict).get(facts.verdict, Decision.REVIEW)
        if rule is not None:
            asked = rule.decision
        if facts.counts and (asked.rank > decision.rank or (label is None and rule is not None)):
            decision, label = asked, None if rule is None else layer.label(rule)
    return decision, label


def _of_mode(facts: Facts, policies: Effective, day: dt.date, mode: Mode) -> tuple[str, ...]:
    return tuple(
        f"{layer.label(rule)}: {rule.decision.value}"
        for layer in policies.layers
        for rule in layer.policy.rules
        if facts.counts and rule.mode_on(day) is mode and fits(rule.match, facts)
    )


def needs_grant(facts: Facts, policies: Effective, day: dt.date) -> str | None:
    """Why no single person may silence it: a phrase; None where one may."""
    if facts.proof:
        return "it is proof of malice"
    for layer in policies.layers:
        rule = enforced(facts, layer.policy, day)
        if rule is not None and rule.decision is not Decision.PASS and facts.counts:
            return f"an enforced rule decides it ({layer.label(rule)})"
    return None


def _silenced(
    seen: Seen, policies: Effective, held: Held | None, day: dt.date, own: Policy | None
) -> str | None:
    base = policies.layers[0]
    for waiver in base.valid_waivers(day):
        if covers(waiver, seen.facts):
            return f"{waiver.reason} ({waiver.author}, until {waiver.expires})"
    free = needs_grant(seen.facts, policies, day) is None
    if (
        held is not None
        and held.state.silences
        and stands(held, seen.behaviour, day)
        and (free or held.granted)
    ):
        return held.said
    valid = [w for w in own.waivers if w.expires >= day] if own is not None and free else []
    own_waiver = next((w for w in valid if covers(w, seen.facts)), None)
    return (
        None
        if own_waiver is None
        else f"{own_waiver.reason} ({own_waiver.author}, until {own_waiver.expires})"
    )


def stands(held: Held, now: Behaviour, day: dt.date) -> bool:
    """Whether what was decided still holds: its day is not over, and the behaviour is what was looked at."""
    if held.state is State.ACCEPTED and (held.until is None or held.until < day):
        return False
    return held.behaviour is None or not grown(held.behaviour, now)
