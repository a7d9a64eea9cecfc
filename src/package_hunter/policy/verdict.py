"""Findings become a verdict. A run can confirm malice, it can never clear a package: the wording says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from package_hunter.model.finding import Finding
from package_hunter.model.scan import Coverage, Verdict
from package_hunter.model.text import shortened

_MAX_NAMED = 5  # findings in one sentence


def verdict(findings: Iterable[Finding], coverage: Coverage) -> Verdict:
    """Proof first, then whether enough was seen, then what a person should look at.

    Waived findings do not count. See docs/verdicts.md.
    """
    counting = [f for f in findings if f.waived is None]
    return verdict_of(counting, bool(coverage.reasons or coverage.dropped))


class Weighed(Protocol):
    """What a verdict looks at of a finding."""

    @property
    def proof(self) -> bool: ...

    @property
    def severity(self) -> str: ...


def verdict_of(counting: Sequence[Weighed], incomplete: bool) -> Verdict:
    """The verdict of findings that count; ``incomplete``: something may have gone unseen."""
    if any(f.proof for f in counting):
        return Verdict.MALICIOUS
    if incomplete:
        return Verdict.INCONCLUSIVE
    if any(f.severity != "info" for f in counting):
        return Verdict.SUSPICIOUS
    return Verdict.NO_FINDINGS


def explanation(findings: Sequence[Finding], coverage: Coverage) -> tuple[str, ...]:
    """Why the verdict is what it is, in sentences, the deciding one first."""
    counting = [f for f in findings if f.waived is None]
    proof = [f for f in counting if f.proof]
    look = [f for f in counting if not f.proof and f.severity != "info"]
    waived = sum(f.waived is not None for f in findings)
    lines: list[str] = []
    if proof:
        lines.append(
            f"Malicious, because of {_count(proof, 'finding')} that honest software has no reason for: "
            f"{_named(proof)}."
        )
    if coverage.dropped:
        lines.append(f"{coverage.dropped} events were lost, so something may have gone unseen.")
    lines += [f"Not everything was seen: {reason}" for reason in coverage.reasons]
    if look and not proof:
        says = "Suspicious" if not (coverage.reasons or coverage.dropped) else "Beside that"
        lines.append(f"{says}: {_count(look, 'finding')} that a person should look at: {_named(look)}.")
    if not lines:
        lines.append(
            "Nothing was found in what was run and seen. That is no proof of harmlessness: code may wait for "
            "another day, another machine, or a function that was not called."
        )
    if waived:
        lines.append(f"{waived} waived and not counted.")
    return tuple(lines)


def _named(findings: Sequence[Finding]) -> str:
    """The first findings by kind and package, each pair once."""
    names = dict.fromkeys(
        f"{f.kind} by {shortened(f.blame.package)}" if f.blame and f.blame.package else f.kind
        for f in findings
    )
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(list(names)[:_MAX_NAMED]) + more


def _count(items: Sequence[object], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"
