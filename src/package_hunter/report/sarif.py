"""SARIF 2.1.0, as GitHub's code scanning takes it.

Format facts: OASIS SARIF 2.1.0; https://docs.github.com/en/code-security (SARIF support for code scanning).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from package_hunter import __version__
from package_hunter.model.finding import Finding
from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.model.times import rfc3339
from package_hunter.report import words
from package_hunter.report.harmless import any_text, harmless
from package_hunter.report.location import Location, locate

MAX_RESULTS = 5_000
_SCORE = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}
_LEVEL = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}


def _rule(finding: Finding) -> dict[str, Any]:
    name = finding.kind.replace("_", " ")
    why = " ".join(harmless(line) for line in finding.explain[:1]) or name
    advice = " ".join(harmless(a) for a in finding.advice) or "Look at the evidence."
    return {
        "id": f"package-hunter/{finding.kind}",
        "name": "".join(part.capitalize() for part in finding.kind.split("_")),
        "shortDescription": {"text": name.capitalize()},
        "fullDescription": {"text": why},
        "help": {"text": advice},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
        "properties": {
            "security-severity": _SCORE[finding.severity],
            "tags": ["security", "supply-chain", *finding.attack],
        },
    }


def _message(finding: Finding) -> str:
    evidence = "; ".join(harmless(e.what, 300) for e in finding.evidence[:3])
    path = words.tree_path(finding.blame)
    return f"{words.who(finding.blame)}: {harmless(finding.title)}. Evidence: {evidence}." + (
        f" Brought in by {path}." if path else ""
    )


def _place(location: Location) -> dict[str, Any]:
    region = {"startLine": location.line, "startColumn": 1, "endLine": location.line, "endColumn": 2}
    return {"physicalLocation": {"artifactLocation": {"uri": location.uri}, "region": region}}


def _result(finding: Finding, report: Report, root: Path | None, rules: list[str]) -> dict[str, Any]:
    rule = f"package-hunter/{finding.kind}"
    purl = finding.blame.package if finding.blame else None
    mark = hashlib.sha256(f"{purl} {finding.fingerprint}".encode("utf-8", "replace")).hexdigest()[:16]
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": _LEVEL[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_place(locate(report, purl, root))],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{mark}:1",
            "packageHunterFingerprint/v1": finding.fingerprint,
        },
        "properties": {"security-severity": _SCORE[finding.severity], "purl": purl, "proof": finding.proof},
    }
    if finding.waived:
        result["suppressions"] = [{"kind": "external", "justification": harmless(finding.waived)}]
    return result


def _invocation(report: Report) -> dict[str, Any]:
    notes = [report.error] if report.error else []
    notes += report.coverage.reasons
    whole = report.status is not ScanStatus.FAILED and report.verdict is not Verdict.INCONCLUSIVE
    return {
        "executionSuccessful": whole,
        "startTimeUtc": rfc3339(report.started)[:23] + "Z",
        "endTimeUtc": rfc3339(report.finished)[:23] + "Z",
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": harmless(note)}} for note in notes
        ],
    }


@any_text
def render(report: Report, root: Path | None = None) -> str:
    """One SARIF run; ``root`` is the project's folder, for the lines that bring packages in."""
    findings = [f for f in report.findings if f.severity != "info"][:MAX_RESULTS]
    first_of_kind = {f"package-hunter/{f.kind}": f for f in reversed(findings)}
    rules = list(first_of_kind)
    run = {
        "tool": {
            "driver": {
                "name": "Package Hunter",
                "semanticVersion": __version__,
                "rules": [_rule(f) for f in first_of_kind.values()],
            }
        },
        "automationDetails": {"id": f"package-hunter/{harmless(report.target.ecosystem)}/"},
        "invocations": [_invocation(report)],
        "results": [_result(f, report, root, rules) for f in findings],
        "columnKind": "utf16CodeUnits",
    }
    data = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(clean(data), indent=2) + "\n"
