"""Removing artefacts that nothing refers to (see `store/artefacts.py` for why none is removed that is wanted)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import structlog
from sqlalchemy import Select, delete, select, tuple_
from sqlalchemy.orm import Session

from package_hunter.storage.base import Found, Kind
from package_hunter.store import dooms
from package_hunter.store.artefact_tables import ArtefactClaim, ArtefactRef
from package_hunter.store.database import Store, now_ms
from package_hunter.store.dooms import Name, key

log = structlog.get_logger(__name__)

_AT_ONCE = 50  # in one transaction


@dataclass(frozen=True, slots=True)
class Collected:
    """How many artefacts were removed, and how many bytes those took where they lay."""

    number: int = 0
    bytes: int = 0


def collect(store: Store, grace_seconds: float, most: int) -> Collected:
    """Remove up to ``most`` artefacts that nothing refers to and that lie there for longer than ``grace_seconds``;
    finish removals that somebody began and did not end."""
    dooms.carry_out(store, dooms.abandoned(store))
    number = size = 0
    before = now_ms() / 1000 - grace_seconds
    old = _old(store, before)
    while number < most and (some := list(islice(old, _AT_ONCE))):
        sizes = {(found.kind, found.digest): found.size for found in some}
        gone = remove_unwanted(store, sizes)
        number, size = number + len(gone), size + sum(sizes[name] for name in gone)
    with store.write() as session:  # of what was never stored, too
        session.execute(delete(ArtefactClaim).where(ArtefactClaim.until < now_ms()))
    if number:
        log.info("artefacts collected", number=number, bytes=size)
    return Collected(number, size)


def _old(store: Store, before: float) -> Iterator[Found]:
    for kind in Kind:
        yield from (found for found in store.artefacts.list(kind) if found.changed < before)


def remove_unwanted(store: Store, names: Iterable[Name]) -> list[Name]:
    """Remove those of the artefacts that nothing refers to, however young; which those were."""
    asked = sorted(set(names))
    with store.read() as session:  # most are wanted: no lock for those
        unwanted = _unwanted(session, asked)
    chosen = _doom(store, unwanted) if unwanted else []
    dooms.carry_out(store, chosen)
    return chosen


def _doom(store: Store, names: list[Name]) -> list[Name]:
    """Say that they are being removed; those that somebody wants by now, or that another one removes, are left."""
    with store.write() as session:
        for kind, digest in names:  # in one order, so that two never wait for each other
            store.lock(session, key(kind, digest))
        session.execute(delete(ArtefactClaim).where(ArtefactClaim.until < now_ms()))
        chosen = [name for name in _unwanted(session, names) if not dooms.is_doomed(session, name)]
        dooms.doom(session, chosen)
    return chosen


def _unwanted(session: Session, names: list[Name]) -> list[Name]:
    wanted = {
        (kind, digest)
        for table in (ArtefactRef, ArtefactClaim)
        for kind, digest in session.execute(_which(table, names))
    }
    return [name for name in names if (name[0].value, name[1]) not in wanted]


def _which(table: type[ArtefactRef] | type[ArtefactClaim], names: list[Name]) -> Select[str, str]:
    """Those that a row of the table wants; a claim that ended wants nothing."""
    values = [(kind.value, digest) for kind, digest in names]
    query = select(table.kind, table.digest).where(tuple_(table.kind, table.digest).in_(values))
    return query.where(table.until >= now_ms()) if table is ArtefactClaim else query
