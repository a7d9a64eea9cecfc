"""How scans end, and how they wait again: what their rows say. Each is one step of the caller's transaction."""

from __future__ import annotations

import uuid

from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.store import scans
from package_hunter.store.database import now_ms
from package_hunter.store.models import MAX_TARGET, JobRow, Scan

OURS = 70  # the exit code of our own failures (errors.py)
_UNAVAILABLE = 69
_INTERRUPTED = 130


def finished(scan: Scan, report: Report) -> None:
    """The report is there, whatever it says."""
    failed = report.status is ScanStatus.FAILED
    _ended(scan, ScanStatus.FAILED if failed else ScanStatus.FINISHED, _reason(report))
    scan.verdict, scan.decision = report.verdict.value, report.decision.value
    scan.known_from = None if report.known_from is None else uuid.UUID(report.known_from)
    scan.target = scans.clean_text(report.target.name, MAX_TARGET) or scan.target


def failed(scan: Scan, reason: str, exit_code: int = OURS) -> None:
    """There is no report. Where the fault is ours, it is a dead letter."""
    _ended(scan, ScanStatus.FAILED, reason)
    scan.exit_code = exit_code
    scan.dead = now_ms() if exit_code == OURS else None


def late(scan: Scan, reason: str) -> None:
    """Nobody began it in time: neither the target's fault nor worth another try."""
    failed(scan, reason, _UNAVAILABLE)


def cancelled(scan: Scan, reason: str) -> None:
    """Somebody wanted it so."""
    _ended(scan, ScanStatus.CANCELLED, reason)
    scan.exit_code = _INTERRUPTED


def waits_again(row: JobRow, scan: Scan) -> None:
    """Nobody holds it any more."""
    row.worker = row.lease = row.lease_until = None
    scan.status, scan.started = ScanStatus.PENDING.value, None


def as_new(scan: Scan) -> None:
    """A dead letter is forgotten, and to be run."""
    scan.status = ScanStatus.PENDING.value
    scan.reason = scan.exit_code = scan.started = scan.finished = scan.dead = None


def _ended(scan: Scan, status: ScanStatus, reason: str | None) -> None:
    scan.status, scan.finished = status.value, now_ms()
    scan.reason = None if reason is None else scans.clean_text(reason, scans.MAX_REASON)


def _reason(report: Report) -> str | None:
    """Why the scan failed or stayed inconclusive, in the report's own words."""
    if report.status is not ScanStatus.FAILED and report.verdict is not Verdict.INCONCLUSIVE:
        return None
    said = [report.error, *report.coverage.reasons]
    return " ".join(s for s in said if s) or "The scan could not see all that it should have seen."
