"""Lists of components in the store: one row a list however often it is held, and who held it when."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from package_hunter.inventory.names import Name
from package_hunter.store.base import MAX_NAME, MAX_TARGET
from package_hunter.store.database import now_ms
from package_hunter.store.inventory_tables import Component, ComponentDigest, ComponentList, Holding
from package_hunter.store.scans import clean_text

MAX_ITEMS = 50_000
_MAX_PATH = 1_024
_MAX_DIGESTS = 200  # of one component: a release with that many files is one that nobody made


@dataclass(frozen=True, slots=True)
class Item:
    """A component. ``exact``: its digests are all of the file that is held; ``wanted_by`` is what asks for it, a name
    or purl."""

    name: Name
    digests: frozenset[str] = frozenset()
    path: str | None = None
    direct: bool = False
    exact: bool = True
    wanted_by: str | None = None

    def values(self) -> tuple[Any, ...]:
        """All of it, to be compared and sorted."""
        return (
            *(self.name.base, self.name.version, sorted(self.digests), self.path or ""),
            *(self.direct, self.exact, self.wanted_by or ""),
        )


@dataclass(frozen=True, slots=True)
class Held:
    """Who held a list: see `Holding`."""

    project: uuid.UUID
    source: str
    name: str
    owner: str
    scan: uuid.UUID | None = None
    commit: str | None = None
    document: str | None = None


def keep(session: Session, items: Iterable[Item]) -> str:
    """Store a list, unless it is there; its digest. Beyond `MAX_ITEMS` components, those are left out that come last
    by name."""
    cut = sorted((_cut(item) for item in items), key=Item.values)[:MAX_ITEMS]
    digest = hashlib.sha256(json.dumps([item.values() for item in cut]).encode()).hexdigest()
    # two that keep the same at once come to one list, and neither transaction fails
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = dialect.insert(ComponentList).values(digest=digest, created=now_ms()).on_conflict_do_nothing()
    if session.scalar(row.returning(ComponentList.digest)) is not None:
        _fill(session, digest, cut)
    return digest


def _fill(session: Session, digest: str, items: Sequence[Item]) -> None:
    rows = [
        Component(
            list=digest,
            base=item.name.base,
            version=item.name.version,
            path=item.path,
            direct=item.direct,
            exact=item.exact,
            wanted_by=item.wanted_by,
        )
        for item in items
    ]
    session.add_all(rows)
    session.flush()
    for row, item in zip(rows, items, strict=True):
        session.add_all(ComponentDigest(component_id=row.id, digest=d) for d in sorted(item.digests))
    session.flush()


def _cut(item: Item) -> Item:
    path = None if item.path is None else clean_text(item.path, _MAX_PATH)
    by = None if item.wanted_by is None else clean_text(item.wanted_by, MAX_TARGET)
    digests = frozenset(sorted(item.digests)[:_MAX_DIGESTS])
    return Item(item.name, digests, path, item.direct, item.exact, by)


def hold(session: Session, held: Held, digest: str) -> Holding:
    """Note that it was held."""
    row = Holding(
        id=uuid.uuid4(),
        project_id=held.project,
        scan_id=held.scan,
        list=digest,
        source=held.source,
        name=clean_text(held.name, MAX_TARGET),
        commit=held.commit,
        document=held.document,
        owner=clean_text(held.owner, MAX_NAME),
        created=now_ms(),
    )
    session.add(row)
    session.flush()
    return row
