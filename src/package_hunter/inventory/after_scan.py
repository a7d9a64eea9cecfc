"""What the inventory takes out of each result, in the transaction that stores it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL, EVERYTHING
from package_hunter.inventory import lists, marks
from package_hunter.inventory.condemn import Sentence, condemn, condemned_in, tell
from package_hunter.inventory.lists import Held, Item
from package_hunter.inventory.names import digests_in, name_in
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json
from package_hunter.model.scan import ScanStatus
from package_hunter.report.indicators import indicators_of
from package_hunter.store import scans
from package_hunter.store.gate_tables import ScanOrigin
from package_hunter.store.inventory_tables import Holding
from package_hunter.store.models import Scan, StoredReport

_EVERYTHING = (
    "Rotate every secret that a machine which installed it could read: registry and git tokens, SSH keys, cloud "
    "credentials, the secrets of CI jobs."
)


def note(session: Session, scan: Scan, report: Report) -> None:
    """A step of `store.results.AFTER_RESULT`. A scan whose recording is judged again has one list. A drill's package is
    nobody's: it is not held, and condemned nowhere."""
    if scan.project_id == DRILL:
        return
    marks.note(session, scan, report)
    digest = lists.keep(session, items(report))
    same = (Holding.scan_id == scan.id, Holding.source == "scan")
    session.execute(delete(Holding).where(*same))
    holding = lists.hold(session, _held(session, scan), digest)
    _condemn_what_it_saw(session, scan, report)
    tell_of(session, holding)


def backfill(session: Session, most: int) -> int:
    """Take up to ``most`` results in that were stored before there was an inventory, oldest first; how many those
    were."""
    query = (
        select(Scan)
        .join(StoredReport, StoredReport.scan_id == Scan.id)
        .outerjoin(Holding, (Holding.scan_id == Scan.id) & (Holding.source == "scan"))
        .where(Scan.status == ScanStatus.FINISHED.value, Holding.id.is_(None), Scan.project_id != DRILL)
        .order_by(Scan.created, Scan.id)
        .limit(most)
    )
    done = 0
    for scan in session.scalars(query).all():
        data = scans.report(session, EVERYTHING, scan.id)
        if data is not None:
            note(session, scan, from_json(data))
            done += 1
    return done


def _held(session: Session, scan: Scan) -> Held:
    commit = session.scalar(select(ScanOrigin.commit).where(ScanOrigin.scan_id == scan.id))
    return Held(scan.project_id, "scan", scan.target, scan.submitter, scan.id, commit)


def tell_of(session: Session, holding: Holding) -> None:
    """Tell its project of what is condemned already in a list that it holds now."""
    for row, _ in condemned_in(session, holding.list):
        tell(session, row, [holding])


def items(report: Report) -> Iterator[Item]:
    """The components of a report."""
    for package in marks.packages_of(report):
        name = name_in(package.purl)
        if name is not None:
            by = package.chain[-2] if len(package.chain) > 2 else None
            digests = digests_in(package.integrity)
            yield Item(name, digests, package.path, package.direct, wanted_by=by)


def _condemn_what_it_saw(session: Session, scan: Scan, report: Report) -> None:
    """Proof against a file, of certain blame: whoever else has that very file is told."""
    if report.known_from is not None:
        return  # that was said by the scan that was run
    for name, digests, findings in marks.blamed_files(report):
        proof = [f for f in findings if f.proof and f.blame is not None and f.blame.confidence == "certain"]
        for digest in sorted(digests) if proof else ():
            seen = tuple(dict.fromkeys(v for k, v in indicators_of(report, _purl(proof)) if k != "url"))
            sentence = Sentence(
                origin="scan",
                record=digest,
                base=name.base,
                said=_kinds(proof),
                versions={"versions": [name.version]},
                digests=frozenset({digest}),
                rotate=rotate(report, _purl(proof)),
                hosts=seen[:100],
                scan=scan.id,
            )
            condemn(session, sentence)


def _kinds(findings: list[Finding]) -> str:
    """What was proved, without the words of the one scan: those may name its project's folders."""
    kinds = dict.fromkeys(finding.kind.replace("_", " ") for finding in findings)
    return f"it was seen in the box: {', '.join(kinds)}."


def _purl(findings: list[Finding]) -> str | None:
    return next((f.blame.package for f in findings if f.blame is not None), None)


def rotate(report: Report, purl: str | None) -> tuple[str, ...]:
    """What to rotate after a package: the kinds that it was seen to send or read, else everything."""
    kinds = {canary.id: canary.kind.replace("-", " ") for canary in report.canaries.placed}
    taken = [(hit.canary, hit.blame) for hit in report.canaries.sent if not hit.lawful]
    taken += [(read.canary, read.blame) for read in report.canaries.read]
    found = sorted({kinds.get(c, c) for c, blame in taken if blame is not None and blame.package == purl})
    return (f"Rotate secrets of these kinds: {', '.join(found)}.",) if found else (_EVERYTHING,)
