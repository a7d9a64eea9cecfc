"""From a verdict and its findings to a decision, and from that to an exit code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from package_hunter.model.finding import Finding
from package_hunter.model.scan import Decision, FailOn, Package, Verdict
from package_hunter.policy.facts import Facts
from package_hunter.policy.match import fits
from package_hunter.policy.model import Mode, Policy, Rule

DEFAULT = Policy()


def decide(
    verdict: Verdict,
    findings: Sequence[Finding],
    policy: Policy = DEFAULT,
    packages: Mapping[str, Package] | None = None,
    day: dt.date | None = None,
) -> Decision:
    """`decision_of`, today (or on that day), the findings that are not waived."""
    counting = [Facts.of(f, packages) for f in findings if f.waived is None]
    return decision_of(verdict, counting, policy, day or today())


def decision_of(verdict: Verdict, counting: Sequence[Facts], policy: Policy, day: dt.date) -> Decision:
    """The gravest decision that the verdict, or a rule of the policy for a finding, asks for.

    Rules decide in place of the verdict where they cover every counting finding; an inconclusive scan never
    passes, whatever the rules say.
    """
    base = dict(policy.by_verdict).get(verdict, Decision.REVIEW)
    counting = [facts for facts in counting if facts.counts]
    ruled = [enforced(facts, policy, day) for facts in counting]
    asked = [rule.decision for rule in ruled if rule is not None]
    if not counting or len(asked) < len(counting):
        asked.append(base)
    if verdict is Verdict.INCONCLUSIVE:
        asked += [Decision.REVIEW, base]
    return max(asked, key=lambda decision: decision.rank)


def enforced(facts: Facts, policy: Policy, day: dt.date) -> Rule | None:
    """The rule that decides for this finding on that day."""
    for rule in policy.rules:
        if rule.mode_on(day) is Mode.ENFORCE and fits(rule.match, facts):
            return rule
    return None


def today() -> dt.date:
    """By UTC."""
    return dt.datetime.now(dt.UTC).date()


def exit_code(verdict: Verdict, decision: Decision, fail_on: FailOn = FailOn.BLOCK) -> int:
    """The contract's exit code: 1 from ``fail_on`` on, 4 inconclusive."""
    if verdict is Verdict.INCONCLUSIVE:
        return 1 if decision is Decision.BLOCK and fail_on is not FailOn.NEVER else 4
    return 1 if fail_on.reached(decision) else 0
