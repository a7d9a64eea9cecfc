"""A report in the form of the original Package Hunter: Falco's gRPC messages, all values as strings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.model.times import from_rfc3339, rfc3339

_NS = 1_000_000_000
_ABSENT = "<NA>"  # Falco's word for a field without a value
_PRIORITY = {
    "critical": "CRITICAL",
    "high": "ERROR",
    "medium": "WARNING",
    "low": "NOTICE",
    "info": "INFORMATIONAL",
}


def answer(scan_id: str, status: str, reason: str | None, report: Mapping[str, Any] | None) -> dict[str, Any]:
    """What ``GET /?id=`` says: ``pending``, ``finished`` with the alerts, or ``failed`` with the reason.

    ``known_from`` (an extra key) is the earlier scan whose result this is, where nothing was run.
    An inconclusive scan is a failed one here: its short list of alerts must not read as an all-clear.
    """
    if status in (ScanStatus.PENDING.value, ScanStatus.RUNNING.value):
        return {"id": scan_id, "status": "pending", "result": []}
    result = [] if report is None else results(scan_id, report)
    if (
        status == ScanStatus.FAILED.value
        or report is None
        or report.get("verdict") == Verdict.INCONCLUSIVE.value
    ):
        why = reason or "The scan failed."
        return {"id": scan_id, "status": "failed", "reason": why, "result": result}
    known = {} if report.get("known_from") is None else {"known_from": report["known_from"]}
    return {"id": scan_id, "status": "finished", "result": result, **known}


def results(scan_id: str, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The alerts, then the findings that no rule raised, as alerts."""
    alerts = report.get("alerts", [])
    rules = {a["rule"] for a in alerts}
    base = _base_fields(scan_id, alerts)
    found = [_from_alert(base, a) for a in alerts]
    ours = (f for f in report.get("findings", []) if not _rules_of(f) & rules)
    found += [_from_finding(base, report, f) for f in ours]
    return sorted(found, key=lambda e: (int(e["time"]["seconds"]), e["time"]["nanos"]))


def _base_fields(scan_id: str, alerts: list[Mapping[str, Any]]) -> dict[str, str]:
    """What every element's output_fields hold, taken from the first alert that has it."""
    base = {"container.id": _ABSENT, "container.image.repository": _ABSENT}
    for name in base:
        values = (a.get("output_fields", {}).get(name) for a in alerts)
        base[name] = next((str(v) for v in values if v), _ABSENT)
    base["container.name"] = f"some-container-{scan_id}.tgz"
    return base


def _from_alert(base: Mapping[str, str], alert: Mapping[str, Any]) -> dict[str, Any]:
    ns = from_rfc3339(alert["time"])
    fields = {**base, **{k: _text(v) for k, v in alert.get("output_fields", {}).items()}}
    fields["container.name"] = base["container.name"]
    fields["evt.time"] = clock(ns)
    blame = alert.get("blame")
    if blame:
        fields.setdefault("proc.cmdline", str(blame.get("cmdline", "")))
    return {
        "output": str(alert["output"]),
        "time": {"seconds": str(ns // _NS), "nanos": ns % _NS},
        "source": str(alert.get("source", "syscall")).upper(),
        "hostname": str(alert.get("hostname", "")),
        "priority": str(alert["priority"]).upper(),
        "rule": str(alert["rule"]),
        "output_fields": fields,
    }


def _from_finding(
    base: Mapping[str, str], report: Mapping[str, Any], finding: Mapping[str, Any]
) -> dict[str, Any]:
    evidence = finding.get("evidence") or [{}]
    time = evidence[0].get("time") or report.get("finished") or report["started"]
    ns = from_rfc3339(time)
    priority = _PRIORITY.get(str(finding.get("severity")), "WARNING")
    blame = finding.get("blame") or {}
    fields = {
        **base,
        "evt.time": clock(ns),
        "proc.cmdline": _text(blame.get("cmdline")),
        "finding.kind": _text(finding.get("kind")),
        "finding.package": _text(blame.get("package")),
        "finding.evidence": "; ".join(str(e.get("what", "")) for e in evidence)[:4096],
    }
    return {
        "output": f"{clock(ns)}: {priority.capitalize()} {finding['title']}",
        "time": {"seconds": str(ns // _NS), "nanos": ns % _NS},
        "source": "SYSCALL",
        "hostname": str(report.get("hostname", "")) or _hostname(report),
        "priority": priority,
        "rule": f"Package Hunter: {finding.get('kind')}",
        "output_fields": fields,
    }


def _hostname(report: Mapping[str, Any]) -> str:
    return next((str(a["hostname"]) for a in report.get("alerts", []) if a.get("hostname")), "")


def _rules_of(finding: Mapping[str, Any]) -> set[str]:
    """The rules whose alerts are this finding's evidence."""
    datas = (e.get("data") or {} for e in finding.get("evidence", ()))
    return {str(d["rule"]) for d in datas if isinstance(d, Mapping) and d.get("rule")}


def _text(value: Any) -> str:
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def clock(ns: int) -> str:
    """``16:35:16.457772674``, in UTC, as Falco prints evt.time."""
    return rfc3339(ns)[11:-1]
