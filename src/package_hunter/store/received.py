"""Files of an older version, taken over by the first process of this one that needs them (several may try): archives,
which lay in ``DATA_DIR/received`` by their digest, and recordings in ``DATA_DIR/recordings`` by their scan's id."""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.acting import acting_as_owner
from package_hunter.config import Settings
from package_hunter.storage.base import DIGEST, Kind
from package_hunter.storage.incoming import OPEN, Incoming, remove
from package_hunter.store import archives
from package_hunter.store.archives import Archives
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import Claims, Named, refer
from package_hunter.store.database import Store
from package_hunter.store.models import Scan
from package_hunter.store.scans import UNFINISHED

log = structlog.get_logger(__name__)

_CHUNK = 1 << 20  # bytes


def adopt(store: Store, config: Settings) -> int:
    """Make artefacts of what scans of this store want of them, and remove the rest; how many those were. StoreError."""
    return _adopt_archives(store, config) + _adopt_recordings(store, config)


def _adopt_recordings(store: Store, config: Settings) -> int:
    """The folder was the worker's own: root's, where root ran it."""
    folder = config.data_dir / "recordings"
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.geteuid():
        return 0
    number = 0
    for path in sorted(folder.glob("*.scap")):
        with contextlib.suppress(FileNotFoundError):  # another process was first
            number += _adopt_recording(store, path)
            path.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
    return number


def _adopt_recording(store: Store, path: Path) -> bool:
    try:
        scan_id = uuid.UUID(path.name[:36])
    except ValueError:
        return False  # no recording of a scan's
    with store.read() as session:
        if session.get(Scan, scan_id) is None:
            return False
    claims = Claims(store, scan_id)
    with path.open("rb") as file:
        stored = claims.put_file(Kind.RECORDING, file)
    with store.write() as session:
        refer(session, scan_id, [Named(Kind.RECORDING, stored.digest, stored.size, path.name)], scan_id)
    return True


def _adopt_archives(store: Store, config: Settings) -> int:
    folder = config.data_dir / "received"
    if folder.is_symlink() or not folder.is_dir():
        return 0
    number = 0
    with acting_as_owner(folder):
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names alone
    for name in names:
        if DIGEST.match(name):
            number += _adopt(store, Archives(config, store), folder, name)
        remove(folder, folder / name)
    with contextlib.suppress(OSError):  # something that is no archive lies there
        folder.rmdir()
    log.info("archives of an older version taken over", number=number)
    return number


def _adopt(store: Store, into: Archives, folder: Path, digest: str) -> bool:
    with store.read() as session:
        if not _waiting(session, digest):
            return False
    upload = into.begin()
    try:
        _fill(upload, folder, digest)
        if upload.sha256 != digest:
            raise OSError("its content is another")
        _refer(store, into.keep(upload), digest, upload.size)
    except OSError as error:
        log.warning("an archive of an older version cannot be read", sha256=digest, error=str(error))
        return False
    finally:
        upload.discard()
    return True


def _fill(upload: Incoming, folder: Path, digest: str) -> None:
    with acting_as_owner(folder):
        fd = os.open(folder / digest, OPEN)
    with os.fdopen(fd, "rb") as file:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            while chunk := file.read(_CHUNK):
                upload.write(chunk)
    upload.done()


def _refer(store: Store, claims: Claims, digest: str, size: int) -> None:
    with store.write() as session:
        for scan in _waiting(session, digest):
            scan.size = size
            archives.note(session, scan, claims)


def _waiting(session: Session, digest: str) -> list[Scan]:
    """Scans that want it and have no reference to it."""
    has = select(ArtefactRef.id).where(ArtefactRef.scan_id == Scan.id, ArtefactRef.kind == Kind.ARCHIVE.value)
    query = select(Scan).where(Scan.sha256 == digest, Scan.status.in_(UNFINISHED), ~has.exists())
    return list(session.scalars(query))
