"""Falco's JSON lines, one an alert, so that falcosidekick and what is built for Falco take them.

Findings that no rule raised (a stolen canary, a decoy's mark) appear as alerts too, with the rule name
``Package Hunter: KIND``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from package_hunter.model.finding import Finding
from package_hunter.model.observation import Alert
from package_hunter.model.report import Report
from package_hunter.report.harmless import any_text

_PRIORITIES = {
    "critical": "Critical",
    "high": "Error",
    "medium": "Warning",
    "low": "Notice",
    "info": "Informational",
}


def alerts(report: Report) -> Iterator[Alert]:
    """All alerts in the order of time, with those made of findings that no rule raised."""
    made = [_as_alert(f) for f in report.findings if not any("rule" in e.data for e in f.evidence)]
    yield from sorted([*report.alerts, *made], key=lambda a: a.time_ns)


def _as_alert(finding: Finding) -> Alert:
    first = finding.evidence[0] if finding.evidence else None
    time_ns = first.time_ns if first else 0
    priority = _PRIORITIES[finding.severity]
    blame = finding.blame
    fields = {
        "evt.time": time_ns,
        "proc.cmdline": blame.cmdline if blame else None,
        "proc.pid": blame.pid if blame else None,
        "hunter.package": blame.package if blame else None,
        "hunter.finding": finding.fingerprint,
    }
    what = f"{finding.title} | {first.what}" if first else finding.title
    clock = f"{time_ns // 10**9 // 3600 % 24:02}:{time_ns // 10**9 // 60 % 60:02}:{time_ns // 10**9 % 60:02}"
    return Alert(
        time_ns=time_ns,
        rule=f"Package Hunter: {finding.kind}",
        priority=priority,
        output=f"{clock}.{time_ns % 10**9:09}: {priority} {what}",
        output_fields=fields,
        tags=(f"kind:{finding.kind}", *(("proof",) if finding.proof else ()), *finding.attack),
        source="syscall",
        event_num=0,
        event_type="",
        pid=blame.pid if blame else 0,
        tid=blame.pid if blame else 0,
        blame=blame,
    )


@any_text
def render(report: Report) -> str:
    """One line of JSON an alert."""
    from package_hunter.model.report_form import falco_json  # only where it is asked for: it costs some 50 ms

    return "".join(json.dumps(falco_json(a, report.hostname)) + "\n" for a in alerts(report))
