"""Policy: what a verdict means for whoever asked. Findings and waivers in, block, review or pass out."""

from __future__ import annotations

from package_hunter.policy.decide import DEFAULT, decide, exit_code
from package_hunter.policy.load import load_policy, parse_policy
from package_hunter.policy.model import Policy, Rule, Waiver
from package_hunter.policy.verdict import explanation, verdict
from package_hunter.policy.waive import WaiverResult, apply_waivers

__all__ = [
    "DEFAULT",
    "Policy",
    "Rule",
    "Waiver",
    "WaiverResult",
    "apply_waivers",
    "decide",
    "exit_code",
    "explanation",
    "load_policy",
    "parse_policy",
    "verdict",
]
