"""From a verdict and its findings to a decision, and from that to an exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from package_hunter.model.finding import Finding
from package_hunter.model.scan import Decision, FailOn, Package, Verdict
from package_hunter.policy.match import fits
from package_hunter.policy.model import Policy

DEFAULT = Policy()


def decide(
    verdict: Verdict,
    findings: Sequence[Finding],
    policy: Policy = DEFAULT,
    packages: Mapping[str, Package] | None = None,
) -> Decision:
    """The gravest decision that the verdict, or a rule of the policy for a finding, asks for.

    Rules decide in place of the verdict where they cover every counting finding; an inconclusive scan never
    passes, whatever the rules say.
    """
    base = dict(policy.by_verdict).get(verdict, Decision.REVIEW)
    counting = [f for f in findings if f.waived is None and f.severity != "info"]
    ruled = [_by_rule(f, policy, packages) for f in counting]
    asked = [d for d in ruled if d is not None]
    if not counting or len(asked) < len(counting):
        asked.append(base)
    if verdict is Verdict.INCONCLUSIVE:
        asked += [Decision.REVIEW, base]
    return max(asked, key=lambda decision: decision.rank)


def _by_rule(finding: Finding, policy: Policy, packages: Mapping[str, Package] | None) -> Decision | None:
    return next((r.decision for r in policy.rules if fits(r.match, finding, packages)), None)


def exit_code(verdict: Verdict, decision: Decision, fail_on: FailOn = FailOn.BLOCK) -> int:
    """The contract's exit code: 1 from ``fail_on`` on, 4 inconclusive."""
    if verdict is Verdict.INCONCLUSIVE:
        return 1 if decision is Decision.BLOCK and fail_on is not FailOn.NEVER else 4
    return 1 if fail_on.reached(decision) else 0
