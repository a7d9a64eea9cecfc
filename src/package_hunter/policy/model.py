"""What a policy says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from package_hunter.model.scan import Decision, Verdict


@dataclass(frozen=True, slots=True)
class Match:
    """Which findings are meant. Empty fields match anything; every field that is set must match.

    ``package`` is a pattern over purls without version (``pkg:npm/@scope/*``), ``versions`` a range
    (``>=1.2,<2``), ``path`` and ``destination`` are patterns over what the evidence names.
    """

    fingerprint: str = ""
    kind: str = ""
    rule: str = ""
    package: str = ""
    versions: str = ""
    path: str = ""
    destination: str = ""
    severity: str = ""  # this severity or worse
    ecosystem: str = ""
    phase: str = ""
    direct: bool | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """Findings that somebody looked at and accepted, until ``expires`` (its last day, UTC)."""

    match: Match
    reason: str
    author: str
    expires: dt.date
    where: str = ""  # file and place, for messages
    inside: bool = False  # from the scanned project itself: never waives proof


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule whose match fits a finding decides for it."""

    match: Match
    decision: Decision


@dataclass(frozen=True, slots=True)
class Policy:
    """Decisions by verdict, rules by finding, waivers.

    A rule's decision counts for its finding instead of the verdict's; the gravest of all counts."""

    by_verdict: tuple[tuple[Verdict, Decision], ...] = (
        (Verdict.MALICIOUS, Decision.BLOCK),
        (Verdict.SUSPICIOUS, Decision.REVIEW),
        (Verdict.INCONCLUSIVE, Decision.REVIEW),
        (Verdict.NO_FINDINGS, Decision.PASS),
    )
    rules: tuple[Rule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    own_file: bool = False  # whether the scanned project's own file may waive what is no proof
    own_file_from: tuple[str, ...] = ("*",)  # on a server: patterns of the accounts for which it may
