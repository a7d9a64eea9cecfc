"""Recordings of a server's scans: artefacts, kept so that rules can be tried on them (where that is set at all)."""

from __future__ import annotations

import contextlib
import glob
import re
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.errors import DiskFullError
from package_hunter.model.report import KeptFile
from package_hunter.storage.base import Kind
from package_hunter.storage.incoming import disk_full
from package_hunter.storage.private import private
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import Claims, of_scan
from package_hunter.store.database import Store
from package_hunter.store.models import Scan

_END = ".scap"


def where(settings: Settings) -> Settings | None:
    """By what kept ones are found (`fetched`); None: none is kept."""
    return settings if settings.recordings_bytes > 0 else None


def place_in(folder: Path, settings: Settings, scan_id: str) -> Path | None:
    """Where in a scan's private folder its recording goes (of further boxes: beside it); None: none is kept."""
    return folder / f"{scan_id}{_END}" if where(settings) else None


def beside(first: Path) -> list[Path]:
    """The recording of a scan's first box, and those that the scan put beside it."""
    further = first.parent.glob(f"{glob.escape(first.stem)}.*{glob.escape(first.suffix)}")
    form = re.compile(rf"{re.escape(first.stem)}(\.[0-9]+)?(\.hurried)?{re.escape(first.suffix)}")
    return sorted({first, *(path for path in further if form.fullmatch(path.name))}, key=_order)


def keep(claims: Claims, folder: Path) -> tuple[KeptFile, ...]:
    """Store the recordings that lie in a scan's private folder; StoreError."""
    return tuple(_kept(claims, path) for path in sorted(folder.glob(f"*{_END}"), key=_order))


def _kept(claims: Claims, path: Path) -> KeptFile:
    with path.open("rb") as file:
        stored = claims.put_file(Kind.RECORDING, file)
    return KeptFile(Kind.RECORDING.value, stored.digest, stored.size, path.name)


def _order(path: Path) -> tuple[int, bool, str]:
    """``x.scap``, ``x.hurried.scap``, ``x.2.scap``, …: as the boxes were made."""
    parts = path.name.split(".")[1:-1]
    number = next((int(part) for part in parts if part.isdecimal() and len(part) < 7), 1)
    return number, "hurried" in parts, path.name


def sizes(session: Session, scans: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Which of these scans have recordings, and of how many bytes."""
    query = select(ArtefactRef.scan_id, func.sum(ArtefactRef.size)).where(
        ArtefactRef.kind == Kind.RECORDING.value, ArtefactRef.scan_id.in_(scans)
    )
    return {scan: int(size) for scan, size in session.execute(query.group_by(ArtefactRef.scan_id))}


def recorded(session: Session, project: uuid.UUID | None, most: int) -> list[uuid.UUID]:
    """The newest ``most`` scans (of a project) of which a recording is kept."""
    query = (
        select(Scan.id)
        .where(
            Scan.id.in_(select(ArtefactRef.scan_id).where(ArtefactRef.kind == Kind.RECORDING.value)),
        )
        .order_by(Scan.created.desc(), Scan.id.desc())
        .limit(most)
    )
    if project is not None:
        query = query.where(Scan.project_id == project)
    return list(session.scalars(query))


@contextlib.contextmanager
def fetched(store: Store, settings: Settings, scan_id: uuid.UUID) -> Iterator[list[Path]]:
    """The recordings of a scan as files of this process's own, in the order of its boxes, compared while they were
    read; gone at the end. HostError where one is damaged or lost, StoreError where they cannot be reached."""
    with store.read() as session:
        rows = of_scan(session, scan_id, Kind.RECORDING)
    with private(settings, "recordings-") as folder:
        paths = [folder / f"{row.scan_id}.{number}{_END}" for number, row in enumerate(_sorted(rows), 1)]
        for row, path in zip(_sorted(rows), paths, strict=True):
            _fetch(store, row, path)
        yield paths


def _sorted(rows: Sequence[ArtefactRef]) -> list[ArtefactRef]:
    return sorted(rows, key=lambda row: _order(Path(row.name)))


def _fetch(store: Store, row: ArtefactRef, path: Path) -> None:
    try:
        with path.open("xb") as file:
            store.artefacts.copy(Kind.RECORDING, row.digest, file, row.size)
    except OSError as error:
        told = disk_full(error)
        raise told if isinstance(told, DiskFullError) else error from error
