"""Artefacts that no scan refers to any more: the collection's work, and what that leaves."""

from __future__ import annotations

from sqlalchemy import update

from package_hunter.storage.base import Kind
from package_hunter.store.artefact_tables import ArtefactClaim, ArtefactDoomed, ArtefactRef
from package_hunter.store.collection import collect
from package_hunter.store.database import Store

_MANY = 1_000_000


def collected(store: Store) -> int:
    """Do what the collection does when the time of all claims (6 h, of processes that were killed while they stored
    something), of removals under way (2 min, of those killed while they removed) and of grace is over; how many it
    removed."""
    with store.write() as session:
        session.execute(update(ArtefactClaim).values(until=0))
        session.execute(update(ArtefactDoomed).values(since=0))
    return collect(store, 0.0, _MANY).number


def unwanted(store: Store) -> list[str]:
    """Those that lie there, and nothing refers to."""
    with store.read() as session:
        wanted = {(kind, digest) for kind, digest in session.query(ArtefactRef.kind, ArtefactRef.digest)}
    lying = ((kind.value, found.digest) for kind in Kind for found in store.artefacts.list(kind))
    return [f"{kind} {digest}" for kind, digest in lying if (kind, digest) not in wanted]


def missing(store: Store) -> list[str]:
    """Those that something refers to, and do not lie there."""
    with store.read() as session:
        wanted = {(kind, digest) for kind, digest in session.query(ArtefactRef.kind, ArtefactRef.digest)}
    lying = {(kind.value, found.digest) for kind in Kind for found in store.artefacts.list(kind)}
    return [f"{kind} {digest}" for kind, digest in sorted(wanted - lying)]
