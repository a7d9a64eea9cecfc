"""Applies waivers: marks the findings that they cover, and reports those that are expired or of no use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from package_hunter.model.finding import Finding
from package_hunter.model.scan import Package
from package_hunter.policy.facts import Facts
from package_hunter.policy.match import fits
from package_hunter.policy.model import Policy, Waiver


@dataclass(frozen=True, slots=True)
class WaiverResult:
    """The findings, some of them marked, and sentences about waivers that need somebody's attention."""

    findings: tuple[Finding, ...]
    notices: tuple[str, ...]


def apply_waivers(
    findings: Sequence[Finding],
    policy: Policy,
    today: dt.date | None = None,
    packages: Mapping[str, Package] | None = None,
) -> WaiverResult:
    """Mark waived findings. Proof is never waived by a waiver that came with the scanned project."""
    day = today or dt.datetime.now(dt.UTC).date()
    valid = [w for w in policy.waivers if w.expires >= day]
    notices = [
        f"The waiver {w.where} by {w.author} expired on {w.expires}: {w.reason}"
        for w in policy.waivers
        if w.expires < day
    ]
    used: set[int] = set()
    marked: list[Finding] = []
    for finding in findings:
        facts = Facts.of(finding, packages)
        covering = [w for w in valid if covers(w, facts)]
        used |= {id(w) for w in covering}
        reason = (
            f"{covering[0].reason} ({covering[0].author}, until {covering[0].expires})" if covering else None
        )
        marked.append(replace(finding, waived=reason) if reason else finding)
    notices += [
        f"The waiver {w.where} by {w.author} matched nothing: {w.reason}" for w in valid if id(w) not in used
    ]
    return WaiverResult(tuple(marked), tuple(notices))


def covers(waiver: Waiver, facts: Facts) -> bool:
    """Whether the waiver is for this finding; its day is not looked at."""
    return not (waiver.inside and facts.proof) and fits(waiver.match, facts)
