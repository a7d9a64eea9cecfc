"""The JSON form of a report, written. See model/report.py for the contract; model/report_read.py reads it."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

from package_hunter.model.finding import Finding
from package_hunter.model.observation import (
    Alert,
    Blame,
    Connection,
    FileChange,
    NetworkLog,
    Process,
    Request,
)
from package_hunter.model.report import SCHEMA_VERSION, Canaries, Report
from package_hunter.model.scan import Coverage, Package, Target
from package_hunter.model.text import well_formed
from package_hunter.model.times import rfc3339

Json = dict[str, Any]
_MAX_DEPTH = 64
_MAX_BITS = 128


def clean(value: Any, depth: int = 0) -> Any:
    """The value as JSON can hold it: text well formed, bytes that are no UTF-8 as ``\\xNN``, numbers that JSON (or
    Python's own reader of it) has no form for as text, what is nested deeper than 64 levels left out."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {well_formed(str(k)): clean(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(v, depth + 1) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"{'-' if value < 0 else ''}2^{value.bit_length() - 1}"
    return value if value is None or isinstance(value, bool | int | float) else well_formed(str(value))


def marker_domains(network: NetworkLog) -> tuple[str, ...]:
    """Domains of our own decoys' markers: an executed decoy download asks for them, not the package."""
    names = {str(m.evidence["marker"]) for m in network.marks if m.evidence.get("marker")}
    return tuple(sorted({".".join(name.split(".")[-2:]) for name in names}))


def is_marker(name: str | None, domains: tuple[str, ...]) -> bool:
    """Whether a host name, or the host of a URL, is such a marker."""
    if not name or not domains:
        return False
    host = name.partition("://")[2] or name
    host = re.split(r"[/?#\\]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def body_json(body: bytes) -> tuple[str, str]:
    """Body and its encoding: ``utf-8`` where it is text, else ``base64``."""
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), "base64"


def blame_json(blame: Blame | None) -> Json | None:
    """``blame`` of the contract, or None where nobody is known."""
    if blame is None:
        return None
    return {
        "phase": blame.phase,
        "package": blame.package,
        "path": list(blame.path),
        "script": blame.script,
        "pid": blame.pid,
        "cmdline": blame.cmdline,
        "basis": blame.basis,
        "confidence": blame.confidence,
    }


def alert_json(alert: Alert, hostname: str) -> Json:
    """Falco's own JSON form of an alert (without ``blame``)."""
    return {
        "hostname": hostname,
        "output": alert.output,
        "output_fields": clean(alert.output_fields),
        "priority": alert.priority,
        "rule": alert.rule,
        "source": alert.source,
        "tags": list(alert.tags),
        "time": rfc3339(alert.time_ns),
    }


def finding_json(f: Finding) -> Json:
    """A finding of the contract; ``count``, ``proof``, ``explain`` and ``advice`` go beyond it."""
    return {
        "fingerprint": f.fingerprint,
        "kind": f.kind,
        "severity": f.severity,
        "title": f.title,
        "count": f.count,
        "proof": f.proof,
        "blame": blame_json(f.blame),
        "evidence": [{"time": rfc3339(e.time_ns), "what": e.what, "data": e.data} for e in f.evidence],
        "attack": list(f.attack),
        "waived": f.waived,
        "explain": list(f.explain),
        "advice": list(f.advice),
    }


def _target_json(t: Target) -> Json:
    return {"name": t.name, "ecosystem": t.ecosystem, "purl": t.purl, "sha256": t.sha256}


def _coverage_json(c: Coverage) -> Json:
    return {
        "events": c.events,
        "dropped": c.dropped,
        "frozen_seconds": c.frozen_seconds,
        "filtered": dict(c.filtered),
        "phases": [
            {
                "name": p.name,
                "world": p.world,
                "status": p.status,
                "exit_code": p.exit_code,
                "seconds": p.seconds,
                "ecosystem": p.ecosystem,
            }
            for p in c.phases
        ],
        "packages": {
            "expected": c.packages_expected,
            "installed": c.packages_installed,
            "scripts_expected": c.scripts_expected,
            "scripts_run": c.scripts_run,
        },
        "reasons": list(c.reasons),
        "notes": list(c.notes),
    }


def _package_json(p: Package) -> Json:
    return {
        "purl": p.purl,
        "name": p.name,
        "version": p.version,
        "path": p.path,
        "integrity": p.integrity,
        "chain": list(p.chain),
        "direct": p.direct,
        "dev": p.dev,
        "optional": p.optional,
        "scripts": dict(p.scripts),
    }


def _request_json(r: Request) -> Json:
    body, encoding = body_json(r.body)
    return {
        "time": rfc3339(r.time_ns),
        "method": r.method,
        "url": r.url,
        "headers": [{"name": name, "value": value} for name, value in r.headers],
        "body": body,
        "body_encoding": encoding,
        "body_bytes": r.body_bytes,
        "status": r.status,
        "registry": r.registry,
        "blame": blame_json(r.blame),
    }


def _connection_json(c: Connection) -> Json:
    head, encoding = body_json(c.head)
    return {
        "time": rfc3339(c.time_ns),
        "name": c.name,
        "address": c.address,
        "port": c.port,
        "protocol": c.protocol,
        "sni": c.sni,
        "kind": c.kind,
        "bytes_out": c.bytes_out,
        "bytes_in": c.bytes_in,
        "head": head,
        "head_encoding": encoding,
        "blame": blame_json(c.blame),
    }


def _network_json(n: NetworkLog) -> Json:
    return {
        "dns": [
            {
                "time": rfc3339(d.time_ns),
                "name": d.name,
                "type": d.type,
                "answer": d.answer,
                "blame": blame_json(d.blame),
            }
            for d in n.dns
        ],
        "connections": [_connection_json(c) for c in n.connections],
        "requests": [_request_json(r) for r in n.requests],
        "marks": [
            {
                "time": rfc3339(m.time_ns),
                "kind": m.kind,
                "detail": m.detail,
                "destination": m.destination,
                "evidence": m.evidence,
                "blame": blame_json(m.blame),
            }
            for m in n.marks
        ],
        "cut": dict(n.cut),
    }


def _canaries_json(c: Canaries) -> Json:
    kinds = {p.id: p for p in c.placed}

    def known(canary: str) -> Json:
        placed = kinds.get(canary)
        return {
            "canary": canary,
            "kind": placed.kind if placed else "unknown",
            "place": placed.place if placed else "unknown",
        }

    return {
        "placed": [{"canary": p.id, "kind": p.kind, "place": p.place} for p in c.placed],
        "read": [
            known(r.canary)
            | {
                "time": rfc3339(r.time_ns),
                "path": r.path,
                "process": r.process,
                "blame": blame_json(r.blame),
            }
            for r in c.read
        ],
        "sent": [
            known(h.canary)
            | {
                "time": rfc3339(h.time_ns),
                "encoding": list(h.encoding),
                "channel": h.channel,
                "destination": h.destination,
                "lawful": h.lawful,
                "blame": blame_json(h.blame),
            }
            for h in c.sent
        ],
        "replaced": list(c.replaced),
    }


def _process_json(p: Process) -> Json:
    return {
        "key": p.key,
        "parent": p.parent,
        "pid": p.pid,
        "vpid": p.vpid,
        "name": p.name,
        "exepath": p.exepath,
        "cmdline": p.cmdline,
        "cwd": p.cwd,
        "uid": p.uid,
        "started": rfc3339(p.started_ns),
        "ended": None if p.ended_ns is None else rfc3339(p.ended_ns),
        "exit_code": p.exit_code,
        "execs": list(p.execs),
    }


def _file_json(f: FileChange) -> Json:
    return {
        "path": f.path,
        "action": f.action,
        "process": f.process,
        "time": rfc3339(f.time_ns),
        "other_path": f.other_path,
    }


def encode(r: Report) -> Json:
    """The JSON form of a report."""
    data = {
        "schema_version": SCHEMA_VERSION,
        "id": r.id,
        "target": _target_json(r.target),
        "targets": [_target_json(target) for target in r.targets or (r.target,)],
        "started": rfc3339(r.started),
        "finished": rfc3339(r.finished),
        "status": str(r.status),
        "error": r.error,
        "verdict": str(r.verdict),
        "decision": str(r.decision),
        "explanation": list(r.explanation),
        "notices": list(r.notices),
        "baseline": clean(r.baseline) if r.baseline is not None else None,
        "coverage": _coverage_json(r.coverage),
        "packages": [_package_json(p) for p in r.packages],
        "alerts": [alert_json(a, r.hostname) | {"blame": blame_json(a.blame)} for a in r.alerts],
        "findings": [finding_json(f) for f in r.findings],
        "network": _network_json(r.network),
        "canaries": _canaries_json(r.canaries),
        "processes": [_process_json(p) for p in r.processes],
        "files": {
            "written": [_file_json(f) for f in r.files if f.action != "deleted"],
            "deleted": [_file_json(f) for f in r.files if f.action == "deleted"],
        },
        "cut": dict(r.cut),
        "hostname": r.hostname,
    }
    if r.known_from is not None:
        data["known_from"] = r.known_from
    return {key: clean(value) for key, value in data.items()}
