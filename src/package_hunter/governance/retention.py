"""How long scans are kept: by age, by number and by bytes, of each project.

A place's limits hold for all below it that say nothing themselves; the server's settings hold where no place does.
Kept whatever the limits say: scans that have not ended, that are under a hold, where an open finding was first or last
seen, and the newest of a project's own archives (what the project holds, the inventory knows from it). Beyond the
bytes, recordings and dropped files go first, of the oldest scans, then whole scans.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import structlog
from sqlalchemy import ColumnElement, delete, func, not_, or_, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.storage.base import Kind
from package_hunter.store import deletion, history, holds
from package_hunter.store.access_tables import Project
from package_hunter.store.artefact_tables import ArtefactRef, RetentionRow
from package_hunter.store.collection import remove_unwanted
from package_hunter.store.database import Store, now_ms
from package_hunter.store.dooms import Name
from package_hunter.store.finding_tables import LineRow
from package_hunter.store.history import Change
from package_hunter.store.locks import KEEPING, hold
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.store.scans import UNFINISHED
from package_hunter.triage.chain import Chains, scope_name

log = structlog.get_logger(__name__)

RETENTION = Actor("package-hunter", "retention")
AT_ONCE = 50  # scans in one transaction
_DAY_MS = 86_400_000
_EXTRAS = (Kind.RECORDING.value, Kind.DROPPED.value)
_MOST = 1 << 53


@dataclass(frozen=True, slots=True)
class Limits:
    """``days`` since a scan ended, ``scans`` of a project, ``bytes`` of a project's artefacts; 0: no limit, None: as
    the place above says."""

    days: int | None = None
    scans: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What goes: a scan, or (``extras``) only its recordings and dropped files; ``size`` in bytes, and why."""

    scan: uuid.UUID
    target: str
    finished: int
    extras: bool
    size: int
    why: str


def limits_of(
    session: Session, settings: Settings, project: uuid.UUID, chains: Chains | None = None
) -> Limits:
    """What holds for a project."""
    found = {
        "days": settings.retention_days,
        "scans": settings.retention_scans,
        "bytes": settings.retention_bytes,
    }
    for place in (chains or Chains(session)).of(project):  # from the top: the nearest has the last word
        row = session.get(RetentionRow, place.key)
        if row is not None:
            said = {"days": row.days, "scans": row.scans, "bytes": row.bytes}
            found |= {key: value for key, value in said.items() if value is not None}
    return Limits(**found)


def set_limits(session: Session, by: Actor, place: Place, limits: Limits, why: str | None = None) -> None:
    """Say how long the scans of a place are kept; all None: as the place above says. UsageError."""
    values = asdict(limits)
    if any(value is not None and not 0 <= value < _MOST for value in values.values()):
        raise UsageError("A limit is a whole number from 0.", "0 is no limit.")
    row = session.get(RetentionRow, place.key)
    before = None if row is None else {"days": row.days, "scans": row.scans, "bytes": row.bytes}
    if any(value is not None for value in values.values()):
        session.merge(RetentionRow(place=place.key, **values))
    elif row is not None:
        session.delete(row)
    project = None if place.project is None else place.project.id
    change = Change("retention.set", scope_name(place), before, values, why, project)
    history.record(session, by, change)


def due(session: Session, limits: Limits, project: uuid.UUID, most: int = AT_ONCE) -> list[Due]:
    """What goes of a project now, the oldest first: up to ``most``."""
    found: dict[tuple[uuid.UUID, bool], Due] = {}
    for one in _all_due(session, limits, project, most):
        found.setdefault((one.scan, one.extras), one)
        if len(found) >= most:
            break
    return list(found.values())


def _all_due(session: Session, limits: Limits, project: uuid.UUID, most: int) -> Iterator[Due]:
    if limits.days:
        before = now_ms() - limits.days * _DAY_MS
        yield from _whole(session, project, most, f"older than {limits.days} days", Scan.finished < before)
    if limits.scans:
        number = session.scalar(select(func.count()).select_from(Scan).where(Scan.project_id == project)) or 0
        beyond = min(number - limits.scans, most)
        yield from _whole(session, project, beyond, f"more than {limits.scans} scans")
    if limits.bytes:
        yield from _beyond_bytes(session, limits.bytes, project, most)


def _whole(
    session: Session, project: uuid.UUID, most: int, why: str, *which: ColumnElement[bool]
) -> Iterator[Due]:
    if most <= 0:
        return
    query = select(Scan).where(*_free(project), *which).order_by(Scan.created, Scan.id).limit(most)
    rows = session.scalars(query).all()
    sizes = _sizes(session, [scan.id for scan in rows])
    for scan in rows:
        yield Due(scan.id, scan.target, scan.finished or 0, False, sizes.get(scan.id, 0), why)


