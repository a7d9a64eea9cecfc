"""Reports: artefacts of their scans, named in the scans' rows.

One whose artefact cannot be stored just now (the object store is away, say) is kept in its row, as all were once, and
moved out later (`move_out`): a scan that has ended is never run again for that.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from package_hunter.errors import HostError, StoreError
from package_hunter.storage.base import Kind, Stored
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import Claims, Named, artefacts_of, refer
from package_hunter.store.database import Store
from package_hunter.store.models import StoredReport

log = structlog.get_logger(__name__)

_OUTSIDE = b""  # the body of one that is an artefact


class UnreadableReportError(StoreError, ValueError):
    """A report that is not what was stored, or is not there any more."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A report on its way into its scan's row; ``stored``: None where it has to be kept in the row."""

    body: bytes
    stored: Stored | None


def pack(data: dict[str, Any]) -> bytes:
    """The JSON form as it is stored."""
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), level=6)


def prepare(store: Store, scan_id: uuid.UUID, data: dict[str, Any]) -> Packed:
    """Store a scan's report; before the transaction that `attach`es it, since a bucket may be slow."""
    body = pack(data)
    try:
        return Packed(body, Claims(store, scan_id).put(Kind.REPORT, body))
    except StoreError as error:
        log.warning("report kept in the database for now", scan=str(scan_id), error=str(error))
        return Packed(body, None)


def attach(session: Session, scan_id: uuid.UUID, packed: Packed, kept: Sequence[Named] = ()) -> None:
    """Make it the scan's report, in place of any before; ``kept`` are the artefacts beside it, which the scan's id
    claims or another scan has."""
    lost = refer(session, scan_id, kept, scan_id)
    if lost:  # of an earlier scan whose result this one was given, and which is being deleted
        log.warning("kept files are gone already", scan=str(scan_id), number=len(lost))
    session.execute(delete(ArtefactRef).where(*_own(scan_id)))
    stored = packed.stored
    if stored is not None and refer(session, scan_id, [_named(stored)], scan_id):
        stored = None  # its claim ended, so it may be gone
    session.merge(
        StoredReport(
            scan_id=scan_id,
            body=packed.body if stored is None else _OUTSIDE,
            digest=None if stored is None else stored.digest,
        )
    )
    session.flush()


def replace(session: Session, scan_id: uuid.UUID, data: dict[str, Any]) -> None:
    """Another report for a scan that has one, in a transaction that cannot wait for a bucket: kept in the row."""
    attach(session, scan_id, Packed(pack(data), None))


def read(session: Session, body: bytes, digest: str | None) -> dict[str, Any]:
    """The JSON form of what a row holds; UnreadableReportError, StoreError where it cannot be reached."""
    try:
        data: dict[str, Any] = json.loads(read_bytes(session, body, digest))
    except ValueError as error:
        raise UnreadableReportError(_DAMAGED, _ADVICE) from error
    return data


def read_bytes(session: Session, body: bytes, digest: str | None) -> bytes:
    """The same as the text that was stored, for who passes it on: a large one takes a second to parse."""
    if digest is not None:
        body = _content(session, digest)
    try:
        return zlib.decompress(body)
    except zlib.error as error:
        raise UnreadableReportError(_DAMAGED, _ADVICE) from error


_DAMAGED = "The report of this scan is damaged."
_ADVICE = "Scan again, or restore the artefacts from a backup."


def _content(session: Session, digest: str) -> bytes:
    try:
        with artefacts_of(session).open(Kind.REPORT, digest) as file:
            return file.read()
    except StoreError:
        raise
    except HostError as error:
        told = "The report of this scan is damaged or lost."
        raise UnreadableReportError(str(error), _ADVICE, told) from error


def move_out(store: Store, most: int) -> int:
    """Make artefacts of up to ``most`` reports that lie in their rows; how many those were. StoreError."""
    query = select(StoredReport.scan_id, StoredReport.body).where(StoredReport.digest.is_(None)).limit(most)
    with store.read() as session:
        rows = session.execute(query).all()
    for scan_id, body in rows:
        stored = Claims(store, scan_id).put(Kind.REPORT, body)
        with store.write() as session:
            _note_outside(session, scan_id, body, stored)
    return len(rows)


def _note_outside(session: Session, scan_id: uuid.UUID, body: bytes, stored: Stored) -> None:
    same = (StoredReport.scan_id == scan_id, StoredReport.digest.is_(None), StoredReport.body == body)
    statement = update(StoredReport).where(*same).values(digest=stored.digest, body=_OUTSIDE)
    if session.scalar(statement.returning(StoredReport.scan_id)) is None:
        return  # deleted, or replaced meanwhile; the claim ends by itself
    if refer(session, scan_id, [_named(stored)], scan_id):
        raise StoreError("A report was removed while it was moved out of the database.")


def _named(stored: Stored) -> Named:
    return Named(Kind.REPORT, stored.digest, stored.size, "report.json.zlib")


def _own(scan_id: uuid.UUID) -> tuple[Any, Any]:
    return ArtefactRef.scan_id == scan_id, ArtefactRef.kind == Kind.REPORT.value
