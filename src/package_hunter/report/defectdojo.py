"""DefectDojo's *Generic Findings Import*, in JSON.

Format facts: DefectDojo's documentation of that parser, and its list of keys (it refuses a file with any other one);
lengths are those of its model. ``unique_id_from_tool`` is the mark by which a re-import knows a finding again.
"""

from __future__ import annotations

import json
from typing import Any

from package_hunter import __version__
from package_hunter.model.finding import Finding
from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.shown import shown
from package_hunter.model.times import rfc3339
from package_hunter.report import words
from package_hunter.report.harmless import any_text, harmless
from package_hunter.report.location import locate
from package_hunter.report.markdown import plain

_MAX_TITLE, _MAX_NAME, _MAX_VERSION, _MAX_PATH, _MAX_ID = 511, 500, 100, 4_000, 500
_MAX_EVIDENCE = 20


def _cut(text: str, most: int) -> str:
    """Harmless, and short enough for the column that it goes into."""
    return harmless(text, most)[:most]


def _text(finding: Finding) -> str:
    """Markdown, as DefectDojo shows it; nothing in it is markup but ours."""
    chain = " > ".join(words.chain_of(finding))
    lines = [
        f"Done by: {plain(words.who(finding.blame), 600)}",
        *(f"Sure: {plain(sure)}" for sure in [words.sureness(finding.blame)] if sure),
        *(f"Way through the tree: {plain(way, 600)}" for way in [words.tree_path(finding.blame)] if way),
        *([f"Processes: {plain(chain, 1_000)}"] if chain else []),
        *(f"- {plain(words.short(e.what), 600)}" for e in finding.evidence[:_MAX_EVIDENCE]),
    ]
    return "\n\n".join(lines)


def _finding(report: Report, finding: Finding, mark: str) -> dict[str, Any]:
    purl = finding.blame.package if finding.blame else None
    parts, place = words.parse_purl(purl), locate(report, purl)
    made: dict[str, Any] = {
        "title": _cut(f"{words.package_name(purl) or report.target.name}: {finding.title}", _MAX_TITLE),
        "severity": finding.severity.capitalize(),
        "description": _text(finding),
        "date": rfc3339(report.finished)[:10],
        "mitigation": " ".join(plain(sentence, 600) for sentence in finding.advice)
        or "Look at the evidence.",
        "impact": " ".join(plain(sentence, 600) for sentence in finding.explain),
        "unique_id_from_tool": mark[:_MAX_ID],
        "vuln_id_from_tool": _cut(finding.kind, _MAX_ID),
        "file_path": _cut(place.file, _MAX_PATH),
        "line": place.line,
        "static_finding": False,
        "dynamic_finding": True,
        "verified": finding.proof,
        "active": finding.waived is None,
        "risk_accepted": finding.waived is not None,
        "nb_occurences": max(1, min(finding.count, 2**31 - 1)),
        "tags": ["package-hunter", *(tag for tag in finding.attack if tag.isascii())],
    }
    if parts is not None:
        name = f"{parts.namespace}/{parts.name}" if parts.namespace else parts.name
        made["component_name"] = _cut(name, _MAX_NAME)
        made["component_version"] = _cut(parts.version or "", _MAX_VERSION)
    if finding.waived is not None:
        made["severity_justification"] = plain(f"Waived: {finding.waived}", 2_000)
    return made


@any_text
def render(report: Report) -> str:
    """One file to import."""
    together = shown(f for f in report.findings if f.severity != "info")
    data = {
        "name": "Package Hunter",
        "type": "Package Hunter",
        "version": __version__,
        "dynamic_tool": True,
        "static_tool": False,
        "findings": [_finding(report, one.finding, one.mark) for one in together],
    }
    return json.dumps(clean(data), indent=2) + "\n"
