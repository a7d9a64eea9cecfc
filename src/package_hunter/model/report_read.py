"""Reads the JSON form of a report back; the other half of model/report_json.py."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from package_hunter.model.finding import Evidence, Finding
from package_hunter.model.observation import (
    Alert,
    Blame,
    Canary,
    CanaryHit,
    CanaryRead,
    Connection,
    DecoyMark,
    DnsRecord,
    FileChange,
    NetworkLog,
    Process,
    Request,
)
from package_hunter.model.report import SCHEMA_VERSION, Canaries, Report
from package_hunter.model.scan import (
    Coverage,
    Decision,
    Package,
    PhaseCoverage,
    ScanStatus,
    Target,
    Verdict,
)
from package_hunter.model.times import from_rfc3339


def _body(data: Mapping[str, Any], key: str) -> bytes:
    text = str(data.get(key, ""))
    if data.get(f"{key}_encoding", "utf-8") == "utf-8":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"a {key} is not base64: {error}") from error


def _blame(data: Mapping[str, Any] | None) -> Blame | None:
    if data is None:
        return None
    return Blame(
        phase=data["phase"],
        package=data["package"],
        path=tuple(data["path"]),
        script=data["script"],
        pid=data["pid"],
        cmdline=data["cmdline"],
        basis=data["basis"],
        confidence=data["confidence"],
    )


def _alert(data: Mapping[str, Any]) -> Alert:
    fields = data["output_fields"]
    return Alert(
        time_ns=from_rfc3339(data["time"]),
        rule=data["rule"],
        priority=data["priority"],
        output=data["output"],
        output_fields=fields,
        tags=tuple(data["tags"]),
        source=data["source"],
        event_num=int(fields.get("evt.num") or 0),
        event_type=str(fields.get("evt.type") or ""),
        pid=int(fields.get("proc.pid") or 0),
        tid=int(fields.get("thread.tid") or 0),
        blame=_blame(data.get("blame")),
    )


def _finding(data: Mapping[str, Any]) -> Finding:
    return Finding(
        fingerprint=data["fingerprint"],
        kind=data["kind"],
        severity=data["severity"],
        title=data["title"],
        blame=_blame(data["blame"]),
        evidence=tuple(Evidence(from_rfc3339(e["time"]), e["what"], e["data"]) for e in data["evidence"]),
        attack=tuple(data["attack"]),
        count=data.get("count", 1),
        proof=data.get("proof", False),
        waived=data["waived"],
        explain=tuple(data.get("explain", ())),
        advice=tuple(data.get("advice", ())),
    )


def _target(data: Mapping[str, Any]) -> Target:
    return Target(data["name"], data["ecosystem"], data["purl"], data["sha256"])


def _coverage(data: Mapping[str, Any]) -> Coverage:
    packages = data["packages"]
    return Coverage(
        events=data["events"],
        dropped=data["dropped"],
        frozen_seconds=data["frozen_seconds"],
        filtered=dict(data.get("filtered", {})),
        phases=tuple(
            PhaseCoverage(
                p["name"], p["world"], p["status"], p["exit_code"], p["seconds"], p.get("ecosystem", "")
            )
            for p in data["phases"]
        ),
        packages_expected=packages["expected"],
        packages_installed=packages["installed"],
        scripts_expected=packages["scripts_expected"],
        scripts_run=packages["scripts_run"],
        reasons=tuple(data["reasons"]),
        notes=tuple(data.get("notes", ())),
    )


def _package(data: Mapping[str, Any]) -> Package:
    return Package(
        purl=data["purl"],
        name=data["name"],
        version=data["version"],
        path=data["path"],
        integrity=data["integrity"],
        chain=tuple(data["chain"]),
        direct=data["direct"],
        dev=data["dev"],
        optional=data["optional"],
        scripts=data["scripts"],
    )


def _connection(data: Mapping[str, Any]) -> Connection:
    return Connection(
        time_ns=from_rfc3339(data["time"]),
        protocol=data["protocol"],
        address=data["address"],
        port=data["port"],
        peer_port=0,
        name=data["name"],
        sni=data["sni"],
        bytes_out=data["bytes_out"],
        bytes_in=data["bytes_in"],
        kind=data["kind"],
        blame=_blame(data["blame"]),
        head=_body(data, "head"),
    )


def _request(data: Mapping[str, Any]) -> Request:
    return Request(
        time_ns=from_rfc3339(data["time"]),
        method=data["method"],
        url=data["url"],
        headers=tuple((h["name"], h["value"]) for h in data["headers"]),
        body=_body(data, "body"),
        body_bytes=data["body_bytes"],
        status=data["status"],
        peer_port=0,
        registry=data["registry"],
        blame=_blame(data["blame"]),
    )


def _network(data: Mapping[str, Any], sent: Sequence[CanaryHit]) -> NetworkLog:
    return NetworkLog(
        dns=tuple(
            DnsRecord(from_rfc3339(d["time"]), d["name"], d["type"], d["answer"], 0, _blame(d["blame"]))
            for d in data["dns"]
        ),
        connections=tuple(_connection(c) for c in data["connections"]),
        requests=tuple(_request(r) for r in data["requests"]),
        hits=tuple(sent),
        marks=tuple(
            DecoyMark(
                from_rfc3339(m["time"]),
                m["kind"],
                m["detail"],
                m["destination"],
                0,
                _blame(m["blame"]),
                m["evidence"],
            )
            for m in data["marks"]
        ),
        cut=data["cut"],
    )


def _canaries(data: Mapping[str, Any]) -> Canaries:
    return Canaries(
        placed=tuple(Canary(p["canary"], p["kind"], p["place"], "") for p in data["placed"]),
        read=tuple(
            CanaryRead(from_rfc3339(r["time"]), r["canary"], r["path"], r["process"], _blame(r["blame"]))
            for r in data["read"]
        ),
        sent=tuple(
            CanaryHit(
                time_ns=from_rfc3339(h["time"]),
                canary=h["canary"],
                encoding=tuple(h["encoding"]),
                channel=h["channel"],
                destination=h["destination"],
                peer_port=0,
                lawful=h["lawful"],
                blame=_blame(h["blame"]),
            )
            for h in data["sent"]
        ),
        replaced=tuple(data["replaced"]),
    )


def _process(data: Mapping[str, Any]) -> Process:
    return Process(
        key=data["key"],
        parent=data["parent"],
        pid=data["pid"],
        vpid=data["vpid"],
        name=data["name"],
        exepath=data["exepath"],
        cmdline=data["cmdline"],
        cwd=data["cwd"],
        uid=data["uid"],
        started_ns=from_rfc3339(data["started"]),
        ended_ns=None if data["ended"] is None else from_rfc3339(data["ended"]),
        exit_code=data["exit_code"],
        execs=tuple(data["execs"]),
    )


def _file(data: Mapping[str, Any]) -> FileChange:
    return FileChange(
        path=data["path"],
        action=data["action"],
        process=data["process"],
        time_ns=from_rfc3339(data["time"]),
        other_path=data["other_path"],
    )


def decode(data: Mapping[str, Any]) -> Report:
    """The report that a JSON form holds; ValueError with a sentence where it is not one."""
    if not isinstance(data, Mapping) or data.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"not a report of schema version {SCHEMA_VERSION}")
    try:
        return _decode(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a whole report: {type(error).__name__} {error}") from error


def _baseline(data: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What is new against an earlier report, as it stands in the JSON form; its parts' types are checked."""
    if data is None:
        return None
    texts = [data["id"], data["finished"]]
    for key in ("new_findings", "new_hosts", "new_programs", "new_files"):
        texts += data[key]
    for package in data["changed_packages"]:
        texts += [package["package"], package["old"] or "", package["new"] or ""]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("baseline")
    return data


def _decode(data: Mapping[str, Any]) -> Report:
    canaries = _canaries(data["canaries"])
    files = data["files"]
    return Report(
        id=data["id"],
        target=_target(data["target"]),
        targets=tuple(_target(target) for target in data.get("targets", (data["target"],))),
        started=from_rfc3339(data["started"]),
        finished=from_rfc3339(data["finished"]),
        status=ScanStatus(data["status"]),
        verdict=Verdict(data["verdict"]),
        decision=Decision(data["decision"]),
        coverage=_coverage(data["coverage"]),
        packages=tuple(_package(p) for p in data["packages"]),
        alerts=tuple(_alert(a) for a in data["alerts"]),
        findings=tuple(_finding(f) for f in data["findings"]),
        network=_network(data["network"], canaries.sent),
        canaries=canaries,
        processes=tuple(_process(p) for p in data["processes"]),
        files=tuple(_file(f) for f in (*files["written"], *files["deleted"])),
        explanation=tuple(data.get("explanation", ())),
        notices=tuple(data.get("notices", ())),
        baseline=_baseline(data.get("baseline")),
        cut=data.get("cut", {}),
        hostname=data.get("hostname", ""),
        error=data.get("error"),
        known_from=data.get("known_from"),
    )
