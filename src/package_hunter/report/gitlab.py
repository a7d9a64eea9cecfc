"""GitLab's dependency scanning report, schema 15.1.4 (the one that most instances take).

Format facts: https://gitlab.com/gitlab-org/security-products/security-report-schemas.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from package_hunter import __version__
from package_hunter.model.ecosystem import facts_of, known
from package_hunter.model.finding import Finding
from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus
from package_hunter.model.times import rfc3339
from package_hunter.report import words
from package_hunter.report.harmless import any_text, defang, harmless
from package_hunter.report.indicators import indicators_of
from package_hunter.report.location import locate

VERSION = "15.1.4"
MAX_IDENTIFIERS = 20
_NAMESPACE = uuid.UUID("f7d3c1de-7f0c-5c0a-9a55-7d2c1f0b6d11")
_SEVERITIES = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low", "info": "Info"}
_TOOL = {
    "id": "package-hunter",
    "name": "Package Hunter",
    "version": __version__,
    "vendor": {"name": "Package Hunter"},
}


def _package(purl: str | None, report: Report) -> tuple[str, str]:
    parts = words.parse_purl(purl)
    if parts is None:
        return harmless(report.target.name), "0"
    name = f"{parts.namespace}/{parts.name}" if parts.namespace else parts.name
    return harmless(name), harmless(parts.version or "0")


def _identifiers(finding: Finding) -> list[dict[str, str]]:
    def one(kind: str, value: str, **more: str) -> dict[str, str]:
        return {"type": f"package_hunter_{kind}", "name": f"Package Hunter {value}", "value": value, **more}

    found = [one("fingerprint", finding.fingerprint), one("kind", finding.kind)]
    found += [
        {
            "type": "mitre_attack",
            "name": technique,
            "value": technique,
            "url": f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}/",
        }
        for technique in finding.attack
    ]
    return found[:MAX_IDENTIFIERS]


def _details(finding: Finding, report: Report) -> dict[str, Any]:
    def items(lines: list[str]) -> list[dict[str, str]]:
        return [{"type": "text", "value": harmless(line, 1000)} for line in lines[:50]]

    details: dict[str, Any] = {
        "who": {"type": "text", "name": "Who did it", "value": words.who(finding.blame)},
        "evidence": {"type": "list", "name": "Evidence", "items": items([e.what for e in finding.evidence])},
    }
    if chain := words.chain_of(finding):
        details["process"] = {"type": "list", "name": "Process and what started it", "items": items(chain)}
    if finding.explain:
        details["why"] = {"type": "list", "name": "Why", "items": items(list(finding.explain))}
    own = finding.blame.package if finding.blame else None
    found = (
        [f"{kind}: {defang(value)}" for kind, value in indicators_of(report, own)] if finding.proof else []
    )
    if found:
        details["indicators"] = {"type": "list", "name": "Indicators", "items": items(found)}
    return details


def _vulnerability(finding: Finding, report: Report, root: Path | None) -> dict[str, Any]:
    purl = finding.blame.package if finding.blame else None
    name, version = _package(purl, report)
    title = harmless(finding.title)
    return {
        "id": str(uuid.uuid5(_NAMESPACE, f"{finding.fingerprint} {clean(purl)}")),
        "name": title[:255],
        "description": f"{words.who(finding.blame)}: {title}. "
        + " ".join(harmless(e) for e in finding.explain[:1]),
        "severity": _SEVERITIES[finding.severity],
        "solution": " ".join(harmless(a) for a in finding.advice) or "Look at the evidence.",
        "identifiers": _identifiers(finding),
        "location": {
            "file": locate(report, purl, root).file,
            "dependency": {"package": {"name": name}, "version": version},
        },
        "details": _details(finding, report),
        "flags": [
            {
                "type": "flagged-as-likely-false-positive",
                "origin": "waiver",
                "description": harmless(finding.waived),
            }
        ]
        if finding.waived
        else [],
    }


def _manager(kind: str) -> str:
    """GitLab's name of a manager, of the ecosystem that a purl's type or a target names."""
    facts = facts_of(kind) or known()[0]
    return facts.gitlab.get(kind) or next(iter(facts.gitlab.values()))


def _files(report: Report, root: Path | None) -> list[dict[str, Any]]:
    """The packages under the file that pins them, one for each ecosystem of the project."""
    by_kind: dict[str, list[str]] = {}
    for package in report.packages:
        parts = words.parse_purl(package.purl)
        kind = parts.type if parts is not None else report.target.ecosystem
        by_kind.setdefault(kind, []).append(package.purl)
    return [
        {
            "path": locate(report, purls[0], root).file,
            "package_manager": _manager(kind),
            "dependencies": [
                {"package": {"name": name}, "version": version}
                for name, version in (_package(purl, report) for purl in purls)
            ],
        }
        for kind, purls in (by_kind or {report.target.ecosystem: []}).items()
        if purls
    ]


@any_text
def render(report: Report, root: Path | None = None) -> str:
    """GitLab's JSON; ``root`` is the project's folder, for the names of its lock files."""
    findings = [f for f in report.findings if f.severity != "info"]
    failed = report.status is ScanStatus.FAILED
    messages = [report.error] if report.error else []
    messages += report.coverage.reasons
    data = {
        "version": VERSION,
        "schema": "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/"
        f"v{VERSION}/dist/dependency-scanning-report-format.json",
        "scan": {
            "analyzer": _TOOL,
            "scanner": _TOOL,
            "type": "dependency_scanning",
            "start_time": rfc3339(report.started)[:19],
            "end_time": rfc3339(report.finished)[:19],
            "status": "failure" if failed else "success",
            "messages": [{"level": "warn", "value": harmless(m)} for m in messages],
        },
        "vulnerabilities": [_vulnerability(f, report, root) for f in findings],
        "dependency_files": _files(report, root),
    }
    return json.dumps(clean(data), indent=2) + "\n"
