"""What a report can be found by later: fingerprints and hosts; and what it saw single files do."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import delete
from sqlalchemy.orm import Session

from package_hunter.inventory.names import Name, digests_in, name_in
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.scan import Package
from package_hunter.report import traffic
from package_hunter.store.base import MAX_TARGET
from package_hunter.store.inventory_tables import FileVerdict, ScanMark
from package_hunter.store.models import Scan
from package_hunter.store.scans import clean_text

_MAX_MARKS = 5_000
_MAX_VALUE = 255
_MAX_WHAT = 2_000


def note(session: Session, scan: Scan, report: Report) -> None:
    """Store the marks of a report, and the verdicts of the files that it blames, in place of what an earlier result of
    the same scan (one that is judged again) left."""
    for table in (ScanMark, FileVerdict):
        session.execute(delete(table).where(table.scan_id == scan.id))
    found: dict[tuple[str, str], str | None] = {}
    for kind, value, purl in _marks(report):
        if len(found) < _MAX_MARKS:
            found.setdefault((kind, clean_text(value, _MAX_VALUE)), purl)
    for (kind, value), purl in found.items():
        blamed = None if purl is None else clean_text(purl, MAX_TARGET)
        session.add(ScanMark(scan_id=scan.id, kind=kind, value=value, purl=blamed))
    told: dict[str, FileVerdict] = {}
    for name, digests, findings in blamed_files(report):
        for digest in digests:
            row = told.setdefault(digest, _verdict(scan, digest, name, findings))
            if any(f.proof for f in findings):
                row.verdict = "malicious"
    session.add_all(told.values())
    session.flush()


def _verdict(scan: Scan, digest: str, name: Name, findings: list[Finding]) -> FileVerdict:
    proof = any(f.proof for f in findings)
    return FileVerdict(
        scan_id=scan.id,
        digest=digest,
        base=name.base,
        version=name.version,
        verdict="malicious" if proof else "suspicious",
        what=said(findings),
    )


def said(findings: list[Finding]) -> str:
    """What findings say, proof first, as one text."""
    titles = dict.fromkeys(f.title for f in sorted(findings, key=lambda f: not f.proof))
    return clean_text("; ".join(titles), _MAX_WHAT)


def blamed_files(report: Report) -> Iterator[tuple[Name, frozenset[str], list[Finding]]]:
    """Packages of known digest, and the findings that count against them: those that nobody waived, that are more than
    information, and whose blame is more than "somebody of this tree"."""
    by_purl: dict[str, list[Finding]] = {}
    for finding in report.findings:
        blame = finding.blame
        counts = finding.waived is None and finding.severity != "info"
        if counts and blame and blame.package and blame.confidence != "tree":
            by_purl.setdefault(blame.package, []).append(finding)
    for package in report.packages:
        name, digests = name_in(package.purl), digests_in(package.integrity)
        if package.purl in by_purl and name is not None and digests:
            yield name, digests, by_purl[package.purl]


def packages_of(report: Report) -> tuple[Package, ...]:
    """Those of the report; of one package that was scanned by itself and lists none, that one."""
    if report.packages or report.target.purl is None:
        return report.packages
    return (Package(purl=report.target.purl, name="", version="", direct=True),)


def _marks(report: Report) -> Iterator[tuple[str, str, str | None]]:
    for finding in report.findings:
        yield "fingerprint", finding.fingerprint, finding.blame.package if finding.blame else None
    for connection in traffic.contacts(report):
        purl = connection.blame.package if connection.blame else None
        hosts = [connection.name, connection.sni]
        if traffic.real_address(connection.address):
            hosts.append(connection.address)
        yield from (("host", as_host(host), purl) for host in hosts if host)
    for record in report.network.dns:
        if record.blame is not None and record.blame.package is not None:
            yield "host", as_host(record.name), record.blame.package


def as_host(text: str) -> str:
    """A host's name or address in the form in which it is compared."""
    return text.strip().lower().rstrip(".")
