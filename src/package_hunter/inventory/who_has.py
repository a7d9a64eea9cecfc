"""Which project holds what: by purl (with or without version), digest, fingerprint of a finding, or host. Who asks
sees what his view sees, and nothing else is counted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from package_hunter.access.view import View
from package_hunter.inventory.marks import as_host
from package_hunter.inventory.names import Name, digest_of, name_of
from package_hunter.store.access_tables import Project
from package_hunter.store.inventory_tables import Component, ComponentDigest, Holding, ScanMark
from package_hunter.store.models import Scan
from package_hunter.store.scans import clean_text
from package_hunter.store.scoping import scoped

MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Has:
    """One project that holds one thing (``what``: a purl, a fingerprint or a host), as it was seen last. ``since`` and
    ``last`` are ms since the epoch; ``source`` is scan, lock or sbom; ``certain`` is false where a lock file allows
    the file among others; ``direct``: the project itself asks for it, else ``wanted_by`` does."""

    project: str
    what: str
    since: int
    last: int
    source: str
    owner: str
    scan: uuid.UUID | None
    commit: str | None
    direct: bool = False
    wanted_by: str | None = None
    path: str | None = None
    certain: bool = True


def by_purl(session: Session, view: View, purl: str) -> list[Has]:
    """Who holds a package: of this version, or of any where the purl has none; UsageError."""
    name = name_of(purl)
    wanted = Component.base == name.base
    return _have(session, view, and_(wanted, Component.version == name.version) if name.version else wanted)


def by_digest(session: Session, view: View, digest: str) -> list[Has]:
    """Who holds a file; UsageError."""
    ids = select(ComponentDigest.component_id).where(ComponentDigest.digest == digest_of(digest))
    return _have(session, view, Component.id.in_(ids), of_file=True)


def by_fingerprint(session: Session, view: View, fingerprint: str) -> list[Has]:
    """Whose scans have a finding of this fingerprint."""
    return _marked(session, view, "fingerprint", fingerprint.strip().lower())


def by_host(session: Session, view: View, host: str) -> list[Has]:
    """Whose scans contacted a host (name or address)."""
    return _marked(session, view, "host", as_host(host))


def _have(session: Session, view: View, wanted: ColumnElement[bool], of_file: bool = False) -> list[Has]:
    """Of each project and component the newest holding, and since when: found by the database, since a project that is
    scanned each night holds the same a thousand times."""
    same = (Holding.project_id, Component.base, Component.version, Component.path)
    query: Any = (
        select(
            *(Holding.project_id, Holding.source, Holding.owner, Holding.scan_id, Holding.commit),
            *(Component.base, Component.version, Component.path, Component.direct, Component.exact),
            *(Component.wanted_by, *_over(same, Holding.created, Holding.id)),
        )
        .join(Component, Component.list == Holding.list)
        .where(wanted)
    )
    rows = _newest(session, scoped(query, view, Holding.project_id))
    return [
        Has(
            project=row.project_path,
            what=Name(row.base, row.version).purl,
            since=row.since,
            last=row.last,
            source=row.source,
            owner=row.owner,
            scan=row.scan_id,
            commit=row.commit,
            direct=row.direct,
            wanted_by=row.wanted_by,
            path=row.path,
            certain=row.exact or not of_file,
        )
        for row in rows
    ]


def _marked(session: Session, view: View, kind: str, value: str) -> list[Has]:
    same = (Scan.project_id, ScanMark.value, ScanMark.purl)
    query: Any = (
        select(
            *(Scan.project_id, Scan.submitter, Scan.id.label("scan_id"), ScanMark.value, ScanMark.purl),
            *_over(same, Scan.created, Scan.id),
        )
        .join(ScanMark, ScanMark.scan_id == Scan.id)
        .where(ScanMark.kind == kind, ScanMark.value == clean_text(value, 255))
    )
    rows = _newest(session, scoped(query, view, Scan.project_id))
    return [
        Has(
            project=row.project_path,
            what=row.value,
            since=row.since,
            last=row.last,
            source="scan",
            owner=row.submitter,
            scan=row.scan_id,
            commit=None,
            wanted_by=row.purl,
        )
        for row in rows
    ]


def _over(
    same: Sequence[InstrumentedAttribute[Any]],
    created: InstrumentedAttribute[int],
    number: InstrumentedAttribute[uuid.UUID],
) -> tuple[ColumnElement[Any], ...]:
    """Of rows that are the same: their order (1: the newest), when the first and when the last was made."""
    order = func.row_number().over(partition_by=same, order_by=(created.desc(), number))
    first = func.min(created).over(partition_by=same)
    return order.label("place"), first.label("since"), created.label("last")


def _newest(session: Session, query: Any) -> Sequence[Any]:
    found = query.subquery()
    columns = [column for column in found.c if column.name != "place"]
    newest = (
        select(Project.path.label("project_path"), *columns)
        .join(Project, Project.id == found.c.project_id)
        .where(found.c.place == 1)
        .order_by(Project.path, found.c.last.desc(), found.c.scan_id)
        .limit(MAX_ROWS)
    )
    return session.execute(newest).all()


def projects(found: Sequence[Has]) -> int:
    """How many projects that is."""
    return len({has.project for has in found})
