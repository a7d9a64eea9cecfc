"""The scans of a commit, as the gate counts them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.governance.gate.origins import Known, says
from package_hunter.inventory.condemn import condemned_in
from package_hunter.inventory.names import Name
from package_hunter.model.depth import DepthName
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.store.gate_tables import ScanOrigin
from package_hunter.store.inventory_tables import Holding
from package_hunter.store.models import Scan
from package_hunter.triage import results
from package_hunter.triage.decide import Result

_ORDER = [str(name) for name in (DepthName.QUICK, DepthName.STANDARD, DepthName.DEEP)]
MAX_SCANS = 200


@dataclass(frozen=True, slots=True)
class Counted:
    """A scan of the commit. ``result``: what policies and states make of it now; None where there is none."""

    scan: Scan
    origin: ScanOrigin
    result: Result | None

    @property
    def counts(self) -> bool:
        """Whether it is known that this commit's tree was scanned."""
        return Known(self.origin.known).counts

    @property
    def is_done(self) -> bool:
        """Whether it counts and has a result."""
        return self.counts and self.scan.status == ScanStatus.FINISHED.value and self.result is not None

    @property
    def runs(self) -> bool:
        """Whether it counts and will have one."""
        return self.counts and self.scan.status in (ScanStatus.PENDING.value, ScanStatus.RUNNING.value)

    @property
    def is_proof(self) -> bool:
        """Whether it proved malice, and nobody silenced that."""
        return self.result is not None and self.result.verdict is Verdict.MALICIOUS

    def reaches(self, depth: str, usual: str) -> bool:
        """Whether it looked as far as is asked for. ``usual``: how far the server looks where nobody said."""
        asked = depth or usual
        return _ORDER.index(self.scan.depth or usual) >= _ORDER.index(asked)

    @property
    def says(self) -> str:
        """How its tree is known."""
        return says(self.origin)


def of_commit(session: Session, project: uuid.UUID, commit: str) -> list[Counted]:
    """All scans that are said to be of the commit, the newest first."""
    query = (
        select(Scan, ScanOrigin)
        .join(ScanOrigin, ScanOrigin.scan_id == Scan.id)
        .where(ScanOrigin.project_id == project, ScanOrigin.commit == commit)
        .order_by(Scan.created.desc(), Scan.id)
        .limit(MAX_SCANS)
    )
    rows = session.execute(query).all()
    found = results.of_scans(session, [scan.id for scan, _ in rows])
    return [Counted(scan, origin, found.get(scan.id)) for scan, origin in rows]


def deciding(scans: Sequence[Counted]) -> list[Counted]:
    """Those whose word counts: of each target (a repository may be scanned in parts) the newest that is done, and each
    that proved something. A later run in which nothing was seen clears nobody, and one part does not clear another."""
    told: set[str] = set()
    found = []
    for scan in (scan for scan in scans if scan.is_done):
        if scan.is_proof or scan.scan.target not in told:
            found.append(scan)
        told.add(scan.scan.target)
    return found


def decision_of(scan: Counted) -> Decision:
    """What its result asks for."""
    assert scan.result is not None, "only a scan that is done decides"
    return scan.result.decision


def condemned(session: Session, scans: Sequence[Counted]) -> list[tuple[str, str, str]]:
    """What these scans held that turned out malicious: purl, what is said, by which record; each once."""
    ids = [scan.scan.id for scan in scans]
    lists = session.scalars(select(Holding.list).where(Holding.scan_id.in_(ids)).distinct()).all()
    found = {
        (Name(component.base, component.version).purl, row.said, row.record)
        for one in lists
        for row, component in condemned_in(session, one)
    }
    return sorted(found)
