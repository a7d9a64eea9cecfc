"""What is handed to the inventory beside scans' results: SBOMs, and what the lock files of a scanned tree pin."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.ecosystems.pinned import Pin
from package_hunter.errors import UsageError
from package_hunter.inventory import lists, sbom
from package_hunter.inventory.after_scan import tell_of
from package_hunter.inventory.lists import Held, Item
from package_hunter.inventory.names import digests_in, name_in
from package_hunter.store import history
from package_hunter.store.gate_tables import ScanOrigin
from package_hunter.store.history import Change
from package_hunter.store.inventory_tables import Holding
from package_hunter.store.models import Scan

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a document: its number, how many components it lists, how many of them have no purl."""

    id: uuid.UUID
    components: int
    without_purl: int


def check_commit(text: str) -> str:
    """A commit's whole name, in small letters; UsageError for anything else (a short one may mean another tomorrow)."""
    if not _COMMIT.fullmatch(text.lower()):
        raise UsageError("This is no commit.", "Give its whole name: 40 (or, for SHA-256, 64) hex digits.")
    return text.lower()


@dataclass(frozen=True, slots=True)
class Handed:
    """An SBOM that was read (outside of any transaction: that may take seconds), its SHA-256, and the commit that it is
    said to be of."""

    document: sbom.Sbom
    sha256: str
    commit: str | None


def read_sbom(data: bytes, commit: str | None = None) -> Handed:
    """Read an SBOM; UsageError."""
    at = None if commit is None else check_commit(commit)
    return Handed(sbom.read(data), hashlib.sha256(data).hexdigest(), at)


def take_sbom(session: Session, project: uuid.UUID, handed: Handed, by: Actor) -> Taken:
    """Store what an SBOM lists as held by the project."""
    document, whole, at = handed.document, handed.sha256, handed.commit
    digest = lists.keep(session, document.items)
    held = Held(project, "sbom", document.name, by.name, commit=at, document=whole)
    holding = lists.hold(session, held, digest)
    said = {"components": len(document.items), "sha256": whole, "commit": at}
    history.record(session, by, Change("sbom.add", holding.name, project=project, after=said))
    tell_of(session, holding)
    return Taken(holding.id, len(document.items), document.without_purl)


def take_locks(session: Session, scan_id: uuid.UUID, pins: Iterable[Pin]) -> None:
    """Store what the lock files of a scan's tree pin. What another platform would install is in there, too. A scan that
    is tried again has one list."""
    scan = session.get(Scan, scan_id)
    before = select(Holding.id).where(Holding.scan_id == scan_id, Holding.source == "lock")
    if scan is None or session.scalar(before.limit(1)) is not None:
        return
    commit = session.scalar(select(ScanOrigin.commit).where(ScanOrigin.scan_id == scan_id))
    held = Held(scan.project_id, "lock", scan.target, scan.submitter, scan_id, commit)
    tell_of(session, lists.hold(session, held, lists.keep(session, _items(pins))))


def _items(pins: Iterable[Pin]) -> Iterator[Item]:
    for pin in pins:
        name, digests = name_in(pin.purl), digests_in(pin.integrity)
        if name is not None:
            yield Item(name, digests, exact=len(digests) == 1)
