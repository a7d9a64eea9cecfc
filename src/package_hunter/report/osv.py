"""OSV records (schema 1.7.5) as OpenSSF's malicious-packages takes them: one a line, for each package with
proof-class findings. Without ``id`` and ``summary``, which that project gives itself.

Format facts: https://ossf.github.io/osv-schema/ and the malicious-packages repository's README.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from package_hunter.model.ecosystem import facts_of
from package_hunter.model.finding import Finding
from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.times import rfc3339
from package_hunter.report import words
from package_hunter.report.harmless import any_text, harmless
from package_hunter.report.indicators import indicators_of


def _by_package(report: Report) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in words.counting(report):
        if finding.blame and finding.blame.package and finding.blame.confidence != "tree":
            found.setdefault(finding.blame.package, []).append(finding)
    return {purl: fs for purl, fs in found.items() if any(f.proof for f in fs)}


def _details(purl: str, findings: list[Finding]) -> str:
    trigger = findings[0].blame
    step = trigger.script if trigger and trigger.script else "its code"
    lines = [
        f"{words.package_name(purl)} was seen to act against whoever installs it, in a sandbox.",
        f"It is triggered by {harmless(step)} in the {trigger.phase if trigger else 'install'} phase.",
        "",
    ]
    lines += [
        f"- {harmless(f.title)}: {harmless(f.evidence[0].what) if f.evidence else ''}" for f in findings
    ]
    return "\n".join(lines)


def _iocs(report: Report, purl: str) -> dict[str, list[str]]:
    """What this package contacted, in the words of the malicious-packages repository."""
    keys = {"domain": "domains", "url": "urls", "address": "ip_addresses"}
    found: dict[str, list[str]] = {"domains": [], "urls": [], "ip_addresses": []}
    for kind, value in indicators_of(report, purl):
        found[keys[kind]].append(harmless(value, 2000))
    return {key: values for key, values in found.items() if values}


def records(report: Report) -> Iterator[dict[str, Any]]:
    """An OSV record for each malicious package."""
    for purl, findings in _by_package(report).items():
        parts = words.parse_purl(purl)
        facts = facts_of(parts.type) if parts is not None else None
        if parts is None or facts is None or facts.purl_type != parts.type or not facts.osv:
            continue
        name = f"{parts.namespace}/{parts.name}" if parts.namespace else parts.name
        package = {"ecosystem": facts.osv, "name": harmless(name)}
        yield {
            "schema_version": "1.7.5",
            "modified": rfc3339(report.finished)[:19] + "Z",
            "details": _details(purl, findings),
            "affected": [{"package": package, "versions": [harmless(parts.version or "")]}],
            "credits": [{"name": "Package Hunter", "type": "TOOL"}],
            "database_specific": {"iocs": _iocs(report, purl)},
        }


@any_text
def render(report: Report) -> str:
    """One JSON object a line, none where there is no proof."""
    return "".join(json.dumps(clean(record)) + "\n" for record in records(report))
