"""Signals become findings: one for each kind, package and behaviour, with its evidence and why."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from package_hunter.findings.advice import advice
from package_hunter.findings.catalog import Class, Kind, kinds
from package_hunter.findings.context import Context
from package_hunter.findings.forms import Form, command_of, form_of
from package_hunter.findings.signals import ONLY_FOR_COMBINATIONS, Signal, stable
from package_hunter.model.finding import Evidence, Finding, in_words
from package_hunter.model.observation import Blame
from package_hunter.model.scales import severity_rank

MAX_EVIDENCE = 20
MAX_SUBJECTS = 1_000
MAX_ACTS = 3  # that a sentence names
_SURENESS = {"certain": 0, "likely": 1, "tree": 2}

ExplainRule = Callable[[str], str | None]
"""From a rule's name to its condition in English."""


def package_of(blame: Blame | None) -> str:
    """The package to blame without its version: what stays the same from release to release."""
    if blame is None or blame.confidence == "tree":
        return "tree"
    if blame.package is None:
        return "project"
    base, at, _ = blame.package.partition("?")[0].rpartition("@")
    return base if at and "/" in base else blame.package


def fingerprint(kind: str, package: str, behaviour: str) -> str:
    """32 hex digits that survive re-runs, versions and machines."""
    return hashlib.sha256("\0".join(("1", kind, package, behaviour)).encode("utf-8", "replace")).hexdigest()[
        :32
    ]


def _behaviour(signal: Signal, kind: Kind, context: Context) -> str:
    """What stays the same from run to run: of an address that a decoy handed out, who was asked for it."""
    if kind.group[:1] == ("package",):
        return ""
    subject = signal.subject
    for lead, asked in context.leads.items():
        subject = subject.replace(lead, f"led there by {asked}")
    return stable(subject)


def _severity(kind: Kind, weight: Class, forms: Sequence[Form]) -> str:
    if weight is Class.INFO:
        return "info"
    if weight is Class.PROOF:
        return max(kind.severity, "high", key=severity_rank)
    worst = max((form.severity for form in forms), key=severity_rank)
    return worst if worst != "info" else "low"


def _acts(kind: Kind, signals: Sequence[Signal]) -> dict[Form, list[Signal]]:
    """Which acts the signals are, those of the most weight first; what goes without saying is left out."""
    acts: dict[Form, list[Signal]] = {}
    counts = [s for s in signals if s.weight > Class.INFO] or signals
    for signal in sorted(counts, key=lambda s: -s.weight):
        acts.setdefault(form_of(signal, kind), []).append(signal)
    told = {form: of for form, of in acts.items() if not form.lesser}
    return told if any(not form.name for form in told) else acts


def _title(acts: Mapping[Form, Sequence[Signal]]) -> str:
    said = [_sentence(form.title, signals) for form, signals in acts.items()]
    more = (f"{s[:1].lower()}{s[1:]}" for s in said[1:MAX_ACTS])
    left = len(said) - MAX_ACTS
    return "; ".join((*said[:1], *more)) + (f"; and {left} more" if left > 0 else "")


def _sentence(title: str, signals: Sequence[Signal]) -> str:
    title = title.replace("{kinds}", in_words([str(s.data.get("kind", "")) for s in signals]))
    title = title.replace("{what}", signals[0].what.rstrip("."))
    title = title.replace("{command}", in_words([command_of(s) or s.subject for s in signals]))
    return title.replace("{subject}", in_words([s.subject for s in signals]))


def _evidence(signals: Sequence[Signal], context: Context) -> tuple[Evidence, ...]:
    """Distinct sentences, first come first kept; the first of each process has the chain that led there."""
    kept: dict[str, Evidence] = {}
    chained: set[int] = set()
    for signal in signals:
        if len(kept) >= MAX_EVIDENCE:
            break
        if signal.what in kept:
            continue
        data = dict(signal.data)
        process = signal.process
        if process is None:
            process = context.key_of(signal.blame, signal.time_ns)
        if process is not None and process not in chained:
            chained.add(process)
            data["chain"] = context.chain(process)
        kept[signal.what] = Evidence(signal.time_ns, signal.what, data)
        for time_ns, step in zip(data.pop("times", ()), data.get("steps", ()), strict=False):
            kept.setdefault(step, Evidence(time_ns, step))
    return tuple(kept.values())


def _explain(kind: Kind, signals: Sequence[Signal], rule_text: ExplainRule | None) -> tuple[str, ...]:
    forms = list(_acts(kind, signals))
    lines = [f"Why it is here: {raised}" for raised in dict.fromkeys(form.raised for form in forms)]
    rules = dict.fromkeys(str(s.data["rule"]) for s in signals if "rule" in s.data)
    for rule in rules:
        english = rule_text(rule) if rule_text else None
        lines.append(f"Rule “{rule}” matched" + (f": {english}" if english else "."))
    lines += dict.fromkeys(line for s in signals for line in s.explain)
    blame = _blame(signals)
    if blame is not None:
        lines.append(f"Who did it is {blame.confidence}: {blame.basis}")
    lines += [f"What would have lowered it: {low}" for low in dict.fromkeys(form.lowers for form in forms)]
    return tuple(lines)


def _blame(signals: Sequence[Signal]) -> Blame | None:
    known = [s.blame for s in signals if s.blame is not None]
    return min(known, key=lambda b: _SURENESS.get(b.confidence, 3), default=None)


def _finding(
    kind: Kind, mark: str, signals: Sequence[Signal], context: Context, rule_text: ExplainRule | None
) -> Finding:
    weight, blame = max(s.weight for s in signals), _blame(signals)
    acts = _acts(kind, signals)
    return Finding(
        fingerprint=mark,
        kind=kind.name,
        severity=_severity(kind, weight, list(acts)),
        title=_title(acts),
        blame=blame,
        evidence=_evidence(signals, context),
        attack=tuple(sorted({*kind.attack, *(t for s in signals for t in s.attack)})),
        count=len(signals),
        proof=weight is Class.PROOF,
        explain=_explain(kind, signals, rule_text),
        advice=advice(kind, acts, context, blame),
        form=next(iter(acts)).name,
        subjects=tuple(
            itertools.islice(dict.fromkeys(s.subject for s in signals if s.subject), MAX_SUBJECTS)
        ),
    )


def group(
    signals: Iterable[Signal], context: Context, rule_text: ExplainRule | None = None
) -> tuple[Finding, ...]:
    """Findings, gravest first, then in the order of time."""
    groups: dict[tuple[str, str, str], list[Signal]] = {}
    for signal in signals:
        if signal.kind in ONLY_FOR_COMBINATIONS:
            continue
        key = (signal.kind, package_of(signal.blame), _behaviour(signal, kinds()[signal.kind], context))
        groups.setdefault(key, []).append(signal)
    found = [
        (_finding(kinds()[key[0]], fingerprint(*key), members, context, rule_text), members[0].time_ns)
        for key, members in groups.items()
    ]
    found.sort(key=lambda f: (not f[0].proof, -severity_rank(f[0].severity), f[1]))
    return tuple(finding for finding, _ in found)
