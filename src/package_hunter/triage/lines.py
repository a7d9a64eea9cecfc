"""Lines of scans: what is scanned again and again. "No longer detected" means: the newest whole scan of none of the
lines that had a finding has it still."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from packageurl import PackageURL
from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.model.report import Report
from package_hunter.store.batches import batches
from package_hunter.store.finding_tables import MAX_PURL, FindingRow, LineRow, PresenceRow
from package_hunter.store.models import Scan
from package_hunter.store.scans import clean_text


@dataclass(frozen=True, slots=True)
class Line:
    """``name`` is for people, ``purl`` the package's without version, where it is one's."""

    name: str
    purl: str | None

    @property
    def key(self) -> str:
        """32 hex digits."""
        return hashlib.sha256(self.name.encode("utf-8", "replace")).hexdigest()[:32]


def line_of(scan: Scan, report: Report) -> Line:
    """Of a package that was asked for by its purl: that package; else of what the project calls itself."""
    if scan.purl is not None:
        bare = without_version(scan.purl)
        return Line(bare, bare)
    name = report.target.name[:MAX_PURL] or "unnamed"
    return Line(clean_text(f"{report.target.ecosystem[:32]}: {name}", MAX_PURL), None)


def without_version(purl: str) -> str:
    """The package, whatever its version; what is no purl stays as it is."""
    try:
        parsed = PackageURL.from_string(purl)
        bare = PackageURL(parsed.type, parsed.namespace, parsed.name).to_string()
    except ValueError:  # a lone surrogate, too
        bare = purl
    return clean_text(bare, MAX_PURL)


def note(session: Session, scan: Scan, line: Line, marks: Collection[str], whole: bool) -> set[str]:
    """Note a scan in its line: ``marks`` are its findings' fingerprints, ``whole``: it saw all. Gives the fingerprints
    whose presence may have changed."""
    row = session.get(LineRow, (scan.project_id, line.key))
    newest = row is None or scan.created >= row.last_created
    newest_whole = row is None or scan.created >= row.whole_created
    if row is None:
        row = LineRow(project_id=scan.project_id, key=line.key, whole_created=0)
        session.add(row)
    if newest:
        row.name, row.purl, row.last_scan, row.last_created = line.name, line.purl, scan.id, scan.created
    if newest_whole and whole:
        row.whole_created = scan.created
    session.flush()
    return _mark(
        session, scan.project_id, line.key, set(marks), gone=newest_whole and whole, newer=newest_whole
    )


def _mark(
    session: Session, project: uuid.UUID, line: str, marks: set[str], *, gone: bool, newer: bool
) -> set[str]:
    query = select(PresenceRow).where(PresenceRow.project_id == project, PresenceRow.line == line)
    known = {row.fingerprint: row for row in session.scalars(query)}
    changed = set()
    for mark in marks - known.keys():
        session.add(PresenceRow(project_id=project, line=line, fingerprint=mark, present=newer))
        changed.add(mark)
    for mark, row in known.items():
        now = True if newer and mark in marks else False if gone and mark not in marks else row.present
        if now != row.present:
            row.present = now
            changed.add(mark)
    session.flush()
    return changed


def detect(session: Session, project: uuid.UUID, marks: Iterable[str]) -> list[FindingRow]:
    """Set ``detected`` of these findings; gives those that changed."""
    wanted, changed = sorted(marks), []
    for some in batches(wanted):
        of_project = PresenceRow.project_id == project, PresenceRow.fingerprint.in_(some)
        present = set(
            session.scalars(select(PresenceRow.fingerprint).where(*of_project, PresenceRow.present))
        )
        query = select(FindingRow).where(FindingRow.project_id == project, FindingRow.fingerprint.in_(some))
        for finding in session.scalars(query):
            if finding.detected != (finding.fingerprint in present):
                finding.detected = finding.fingerprint in present
                changed.append(finding)
    return changed
