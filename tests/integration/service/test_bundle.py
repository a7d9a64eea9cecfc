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
from package_hunter.governance import policies
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.policy.decide import today
from package_hunter.store import results, scans
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from package_hunter.store.models import StoredReport
from package_hunter.triage import states
from package_hunter.triage.values import Grant, NewState, Reason, State
from tests.support import bundle_samples as samples
from tests.support.bundle_samples import KEY, content, written
from tests.support.duty_store import ANA, BEN

OURS = Trust(keys=(KEY.public_key(),))


@pytest.fixture
def kept(settings: Settings) -> Settings:
    """A server that keeps recordings."""
    made = settings.model_copy(update={"recordings_bytes": 1 << 20})
    (made.data_dir / "recordings").mkdir(mode=0o700)
    return made


def scanned(store: Store, config: Settings, record: bool = True) -> tuple[uuid.UUID, Report]:
    """A scan with its recording, stored as a queue does."""
    assert results.AFTER_RESULT == duties.AFTER_RESULT
    with store.write() as session:
        scan = scans.add(session, scans.NewScan("demo", "ana", project=LEGACY, sha256="0" * 64, size=1))
        path = config.data_dir / ("recordings" if record else "") / f"{scan.id}.scap"
        report = samples.report(
            samples.recording(path, samples.surroundings(), scan=str(scan.id)), id=str(scan.id)
        )
        scan.status, scan.finished = ScanStatus.FINISHED.value, scan.created + 1_000
        scan.verdict, scan.decision = report.verdict.value, report.decision.value
        session.add(StoredReport(scan_id=scan.id, body=scans.pack_report(to_json(report))))
        results.stored(session, scan, report)
        return scan.id, report


def bundled(store: Store, config: Settings, scan: uuid.UUID, target: Path) -> Path:
    with store.read() as session:
        source = of_scan(session, EVERYTHING, scan, config)
    assert source is not None
    return written(source, target)


def test_a_scan_of_the_store(store: Store, kept: Settings, tmp_path: Path) -> None:
    scan, _ = scanned(store, kept)
    found = verify(bundled(store, kept, scan, tmp_path / "b.zip"), OURS)
    assert (found.exit_code, found.differences) == (0, ())
    assert (found.again_verdict, found.again_decision) == (Verdict.MALICIOUS, Decision.BLOCK)
    assert found.statement.predicate.scan["id"] == str(scan)


def test_what_people_decided_is_in_it(store: Store, kept: Settings, tmp_path: Path) -> None:
    scan, report = scanned(store, kept)
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


def test_policies_of_all_scopes_are_in_it(store: Store, kept: Settings, tmp_path: Path) -> None:
    scan, _ = scanned(store, kept)
    rule = {"kind": "exfiltration", "decision": "pass", "name": "a drill"}
    look = {"kind": "rule_match", "decision": "block", "enforce_from": "2026-01-01"}
    with store.write() as session:
        policies.put(session, BEN, Place(), {"rule": [rule, look]})
    path = bundled(store, kept, scan, tmp_path / "b.zip")
    found = verify(path, OURS)
    assert (found.exit_code, found.again_decision) == (0, Decision.BLOCK)
    [scope] = json.loads(content(path, "policy.json"))["scopes"]
    assert (scope["scope"], scope["document"]["rule"]) == ("all", [rule, look])


def test_a_server_that_keeps_none_says_so(store: Store, settings: Settings) -> None:
    scan, _ = scanned(store, settings, record=False)
    with store.read() as session, pytest.raises(NoBundleError, match="keeps no recordings"):
        of_scan(session, EVERYTHING, scan, settings)


def test_a_recording_that_was_swept_away(store: Store, kept: Settings) -> None:
    scan, _ = scanned(store, kept)
    (kept.data_dir / "recordings" / f"{scan}.scap").unlink()
    with store.read() as session, pytest.raises(NoBundleError, match="is not kept"):
        of_scan(session, EVERYTHING, scan, kept)


def test_a_scan_that_waits_has_no_verdict(store: Store, kept: Settings) -> None:
    with store.write() as session:
        scan = scans.add(session, scans.NewScan("demo", "ana", project=LEGACY, sha256="0" * 64, size=1)).id
    with store.read() as session, pytest.raises(NoBundleError, match="no verdict yet"):
        of_scan(session, EVERYTHING, scan, kept)


def test_who_does_not_see_the_scan_gets_nothing(store: Store, kept: Settings) -> None:
    scan, _ = scanned(store, kept)
    with store.read() as session:
        assert of_scan(session, View(frozenset()), scan, kept) is None
