"""Rules of a policy in plain words: for those who must live with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from package_hunter.model.scan import Decision
from package_hunter.policy.model import Match, Mode, Rule

_DOES = {
    Decision.BLOCK: "stops what has",
    Decision.REVIEW: "asks a person to look at",
    Decision.PASS: "lets pass",
}
_ONLY = {Mode.WARN: "It only warns", Mode.LOG: "It is only written down"}


def sentence(rule: Rule, day: dt.date) -> str:
    """What the rule does on that day, and from when on it does more."""
    name = f"“{rule.name}” " if rule.name else "A rule without a name "
    told = f"{name}{_DOES[rule.decision]} {meant(rule.match)}."
    mode = rule.mode_on(day)
    if mode is Mode.ENFORCE:
        return told
    begins = [
        f"{verb} from {when}"
        for verb, when in (("warns", rule.warn_from), ("is enforced", rule.enforce_from))
        if when is not None and when > day
    ]
    return f"{told} {_ONLY[mode]} now{'; it ' + ', '.join(begins) if begins else ''}."


def meant(match: Match) -> str:
    """Which findings, a phrase."""
    told = f"findings of the kind {match.kind.replace('_', ' ')}" if match.kind else "any finding"
    return " ".join([told, *_conditions(match)])


def _conditions(match: Match) -> Iterator[str]:
    said = (
        (match.severity, f"of severity {match.severity} or worse"),
        (match.verdict, f"that by itself makes a scan {match.verdict.replace('_', ' ')}"),
        (match.package, f"by {match.package}"),
        (match.versions, f"in versions {match.versions}"),
        (match.ecosystem, f"of {match.ecosystem}"),
        (match.direct is True, "of packages that the project asks for itself"),
        (match.direct is False, "of packages that others bring along"),
        (match.phase, f"in the phase {match.phase}"),
        (match.rule, f"by the rule {match.rule}"),
        (match.path, f"that touches {match.path}"),
        (match.destination, f"that talks to {match.destination}"),
        (match.confidence, f"where it is {match.confidence} or surer who did it"),
        (match.fingerprint, f"with the fingerprint {match.fingerprint}"),
        (match.older_than is not None, f"first seen more than {match.older_than} days ago"),
        (match.newer_than is not None, f"first seen less than {match.newer_than} days ago"),
    )
    return (words for there, words in said if there)
