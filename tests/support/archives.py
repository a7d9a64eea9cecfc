"""What a server holds of archives on its disk: those that are kept, and those that are coming in."""

from __future__ import annotations

import uuid
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.queue.base import Queue
from package_hunter.storage.base import Kind
from package_hunter.store import archives, scans
from package_hunter.store.archives import Archives
from package_hunter.store.artefacts import Claims, Named, refer
from package_hunter.store.database import Store
from package_hunter.store.scans import NewScan


def held(data_dir: Path) -> list[Path]:
    """The files of both."""
    found = [*data_dir.glob("artefacts/archive/*/*"), *data_dir.glob("artefacts/incoming/*")]
    return sorted(path for path in found if not path.is_dir())


def submit(settings: Settings, store: Store, queue: Queue, content: bytes, name: str = "small") -> uuid.UUID:
    """A scan of these bytes, waiting, as the server makes it."""
    places = Archives(settings, store)
    upload = places.begin()
    upload.write(content)
    upload.done()
    claims = places.keep(upload)
    with store.write() as session:
        scan = scans.add(session, NewScan(name, "ana", "npm", upload.sha256, upload.size))
        archives.note(session, scan, claims)
        queue.enqueue(session, scan.id)
    upload.discard()
    return scan.id


def keep(store: Store, scan_id: uuid.UUID, path: Path, kind: Kind = Kind.RECORDING) -> None:
    """Let a scan have what a file holds, under the file's name."""
    claims = Claims(store)
    with path.open("rb") as file:
        stored = claims.put_file(kind, file)
    with store.write() as session:
        item = Named(kind, stored.digest, stored.size, path.name)
        assert refer(session, scan_id, [item], claims.holder) == []
