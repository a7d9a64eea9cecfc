"""Artefacts that are being removed: said first, in the database, then done, then taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from package_hunter.storage.base import Kind
from package_hunter.store.artefact_tables import ArtefactDoomed
from package_hunter.store.clock import now_ms

if TYPE_CHECKING:
    from package_hunter.store.database import Store

Name = tuple[Kind, str]
_GIVEN_UP_MS = 120_000
"""A removal so old is nobody's any more: whoever began it is dead, or was told that it failed, and what he asked the
object store for has happened, or will not."""


def key(kind: Kind, digest: str) -> str:
    """What to `Store.lock` while an artefact is claimed or doomed."""
    return f"artefact:{kind.value}:{digest}"


def is_doomed(session: Session, name: Name) -> bool:
    """Whether somebody is removing it."""
    return session.get(ArtefactDoomed, (name[0].value, name[1])) is not None


def doom(session: Session, names: list[Name]) -> None:
    """Say that these are being removed; under their locks."""
    for kind, digest in names:
        session.add(ArtefactDoomed(kind=kind.value, digest=digest, since=now_ms()))


def carry_out(store: Store, names: list[Name]) -> None:
    """Remove what is doomed. Where the place fails in the middle the rest stays doomed, and is taken up later;
    StoreError."""
    done: list[Name] = []
    try:
        for kind, digest in names:
            store.artefacts.delete(kind, digest)
            done.append((kind, digest))
    finally:
        if done:
            _take_back(store, done)


def _take_back(store: Store, names: list[Name]) -> None:
    with store.write() as session:
        for kind, digest in names:
            same = (ArtefactDoomed.kind == kind.value, ArtefactDoomed.digest == digest)
            session.execute(delete(ArtefactDoomed).where(*same))


def abandoned(store: Store) -> list[Name]:
    """Removals that nobody will end; they are the caller's now, to be carried out."""
    old = ArtefactDoomed.since < now_ms() - _GIVEN_UP_MS
    with store.read() as session:
        if not session.scalar(select(exists().where(old))):
            return []
    with store.write() as session:
        rows = session.scalars(select(ArtefactDoomed).where(old).with_for_update(skip_locked=True)).all()
        for row in rows:
            row.since = now_ms()
        return [(Kind(row.kind), row.digest) for row in rows]
