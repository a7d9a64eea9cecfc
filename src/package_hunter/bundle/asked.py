"""Bundles that somebody asks a server for: made by a chore, which may read the recordings and the key that signs, and
kept as an artefact of the scan, which the API can hand out."""

from __future__ import annotations

import tempfile
import uuid

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING
from package_hunter.audit import keys
from package_hunter.bundle.make import of_scan, write
from package_hunter.config import Settings
from package_hunter.errors import HunterError, StoreError
from package_hunter.model.scan import ScanStatus
from package_hunter.queue.acts import StandsOtherwiseError
from package_hunter.storage.base import Kind
from package_hunter.storage.private import private_folder
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import Claims, Named, refer
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import Scan
from package_hunter.store.request_tables import MAX_ACCOUNT, BundleRequest

WAITING, MADE, FAILED = "waiting", "made", "failed"
NAME = "bundle.zip"


def ask(session: Session, who: str, scan: Scan) -> BundleRequest:
    """Have one made, as the policies and states of then see the scan; who asks while one waits gets that one.
    StandsOtherwiseError: it came to no verdict."""
    _check_end(scan)
    row = session.get(BundleRequest, scan.id)
    if row is not None and row.state == WAITING:
        return row
    if row is None:
        row = BundleRequest(scan_id=scan.id)
        session.add(row)
    row.asked, row.who, row.state = now_ms(), who[:MAX_ACCOUNT], WAITING
    row.said = row.digest = row.ended = None
    session.flush()
    return row


def _check_end(scan: Scan) -> None:
    status = ScanStatus(scan.status)
    if status in (ScanStatus.PENDING, ScanStatus.RUNNING):
        raise StandsOtherwiseError(f"The scan is {status}: there is no verdict yet.", "Wait for its end.")
    if status is not ScanStatus.FINISHED:
        what = "failed" if status is ScanStatus.FAILED else "was cancelled"
        raise StandsOtherwiseError(f"The scan {what}: there is no verdict.", "Scan it again.")


def get(session: Session, scan_id: uuid.UUID) -> BundleRequest | None:
    """What was asked last of this scan, which the caller may see."""
    return session.get(BundleRequest, scan_id)


def step(store: Store, settings: Settings) -> bool:
    """Make the one that waits longest; True where there was one. StoreError: it is tried again later."""
    query = select(BundleRequest.scan_id).where(BundleRequest.state == WAITING)
    with store.read() as session:
        scan_id = session.scalar(query.order_by(BundleRequest.asked).limit(1))
    if scan_id is None:
        return False
    try:
        _make(store, settings, scan_id)
    except StoreError:
        raise
    except HunterError as error:
        with store.write() as session:
            _end(session, scan_id, FAILED, said=error.message)
    return True


def _make(store: Store, settings: Settings, scan_id: uuid.UUID) -> None:
    claims = Claims(store)
    with tempfile.TemporaryFile(dir=private_folder(settings)) as file:
        with of_scan(store, EVERYTHING, scan_id, settings) as source:
            if source is None:
                return  # deleted, and the request with it
            write(source, file, keys.signing_key(settings))
        file.seek(0)
        stored = claims.put_file(Kind.BUNDLE, file)
    with store.write() as session:
        if session.get(Scan, scan_id) is None:
            return
        old = (ArtefactRef.scan_id == scan_id, ArtefactRef.kind == Kind.BUNDLE.value)
        session.execute(delete(ArtefactRef).where(*old))
        named = Named(Kind.BUNDLE, stored.digest, stored.size, NAME)
        if refer(session, scan_id, [named], claims.holder):
            raise StoreError("The bundle was removed again.", "It is made once more.")
        _end(session, scan_id, MADE, digest=stored.digest)


def _end(
    session: Session, scan_id: uuid.UUID, state: str, said: str | None = None, digest: str | None = None
) -> None:
    row = session.get(BundleRequest, scan_id)
    if row is not None:
        row.state, row.said, row.digest, row.ended = state, said, digest, now_ms()
