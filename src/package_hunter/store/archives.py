"""Archives that were uploaded: artefacts, wanted while their scans are not finished (or for as long as is set).

They are bytes here; nobody looks inside. A worker, on whatever machine, reads one into a file of its own, which only
it can write and which has no name, and compares it on the way: what was compared is what is unpacked.
"""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.storage.base import Kind
from package_hunter.storage.errors import DamagedError, MissingError
from package_hunter.storage.incoming import Incoming, disk_full
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import Claims, Named, refer
from package_hunter.store.collection import remove_unwanted
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.models import Scan
from package_hunter.store.scans import UNFINISHED

_AGAIN = "Submit it again."
_DAY_MS = 86_400_000
_AT_ONCE = 200


class Archives:
    """The archives of a server and its workers."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._private = settings.data_dir / "private"
        self._max_bytes = settings.max_archive_bytes
        self._kept_ms = int(settings.archive_days * _DAY_MS)
        self._dead_ms = int(settings.dead_letter_seconds * 1000)

    def begin(self, expected: int = 0) -> Incoming:
        """A new upload of ``expected`` bytes (0: unknown); DiskFullError where they would not fit."""
        return self._store.artefacts.begin(expected)

    def free(self) -> int:
        """Bytes that uploads may still take on this machine."""
        return self._store.artefacts.free()

    def keep(self, upload: Incoming) -> Claims:
        """Store the upload, which is ``done``: to be referred to (`note`) in the transaction that stores its scan, or
        else forgotten (`forget`). StoreError, DiskFullError."""
        claims = Claims(self._store)
        claims.keep(Kind.ARCHIVE, upload)  # where that fails, the claim ends by itself
        return claims

    def forget(self, claims: Claims, upload: Incoming) -> None:
        """What was stored for nothing: gone at once, if that can be; else it is collected later."""
        with contextlib.suppress(StoreError):
            claims.drop()
            remove_unwanted(self._store, [(Kind.ARCHIVE, upload.sha256)])

    @contextmanager
    def opened(self, digest: str, size: int | None = None) -> Iterator[IO[bytes]]:
        """The archive in a file of ours, once it is sure that it is what was uploaded; HostError else, StoreError
        where it cannot be reached. ``size`` is what the upload had; None: not known."""
        self._private.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._private) as file:
            self._copy(digest, file, size)
            file.seek(0)
            yield file

    def _copy(self, digest: str, file: IO[bytes], size: int | None) -> None:
        try:
            copied = self._store.artefacts.copy(Kind.ARCHIVE, digest, file, size or self._max_bytes)
        except MissingError as error:
            raise HostError(
                f"The uploaded archive {digest} cannot be read: it is not there.", _AGAIN
            ) from error
        except DamagedError as error:
            raise HostError(f"The uploaded archive {digest} was damaged where it lay.", _AGAIN) from error
        except OSError as error:
            raise disk_full(error) from error
        if size not in (None, copied):
            raise HostError(f"The uploaded archive {digest} does not have its size any more.", _AGAIN)

    def let_go(self, scan_id: uuid.UUID) -> None:
        """A scan has ended: its archive is removed, unless another one wants it or it is to be kept."""
        with self._store.write() as session:
            digests = self._drop(session, ArtefactRef.scan_id == scan_id)
        remove_unwanted(self._store, [(Kind.ARCHIVE, digest) for digest in digests])

    def sweep(self) -> int:
        """Let the archives of all scans go that have ended for long enough; remove what came in halfway. How many
        references ended."""
        self._store.artefacts.sweep()
        number = 0
        while True:
            with self._store.write() as session:
                digests = self._drop(session)
            remove_unwanted(self._store, [(Kind.ARCHIVE, digest) for digest in digests])
            number += len(digests)
            if len(digests) < _AT_ONCE:
                return number

    def _drop(self, session: Session, *which: ColumnElement[bool]) -> list[str]:
        ended = and_(Scan.status.not_in(UNFINISHED), Scan.finished < now_ms() - self._kept_ms + 1)
        no_dead_letter = or_(Scan.dead.is_(None), Scan.dead <= now_ms() - self._dead_ms)
        gone = or_(Scan.id.is_(None), and_(ended, no_dead_letter))
        query = (
            select(ArtefactRef.id, ArtefactRef.digest)
            .outerjoin(Scan, Scan.id == ArtefactRef.scan_id)
            .where(ArtefactRef.kind == Kind.ARCHIVE.value, gone, *which)
            .limit(_AT_ONCE)
        )
        rows = session.execute(query).all()
        session.execute(delete(ArtefactRef).where(ArtefactRef.id.in_([row.id for row in rows])))
        return [row.digest for row in rows]


def note(session: Session, scan: Scan, claims: Claims) -> None:
    """Let a scan have the archive that its row names, which was stored under these claims; StoreError."""
    assert scan.sha256 is not None and scan.size is not None, "an upload has a digest and a size"
    item = Named(Kind.ARCHIVE, scan.sha256, scan.size, scan.target)
    if refer(session, scan.id, [item], claims.holder):
        raise StoreError("The archive was removed again.", _AGAIN)
