"""Markdown for a merge request's comment: short, and nothing in it is markup but our own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.report import words
from package_hunter.report.harmless import harmless

MAX_FULL = 10
MAX_EVIDENCE = 3
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
    yield f"**{finding.severity}{proof}: {plain(finding.title)}**"
    yield ""
    yield f"- who: {plain(words.who(finding.blame))}" + (
        f" ({words.sureness(finding.blame)})" if finding.blame else ""
    )
    if finding.blame and len(finding.blame.path) > 1:
        yield f"- path: {plain(words.tree_path(finding.blame))}"
    if rules := words.rules_of(finding):
        yield f"- rule: {plain(', '.join(rules))}"
    if chain := words.chain_of(finding):
        yield f"- process: {code(' > '.join(chain[-3:]), 400)}"
    for evidence in finding.evidence[:MAX_EVIDENCE]:
        yield f"- {plain(evidence.what)}"
    if (more := len(finding.evidence) - MAX_EVIDENCE) > 0:
        yield f"- and {more} more"
    yield ""


def _lines(report: Report) -> Iterator[str]:
    failed = report.status is ScanStatus.FAILED
    label = "FAILED" if failed else str(report.verdict).replace("_", " ").upper()
    yield f"### {'⚪' if failed else _SIGNS[report.verdict]} Package Hunter: {label} ({report.decision})"
    yield ""
    yield plain(words.verdict_sentence(report), 600)
    yield ""
    findings = words.counting(report)
    for finding in findings[:MAX_FULL]:
        yield from _finding(finding)
    if len(findings) > MAX_FULL:
        yield f"and {len(findings) - MAX_FULL} more findings, see the whole report."
        yield ""
    steps = list(words.advice(report))
    if steps:
        yield "<details><summary>What next</summary>"
        yield ""
        yield from (f"- {plain(step)}" for step in steps)
        yield ""
        yield "</details>"
        yield ""
    if report.verdict is not Verdict.NO_FINDINGS:
        yield words.NOT_CLEARED
        yield ""
    c = report.coverage
    yield (
        f"<sub>{c.packages_installed} of {c.packages_expected} packages installed, {c.scripts_run} of "
        f"{c.scripts_expected} scripts run, {c.events} events, {c.dropped} lost, "
        f"{words.seconds(report):.1f} s</sub>"
    )


def render(report: Report) -> str:
    """A comment of moderate length."""
    return "\n".join(_lines(report)) + "\n"
