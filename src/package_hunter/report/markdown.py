"""Markdown for a merge request's comment: short, and nothing in it is markup but our own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.report import words
from package_hunter.report.harmless import any_text, harmless

MAX_FULL = 10
MAX_EVIDENCE = 2
MAX_LINES = 30
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:^$=/])")
_ENTITIES = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;"})
_SIGNS = {"malicious": "🔴", "suspicious": "🟠", "inconclusive": "⚪", "no_findings": "🔵"}


def plain(text: object, limit: int = 300) -> str:
    """Text with every character escaped that could be markup, a link, a mention or an emoji.

    A mention (``@everyone``) is not disarmed by a backslash everywhere, so ``@`` gets an empty comment.
    """
    escaped = _MARKUP.sub(r"\\\1", harmless(text, limit)).translate(_ENTITIES)
    return escaped.replace("\\@", "@<!-- -->")


def code(text: object, limit: int = 200) -> str:
    """Text as a code span, whatever backticks it holds."""
    inner = harmless(text, limit)
    longest = max((len(run) for run in re.findall("`+", inner)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {inner} {fence}" if longest or not inner.strip() else f"{fence}{inner}{fence}"


def _finding(finding: Finding) -> Iterator[str]:
    proof = ", proof" if finding.proof else ""
    rules = f" ({plain(', '.join(rules))})" if (rules := words.rules_of(finding)) else ""
    yield f"- **{finding.severity}{proof}: {plain(words.short(finding.title))}**{rules}"
    told = [e.what for e in finding.evidence if e.what.rstrip(".") != finding.title.rstrip(".")]
    for what in told[:MAX_EVIDENCE]:
        yield f"  - {plain(words.short(what))}"
    if len(told) > MAX_EVIDENCE:
        yield f"  - and {len(told) - MAX_EVIDENCE} more"


def _by_doer(findings: list[Finding]) -> Iterator[str]:
    """The findings of one script together, under its name and the processes that led to the gravest."""
    for who in dict.fromkeys(words.who(f.blame) for f in findings):
        group = [f for f in findings if words.who(f.blame) == who]
        blame = group[0].blame
        known = f" ({words.sureness(blame)})" if words.sureness(blame) else ""
        path = f", by way of {plain(words.tree_path(blame))}" if blame and len(blame.path) > 1 else ""
        yield f"Done by **{plain(who)}**{known}{path}"
        yield ""
        if chain := words.chain_of(group[0]):
            yield code(" > ".join(chain[-4:]), 400)
            yield ""
        for finding in group:
            yield from _finding(finding)
        yield ""


def _folded(title: str, lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from (f"- {plain(line)}" for line in lines[:MAX_LINES])
    if len(lines) > MAX_LINES:
        yield f"- and {len(lines) - MAX_LINES} more"
    yield ""
    yield "</details>"
    yield ""


def _lines(report: Report) -> Iterator[str]:
    failed = report.status is ScanStatus.FAILED
    label = "FAILED" if failed else str(report.verdict).replace("_", " ").upper()
    yield f"### {'⚪' if failed else _SIGNS[report.verdict]} Package Hunter: {label} ({report.decision})"
    yield ""
    yield plain(words.verdict_sentence(report), 600)
    yield ""
    for notice in report.notices:
        yield plain(notice)
        yield ""
    findings = words.as_shown(words.counting(report))
    yield from _by_doer(findings[:MAX_FULL])
    if len(findings) > MAX_FULL:
        yield f"and {len(findings) - MAX_FULL} more findings, see the whole report."
        yield ""
    yield from _folded("What next", list(words.advice(report)))
    if report.baseline is not None:
        yield from _folded(
            f"New since the baseline of {words.baseline_day(report)}", list(words.news(report))
        )
    waived = [f"{words.short(f.title)}: {f.waived}" for f in words.as_shown(report.findings) if f.waived]
    yield from _folded("Waived, and not counted", waived)
    if report.verdict is not Verdict.NO_FINDINGS:
        yield words.NOT_CLEARED
        yield ""
    c = report.coverage
    yield (
        f"<sub>{c.packages_installed} of {c.packages_expected} packages installed, {c.scripts_run} of "
        f"{c.scripts_expected} scripts run, {c.events} events, {c.dropped} lost, "
        f"{words.seconds(report):.1f} s</sub>"
    )


@any_text
def render(report: Report) -> str:
    """A comment of moderate length."""
    return "\n".join(_lines(report)) + "\n"