def _beyond_bytes(session: Session, limit: int, project: uuid.UUID, most: int) -> Iterator[Due]:
    """First what lies beside the reports, then scans, until the rest fits."""
    of_project = select(func.coalesce(func.sum(ArtefactRef.size), 0)).join(
        Scan, Scan.id == ArtefactRef.scan_id
    )
    excess = int(session.scalar(of_project.where(Scan.project_id == project)) or 0) - limit
    why = f"more than {limit} bytes"
    if excess > 0:
        having = Scan.id.in_(select(ArtefactRef.scan_id).where(ArtefactRef.kind.in_(_EXTRAS)))
        for one in _whole(session, project, most, why, having):
            size = _sizes(session, [one.scan], _EXTRAS).get(one.scan, 0)
            excess -= size
            yield Due(one.scan, one.target, one.finished, True, size, why)
            if excess <= 0:
                return
    if excess > 0 and most > 0:
        for one in _whole(session, project, most, why):
            excess -= one.size
            yield one
            if excess <= 0:
                return


def _free(project: uuid.UUID) -> Sequence[ColumnElement[bool]]:
    """Scans of a project that may go."""
    newest = select(LineRow.last_scan).where(LineRow.project_id == project, LineRow.purl.is_(None))
    kept = or_(holds.held(), deletion.shows_open(), Scan.id.in_(newest), Scan.status.in_(UNFINISHED))
    return Scan.project_id == project, not_(kept)


def _sizes(
    session: Session, scans: Sequence[uuid.UUID], kinds: Sequence[str] = tuple(Kind)
) -> Mapping[uuid.UUID, int]:
    query = select(ArtefactRef.scan_id, func.sum(ArtefactRef.size)).group_by(ArtefactRef.scan_id)
    rows = session.execute(query.where(ArtefactRef.scan_id.in_(scans), ArtefactRef.kind.in_(kinds)))
    return {scan: int(size) for scan, size in rows}


def step(store: Store, settings: Settings) -> bool:
    """Delete what is due, some of each project; True where there may be more."""
    more = False
    with store.read() as session:
        projects = session.scalars(select(Project.id)).all()
    for project in projects:
        with store.read() as session:  # mostly nothing is due: no lock for that
            if not due(session, limits_of(session, settings, project), project, 1):
                continue
        with store.write() as session:
            hold(session, KEEPING)
            found = due(session, limits_of(session, settings, project), project)
            names = [name for one in found for name in _carry_out(session, one)]
        remove_unwanted(store, names)
        more |= len(found) == AT_ONCE
        log.info("retention", project=str(project), number=len(found), bytes=sum(one.size for one in found))
    return more


def _carry_out(session: Session, one: Due) -> list[Name]:
    scan = session.get(Scan, one.scan)
    if scan is None:
        return []
    if not one.extras:
        return deletion.remove(session, RETENTION, scan, f"Retention: {one.why}.")
    return drop_extras(session, scan, one.why)


def drop_extras(session: Session, scan: Scan, why: str, kinds: Sequence[str] = _EXTRAS) -> list[Name]:
    """Let recordings and dropped files of a scan go; the history tells. The artefacts that those were."""
    which = (ArtefactRef.scan_id == scan.id, ArtefactRef.kind.in_(kinds))
    rows = session.execute(select(ArtefactRef.kind, ArtefactRef.digest, ArtefactRef.size).where(*which)).all()
    before = {"files": [f"{row.kind} {row.digest}" for row in rows], "bytes": sum(row.size for row in rows)}
    change = Change("scan.trim", str(scan.id), before, why=f"Retention: {why}.", project=scan.project_id)
    history.record(session, RETENTION, change)
    session.execute(delete(ArtefactRef).where(*which))
    return [(Kind(row.kind), row.digest) for row in rows]


def trim_recordings(store: Store, settings: Settings) -> bool:
    """Let the oldest recordings of the server go that are beyond `recordings_bytes`; True where there may be more.
    Those under a hold or an open finding stay, and count."""
    only = ArtefactRef.kind == Kind.RECORDING.value
    with store.read() as session:
        total = session.scalar(select(func.coalesce(func.sum(ArtefactRef.size), 0)).where(only)) or 0
    excess = int(total) - settings.recordings_bytes
    if excess <= 0:
        return False
    names: list[Name] = []
    with store.write() as session:
        hold(session, KEEPING)
        having = Scan.id.in_(select(ArtefactRef.scan_id).where(only))
        free = (not_(or_(holds.held(), deletion.shows_open())), Scan.status.not_in(UNFINISHED))
        query = select(Scan).where(having, *free).order_by(Scan.created, Scan.id).limit(AT_ONCE)
        for scan in session.scalars(query).all():
            if excess <= 0:
                break
            excess -= _sizes(session, [scan.id], [Kind.RECORDING.value])[scan.id]
            names += drop_extras(
                session, scan, "more recordings than the server keeps", [Kind.RECORDING.value]
            )
    remove_unwanted(store, names)
    return excess > 0 and bool(names)
