"""Artefacts and the rows that refer to them: none that is referred to is ever removed, on whatever machine.

Who stores one claims it first, then stores it, then refers to it in the transaction that needs it (which ends the
claim). Who removes one says so first (`ArtefactDoomed`), in a transaction that sees neither reference nor claim, then
removes it, then takes that back. Claims and dooms of one artefact exclude each other by `Store.lock`; so whatever the
moment, an artefact that was stored under a claim is there when it is referred to.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import delete, literal, select
from sqlalchemy.orm import Session

from package_hunter.errors import StoreError
from package_hunter.storage.base import Artefacts, Kind, Stored, digest_of
from package_hunter.storage.incoming import Incoming
from package_hunter.store import dooms
from package_hunter.store.artefact_tables import MAX_FILE_NAME, ArtefactClaim, ArtefactRef
from package_hunter.store.clock import now_ms

if TYPE_CHECKING:
    from package_hunter.store.database import Store

_CLAIM_MS = 6 * 3_600_000
"""Longer than anything takes to be stored; the clocks of two machines may differ by less."""
_BUSY_SECONDS, _LOOK_AGAIN_SECONDS = 15.0, 0.2
_CHUNK = 1 << 20  # bytes
_BUSY = "Something of the same content is being removed."


@dataclass(frozen=True, slots=True)
class Named:
    """An artefact that a scan has."""

    kind: Kind
    digest: str
    size: int
    name: str = ""


class Claims:
    """Stores artefacts that ``holder`` will refer to; ``drop`` what came to nothing."""

    def __init__(self, store: Store, holder: uuid.UUID | None = None) -> None:
        self._store, self.holder = store, holder or uuid.uuid4()

    def put(self, kind: Kind, content: bytes) -> Stored:
        """Store these bytes; StoreError, DiskFullError."""
        self._claim(kind, digest_of(content))
        return self._store.artefacts.put(kind, content)

    def put_file(self, kind: Kind, file: BinaryIO) -> Stored:
        """Store what a file holds from where it stands; StoreError, DiskFullError."""
        incoming = self._store.artefacts.begin()
        try:
            while chunk := file.read(_CHUNK):
                incoming.write(chunk)
            incoming.done()
            return self.keep(kind, incoming)
        finally:
            incoming.discard()

    def keep(self, kind: Kind, incoming: Incoming) -> Stored:
        """Store what came in, which is ``done``; StoreError, DiskFullError."""
        self._claim(kind, incoming.sha256)
        return self._store.artefacts.keep(kind, incoming)

    def drop(self) -> None:
        """End all claims: what nobody refers to by now is left to be collected."""
        with self._store.write() as session:
            session.execute(delete(ArtefactClaim).where(ArtefactClaim.holder == self.holder))

    def _claim(self, kind: Kind, digest: str) -> None:
        end = time.monotonic() + _BUSY_SECONDS
        while not self._try(kind, digest):
            dooms.carry_out(self._store, dooms.abandoned(self._store))
            if time.monotonic() >= end:
                raise StoreError(_BUSY, "Try again in a moment.")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _try(self, kind: Kind, digest: str) -> bool:
        with self._store.write() as session:
            self._store.lock(session, dooms.key(kind, digest))
            if dooms.is_doomed(session, (kind, digest)):
                return False
            until = now_ms() + _CLAIM_MS
            session.merge(ArtefactClaim(holder=self.holder, kind=kind.value, digest=digest, until=until))
            return True


def store_of(session: Session) -> Store:
    """The store whose transaction this is."""
    store: Store = session.info["store"]
    return store


def artefacts_of(session: Session) -> Artefacts:
    """The artefacts beside the database of this transaction."""
    return store_of(session).artefacts


def refer(session: Session, scan_id: uuid.UUID, items: Iterable[Named], holder: uuid.UUID) -> list[Named]:
    """Let a scan have these artefacts: claimed by ``holder``, or another scan's already. Those that are neither (the
    claim ended, or they were removed) are given back."""
    missing = []
    for item in sorted(items, key=lambda item: (item.kind, item.digest)):  # locks in one order
        if _take_claim(session, holder, item) or _is_referred_to(session, item):
            values = (item.kind.value, item.digest, item.size, item.name[:MAX_FILE_NAME])
            session.add(_row(scan_id, *values))
        else:
            missing.append(item)
    session.flush()
    return missing


def _row(scan_id: uuid.UUID, kind: str, digest: str, size: int, name: str) -> ArtefactRef:
    return ArtefactRef(
        id=uuid.uuid4(), scan_id=scan_id, kind=kind, digest=digest, size=size, name=name, created=now_ms()
    )


def _take_claim(session: Session, holder: uuid.UUID, item: Named) -> bool:
    same = (ArtefactClaim.kind == item.kind.value, ArtefactClaim.digest == item.digest)
    statement = delete(ArtefactClaim).where(ArtefactClaim.holder == holder, *same)
    return session.scalar(statement.returning(ArtefactClaim.holder)) is not None


def _is_referred_to(session: Session, item: Named) -> bool:
    """Looked at under the lock: no doom can come between."""
    store_of(session).lock(session, dooms.key(item.kind, item.digest))
    same = (ArtefactRef.kind == item.kind.value, ArtefactRef.digest == item.digest)
    return session.scalar(select(literal(1)).where(*same).limit(1)) is not None


def of_scan(session: Session, scan_id: uuid.UUID, kind: Kind | None = None) -> Sequence[ArtefactRef]:
    """What a scan has (of a kind), by name."""
    query = select(ArtefactRef).where(ArtefactRef.scan_id == scan_id)
    if kind is not None:
        query = query.where(ArtefactRef.kind == kind.value)
    return session.scalars(query.order_by(ArtefactRef.kind, ArtefactRef.name, ArtefactRef.id)).all()
