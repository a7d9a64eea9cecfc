"""A scan's result becomes findings of its project, in the transaction that stores it (`store.results`)."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import ScanStatus
from package_hunter.policy.decide import today
from package_hunter.policy.facts import Facts
from package_hunter.store import scans
from package_hunter.store.batches import batches
from package_hunter.store.finding_tables import (
    MAX_PURL,
    MAX_TITLE,
    FindingRow,
    OccurrenceRow,
    OwnSayRow,
    ScanResultRow,
    WordsRow,
)
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.models import Scan, StoredReport
from package_hunter.store.scans import clean_text
from package_hunter.triage import held, lines, results
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.chain import Chains
from package_hunter.triage.stored import facts_json
from package_hunter.triage.values import State

log = structlog.get_logger(__name__)

_MAX_MARK = 64  # characters of a fingerprint


def after_result(session: Session, scan: Scan, report: Report) -> None:
    """The step: see `store.results`. A scan that failed found nothing and proves nothing gone."""
    if report.status is ScanStatus.FAILED:
        return
    hold(session, FINDINGS)
    found = {clean_text(f.fingerprint, _MAX_MARK): f for f in report.findings}
    packages = {p.purl: p for p in report.packages}
    facts = {mark: replace(Facts.of(finding, packages), fingerprint=mark) for mark, finding in found.items()}
    _store_occurrences(session, scan, found, facts)
    rows = _store_findings(session, scan, found, facts)
    whole = not (report.coverage.reasons or report.coverage.dropped)
    line = lines.line_of(scan, report)
    touched = lines.note(session, scan, line, found.keys(), whole)
    changed = lines.detect(session, scan.project_id, touched | found.keys())
    findings = {row.id: row for row in [*rows, *changed]}
    held.restate(session, Chains(session).of(scan.project_id), list(findings.values()), today())
    session.flush()
    said = session.get(OwnSayRow, scan.id)
    row = ScanResultRow(
        scan_id=scan.id,
        project_id=scan.project_id,
        line=line.key,
        incomplete=not whole,
        own=None if said is None else said.said,
    )
    results.store(session, row)


def backfill(session: Session, most: int) -> int:
    """Project up to ``most`` results that were stored before there was a projection, oldest first; how many those
    were."""
    query = (
        select(Scan)
        .join(StoredReport, StoredReport.scan_id == Scan.id)
        .outerjoin(ScanResultRow, ScanResultRow.scan_id == Scan.id)
        .where(Scan.status == ScanStatus.FINISHED.value, ScanResultRow.scan_id.is_(None))
        .order_by(Scan.created, Scan.id)
        .limit(most)
    )
    done = 0
    for scan in session.scalars(query).all():
        try:
            data = scans.report(session, EVERYTHING, scan.id)
            report = None if data is None else from_json(data)
        except (ValueError, zlib.error):
            log.exception("stored report cannot be read", scan=str(scan.id))
            report = None
        if report is None:
            _unreadable(session, scan)
        else:
            after_result(session, scan, report)
        done += 1
    return done


def _unreadable(session: Session, scan: Scan) -> None:
    """A scan whose report says nothing: whoever could write the store's file may have put it there. It passes
    nowhere."""
    results.store(
        session,
        ScanResultRow(scan_id=scan.id, project_id=scan.project_id, line="", incomplete=True, own=None),
    )


def finding_id(project: uuid.UUID, fingerprint: str) -> uuid.UUID:
    """The finding's id: the same whenever the projection is made anew."""
    return uuid.uuid5(project, fingerprint)


def _store_occurrences(
    session: Session, scan: Scan, found: Mapping[str, Finding], facts: Mapping[str, Facts]
) -> None:
    session.execute(delete(OccurrenceRow).where(OccurrenceRow.scan_id == scan.id))
    rows = [
        {
            "scan_id": scan.id,
            "fingerprint": mark,
            "project_id": scan.project_id,
            "package": clean_text(facts[mark].package, MAX_PURL),
            "facts": facts_json(facts[mark]),
            "behaviour": Behaviour.of(finding).to_json(),
        }
        for mark, finding in found.items()
    ]
    if rows:
        session.execute(insert(OccurrenceRow), rows)


def _store_findings(
    session: Session, scan: Scan, found: Mapping[str, Finding], facts: Mapping[str, Facts]
) -> list[FindingRow]:
    ids = {finding_id(scan.project_id, mark): mark for mark in found}
    known = {row.id: row for row in _rows(session, list(ids))}
    made = []
    for key, mark in ids.items():
        row = known.get(key)
        if row is None:
            row = _new(scan, key, mark)
            session.add(row)
        elif scan.created < row.first_seen:
            row.first_seen, row.first_scan = scan.created, scan.id
            held.bump(session, scan.project_id.hex)  # its age is another
        row.scans += 1
        if scan.created >= row.last_seen:
            _update(row, scan, found[mark], facts[mark])
        made.append(row)
    session.flush()
    _store_words(session, made)
    return made


def _store_words(session: Session, rows: Sequence[FindingRow]) -> None:
    words = [
        {"finding_id": row.id, "words": " ".join((row.title, row.package, row.kind, row.fingerprint)).lower()}
        for row in rows
    ]
    for some in batches(words):
        session.execute(delete(WordsRow).where(WordsRow.finding_id.in_([one["finding_id"] for one in some])))
        session.execute(insert(WordsRow), some)


def _rows(session: Session, ids: Sequence[uuid.UUID]) -> list[FindingRow]:
    return [
        row
        for some in batches(ids)
        for row in session.scalars(select(FindingRow).where(FindingRow.id.in_(some)))
    ]


def _new(scan: Scan, key: uuid.UUID, mark: str) -> FindingRow:
    return FindingRow(
        id=key,
        project_id=scan.project_id,
        fingerprint=mark,
        first_seen=scan.created,
        first_scan=scan.id,
        last_seen=scan.created,
        scans=0,
        detected=False,
        state=State.NEEDS_TRIAGE.value,
    )


def _update(row: FindingRow, scan: Scan, finding: Finding, facts: Facts) -> None:
    behaviour = Behaviour.of(finding)
    row.kind, row.severity = clean_text(finding.kind, 64), severity_rank(finding.severity)
    row.proof, row.verdict = finding.proof, facts.verdict.value
    row.confidence = clean_text(facts.confidence, 16)
    row.title = clean_text(finding.title, MAX_TITLE)
    row.package = lines.without_version(facts.package) if facts.package else ""
    row.facts, row.behaviour = facts_json(facts), behaviour.to_json()
    row.behaviour_digest = behaviour.digest
    row.last_seen, row.last_scan = scan.created, scan.id
