"""What people do with scans that are accepted already, each told in the history, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.model.depth import DepthName
from package_hunter.model.priority import Priority
from package_hunter.package_url import scannable
from package_hunter.queue import capabilities
from package_hunter.queue.base import Queue, Terms
from package_hunter.storage import handed_out
from package_hunter.storage.base import Kind
from package_hunter.store import history, scans
from package_hunter.store.artefacts import Named, refer
from package_hunter.store.history import Change
from package_hunter.store.models import Scan
from package_hunter.store.scans import NewScan


class StandsOtherwiseError(UsageError):
    """It cannot be done as things stand. ``not_kept``: since something is not kept (any more)."""

    def __init__(self, message: str, advice: str, not_kept: bool = False) -> None:
        super().__init__(message, advice)
        self.not_kept = not_kept


@dataclass(frozen=True, slots=True)
class Again:
    """How the same is to be scanned once more; ``depth`` None: as it was."""

    depth: DepthName | None = None
    priority: Priority = Priority.NORMAL


def cancel(session: Session, queue: Queue, by: Actor, scan: Scan, why: str = "") -> None:
    """End it; StandsOtherwiseError."""
    reason = f"{by.name} cancelled it: {why}" if why else f"{by.name} cancelled it."
    if not queue.cancel(session, scan.id, reason):
        raise StandsOtherwiseError("This scan has ended already.", "Its status says how.")
    history.record(session, by, Change("scan.cancel", str(scan.id), why=why or None, project=scan.project_id))
    _refresh(session, scan)


def rescan(session: Session, queue: Queue, by: Actor, old: Scan, asked: Again) -> Scan:
    """A new scan of the same; StandsOtherwiseError where its archive is gone, UnscannableError where its purl (of an
    earlier version) is none that can be scanned."""
    if old.purl is not None:
        scannable(old.purl, old.manager)
    archive = (old.manager, old.sha256, old.size, old.purl)
    depth = old.depth if asked.depth is None else asked.depth.value
    same = NewScan(old.target, by.name, *archive, fresh=True, depth=depth, project=old.project_id)
    new = scans.add(session, same)
    if old.sha256 is not None and old.size is not None:
        named = Named(Kind.ARCHIVE, old.sha256, old.size, old.target)
        if refer(session, new.id, [named], new.id):
            advice = "Submit it again; PACKAGE_HUNTER_ARCHIVE_DAYS says how long archives are kept."
            raise StandsOtherwiseError("Its archive is not kept any more.", advice, not_kept=True)
    queue.enqueue(session, new.id, Terms(asked.priority, needs=capabilities.of_scan(new)))
    after = {"again": str(old.id)}
    history.record(session, by, Change("scan.rescan", str(new.id), after=after, project=new.project_id))
    return new


def rerun(session: Session, queue: Queue, by: Actor, scan: Scan, priority: Priority) -> None:
    """Let a dead letter wait again; StandsOtherwiseError where it is none."""
    if not queue.rerun(session, scan.id, Terms(priority, needs=capabilities.of_scan(scan))):
        raise StandsOtherwiseError("This scan is no dead letter.", "The list of dead letters has them.")
    history.record(session, by, Change("scan.rerun", str(scan.id), project=scan.project_id))
    _refresh(session, scan)


def fetched(
    session: Session, by: Actor, scan: Scan, digest: str, action: str, how: Mapping[str, str] | None = None
) -> None:
    """Somebody takes something that is kept of it away: as it is (`recording.fetch`), or as ``how`` says."""
    change = Change(action, str(scan.id), after={"sha256": digest, **(how or {})}, project=scan.project_id)
    history.record(session, by, change)


def fetch(session: Session, by: Actor, scan: Scan, digest: str, recipient: str | None) -> None:
    """Somebody takes a dropped file of it away: in a ZIP, or encrypted to a ``recipient``, whose public key stays in
    the history; UsageError where that is none."""
    if recipient is not None:
        handed_out.check(recipient)
    how = {"as": "zip"} if recipient is None else {"as": "age", "recipient": recipient.strip()}
    fetched(session, by, scan, digest, "sample.fetch", how)


def _refresh(session: Session, scan: Scan) -> None:
    session.flush()
    session.refresh(scan)
