"""CycloneDX 1.6 VEX: the findings as vulnerabilities of components, for triage in tools that speak it.

Format facts: https://cyclonedx.org/docs/1.6/json/. 1.6 and not 1.7, because more readers take it.
(`dependency_track.py` says the same in that program's dialect.)
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

from package_hunter import __version__
from package_hunter.model.finding import Finding
from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.shown import shown
from package_hunter.model.times import rfc3339
from package_hunter.report import words
from package_hunter.report.harmless import any_text, harmless

_NAMESPACE = uuid.UUID("f7d3c1de-7f0c-5c0a-9a55-7d2c1f0b6d12")
_ROOT = "project"


def _component(purl: str) -> dict[str, Any] | None:
    parts = words.parse_purl(purl)
    if parts is None:
        return None
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": parts.to_string(),
        "name": harmless(parts.name),
        "purl": parts.to_string(),
    }
    if parts.namespace:
        component["group"] = harmless(parts.namespace)
    if parts.version:
        component["version"] = harmless(parts.version)
    return component


def _analysis(finding: Finding) -> dict[str, Any]:
    if finding.waived:
        return {
            "state": "not_affected",
            "justification": "requires_environment",
            "detail": harmless(finding.waived),
        }
    state = "exploitable" if finding.proof else "in_triage"
    return {"state": state, "detail": " ".join(harmless(line) for line in finding.explain)}


def _vulnerability(finding: Finding, refs: set[str], source: str) -> dict[str, Any]:
    purl = finding.blame.package if finding.blame else None
    component = _component(purl) if purl else None
    ref = component["bom-ref"] if component and component["bom-ref"] in refs else _ROOT
    return {
        "bom-ref": finding.fingerprint,
        "id": f"PH-{finding.kind}-{finding.fingerprint[:12]}",
        "source": {"name": source},
        "ratings": [{"severity": finding.severity, "method": "other", "source": {"name": "Package Hunter"}}],
        "description": f"{words.who(finding.blame)}: {harmless(finding.title)}",
        "detail": "\n".join(harmless(e.what) for e in finding.evidence),
        "recommendation": " ".join(harmless(a) for a in finding.advice) or "Look at the evidence.",
        "analysis": _analysis(finding),
        "affects": [{"ref": ref}],
        "properties": [{"name": "package-hunter:attack", "value": t} for t in finding.attack],
    }


def document(report: Report, version: str, source: str) -> dict[str, Any]:
    """The whole in this version of the format; ``source`` is who is said to have found the vulnerabilities."""
    components = {c["bom-ref"]: c for p in report.packages if (c := _component(p.purl))}
    for finding in report.findings:
        if finding.blame and finding.blame.package and (c := _component(finding.blame.package)):
            components.setdefault(c["bom-ref"], c)
    together = shown(f for f in report.findings if f.severity != "info")
    findings = [replace(one.finding, fingerprint=one.mark) for one in together]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, report.id)}",
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(report.finished)[:19] + "Z",
            "tools": {
                "components": [{"type": "application", "name": "package-hunter", "version": __version__}]
            },
            "component": {
                "type": "application",
                "bom-ref": _ROOT,
                "name": harmless(report.target.name) or "project",
            },
        },
        "components": list(components.values()),
        "vulnerabilities": [_vulnerability(f, set(components), source) for f in findings],
    }


@any_text
def render(report: Report) -> str:
    """One CycloneDX document."""
    return json.dumps(clean(document(report, "1.6", "Package Hunter")), indent=2) + "\n"
