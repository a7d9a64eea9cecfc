"""Bundles of a server's scans, on both databases: judged by its policies and by what people decided."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path

import pytest

from package_hunter import duties
from package_hunter.access.view import EVERYTHING, LEGACY, View
from package_hunter.bundle import Trust, of_scan, verify
from package_hunter.bundle.errors import NoBundleError
from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.governance import policies
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.policy.decide import today
from package_hunter.queue import recordings
from package_hunter.storage.base import Kind
from package_hunter.store import artefacts, reports, results, scans
from package_hunter.store.artefacts import Claims, Named
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.triage import states
from package_hunter.triage.values import Grant, NewState, Reason, State
from tests.support import bundle_samples as samples
from tests.support.bundle_samples import KEY, content, written
from tests.support.duty_store import ANA, BEN

OURS = Trust(keys=(KEY.public_key(),))


@pytest.fixture
def kept(settings: Settings) -> Settings:
    """A server that keeps recordings."""
    return settings.model_copy(update={"recordings_bytes": 1 << 20})


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A scan's private folder, where its boxes' recordings are made."""
    made = tmp_path / "scan"
    made.mkdir()
    return made


def scanned(store: Store, record: Path, keep: bool = True) -> tuple[uuid.UUID, Report]:
    """A scan with its recording, stored as a queue does."""
    assert results.AFTER_RESULT == duties.AFTER_RESULT
    with store.write() as session:
        scan_id = scans.add(session, scans.NewScan("demo", "ana", project=LEGACY, sha256="0" * 64, size=1)).id
    path = record / f"{scan_id}.scap"
    report = samples.report(
        samples.recording(path, samples.surroundings(), scan=str(scan_id)), id=str(scan_id)
    )
    packed = reports.prepare(store, scan_id, to_json(report))
    files = recordings.keep(Claims(store, scan_id), record) if keep else ()
    named = [Named(Kind(file.kind), file.sha256, file.size, file.name) for file in files]
    with store.write() as session:
        scan = session.get_one(Scan, scan_id)
        scan.status, scan.finished = ScanStatus.FINISHED.value, scan.created + 1_000
        scan.verdict, scan.decision = report.verdict.value, report.decision.value
        reports.attach(session, scan_id, packed, named)
        results.stored(session, scan, report)
    return scan_id, report


def bundled(store: Store, config: Settings, scan: uuid.UUID, target: Path) -> Path:
    with of_scan(store, EVERYTHING, scan, config) as source:
        assert source is not None
        return written(source, target)


def test_a_scan_of_the_store(store: Store, kept: Settings, record: Path, tmp_path: Path) -> None:
    scan, _ = scanned(store, record)
    found = verify(bundled(store, kept, scan, tmp_path / "b.zip"), OURS)
    assert (found.exit_code, found.differences) == (0, ())
    assert (found.again_verdict, found.again_decision) == (Verdict.MALICIOUS, Decision.BLOCK)
    assert found.statement.predicate.scan["id"] == str(scan)


def test_what_people_decided_is_in_it(store: Store, kept: Settings, record: Path, tmp_path: Path) -> None:
    scan, report = scanned(store, record)
    week = today() + dt.timedelta(days=7)
    accepted = NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, "a drill", until=week)
    with store.write() as session:
        for finding in report.findings:
            grant = Grant("7") if finding.proof else None
            states.set_state(session, ANA, Place(), finding.fingerprint, accepted, grant)
    path = bundled(store, kept, scan, tmp_path / "b.zip")
    found = verify(path, OURS)
    assert found.exit_code == 0
    assert (found.again_verdict, found.again_decision) == (Verdict.NO_FINDINGS, Decision.PASS)
    said = json.loads(content(path, "policy.json"))
    assert sorted(said["held"]) == sorted(f.fingerprint for f in report.findings)


def test_policies_of_all_scopes_are_in_it(store: Store, kept: Settings, record: Path, tmp_path: Path) -> None:
    scan, _ = scanned(store, record)
    rule = {"kind": "exfiltration", "decision": "pass", "name": "a drill"}
    look = {"kind": "rule_match", "decision": "block", "enforce_from": "2026-01-01"}
    with store.write() as session:
        policies.put(session, BEN, Place(), {"rule": [rule, look]})
    path = bundled(store, kept, scan, tmp_path / "b.zip")
    found = verify(path, OURS)
    assert (found.exit_code, found.again_decision) == (0, Decision.BLOCK)
    [scope] = json.loads(content(path, "policy.json"))["scopes"]
    assert (scope["scope"], scope["document"]["rule"]) == ("all", [rule, look])


def none_of(store: Store, config: Settings, scan: uuid.UUID, why: str) -> None:
    with pytest.raises(NoBundleError, match=why), of_scan(store, EVERYTHING, scan, config):
        pass


def test_a_server_that_keeps_none_says_so(store: Store, settings: Settings, record: Path) -> None:
    scan, _ = scanned(store, record, keep=False)
    none_of(store, settings, scan, "keeps no recordings")


def test_a_recording_that_was_not_kept(store: Store, kept: Settings, record: Path) -> None:
    scan, _ = scanned(store, record, keep=False)
    none_of(store, kept, scan, "is not kept")


def test_a_recording_that_is_lost_among_the_artefacts(store: Store, kept: Settings, record: Path) -> None:
    scan, _ = scanned(store, record)
    with store.read() as session:
        [row] = artefacts.of_scan(session, scan, Kind.RECORDING)
    store.artefacts.delete(Kind.RECORDING, row.digest)
    with pytest.raises(HostError), of_scan(store, EVERYTHING, scan, kept):
        pass


def test_a_scan_that_waits_has_no_verdict(store: Store, kept: Settings) -> None:
    with store.write() as session:
        scan = scans.add(session, scans.NewScan("demo", "ana", project=LEGACY, sha256="0" * 64, size=1)).id
    none_of(store, kept, scan, "no verdict yet")


def test_who_does_not_see_the_scan_gets_nothing(store: Store, kept: Settings, record: Path) -> None:
    scan, _ = scanned(store, record)
    with of_scan(store, View(frozenset()), scan, kept) as source:
        assert source is None
