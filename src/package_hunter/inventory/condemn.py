"""A package that turns out malicious after projects had it: each of them is told, once, with what to rotate and which
hosts to look for.

By name and version where a public record says so (OSV). By the digest of the very file where one of our scans saw it:
whoever makes a scan cannot make others believe that of a package whose bytes are other ones.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from package_hunter.inventory.names import Name
from package_hunter.inventory.versions import named
from package_hunter.notices.outbox import Event, Notice, enqueue
from package_hunter.store.batches import batches
from package_hunter.store.database import now_ms
from package_hunter.store.gate_tables import ScanOrigin
from package_hunter.store.inventory_tables import Component, ComponentDigest, Condemned, Holding, Told

_MAX_COMMITS = 50
_MAX_LISTS = 100_000
_MAX_ASKED = 500


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said of a package. ``record``: the OSV record's id, or the digest that a scan saw; ``versions``: what
    `versions.named` reads; ``digests``: of the very files; empty: any file of these versions."""

    origin: str
    record: str
    base: str
    said: str
    versions: dict[str, Any] = field(default_factory=dict)
    digests: frozenset[str] = frozenset()
    rotate: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    scan: uuid.UUID | None = None


def condemn(session: Session, sentence: Sentence) -> int:
    """Store it (in place of an earlier one of the same record and package), and tell each project that has it and was
    not told; how many were."""
    row = _row(session, sentence)
    row.versions = json.dumps(sentence.versions, sort_keys=True)
    row.digests = json.dumps(sorted(sentence.digests))
    row.said = sentence.said
    row.rotate, row.hosts = json.dumps(sentence.rotate), json.dumps(sentence.hosts)
    row.withdrawn = None
    session.flush()
    return tell(session, row, _holdings(session, row))


def _row(session: Session, sentence: Sentence) -> Condemned:
    key = (sentence.origin, sentence.record, sentence.base)
    query = select(Condemned).where(
        Condemned.origin == key[0], Condemned.record == key[1], Condemned.base == key[2]
    )
    found = session.scalar(query)
    if found is None:
        found = Condemned(id=uuid.uuid4(), origin=key[0], record=key[1], base=key[2], created=now_ms())
        found.scan_id = sentence.scan
        session.add(found)
    return found


def withdraw(session: Session, origin: str, record: str) -> int:
    """Take back what was said; of how many packages."""
    query = select(Condemned).where(Condemned.origin == origin, Condemned.record == record)
    rows = session.scalars(query.where(Condemned.withdrawn.is_(None))).all()
    for row in rows:
        row.withdrawn = now_ms()
    return len(rows)


def condemned_in(session: Session, digest: str) -> Iterator[tuple[Condemned, Component]]:
    """What of a list is condemned, each with the component that it is."""
    same = Component.base == Condemned.base
    query = select(Condemned, Component).join(Component, same)
    query = query.where(Component.list == digest, Condemned.withdrawn.is_(None))
    for row, component in session.execute(query.order_by(Component.id).limit(_MAX_LISTS)):
        if fits(session, row, component):
            yield row, component


def fits(session: Session, row: Condemned, component: Component) -> bool:
    """Whether it is said of this component: of its bytes where both are known, else of its version."""
    digests = set(json.loads(row.digests))
    if digests:
        return bool(digests & _digests(session, component.id))
    return named(component.version, component.base, json.loads(row.versions))


def _digests(session: Session, component: int) -> set[str]:
    query = select(ComponentDigest.digest).where(ComponentDigest.component_id == component)
    return set(session.scalars(query))


def _holdings(session: Session, row: Condemned) -> Sequence[Holding]:
    """Who held what is condemned, by one holding for each list and time."""
    mine = [c.list for c in session.scalars(select(Component).where(*_named(row))) if fits(session, row, c)]
    lists = sorted(set(mine))[:_MAX_LISTS]
    found: list[Holding] = []
    for part in batches(lists):
        found += session.scalars(select(Holding).where(Holding.list.in_(part)).order_by(Holding.created))
    return found


def _named(row: Condemned) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Component.base == row.base]
    if digests := json.loads(row.digests):
        has = exists().where(
            ComponentDigest.component_id == Component.id, ComponentDigest.digest.in_(digests)
        )
        wanted.append(has)
    return wanted


def tell(session: Session, row: Condemned, holdings: Iterable[Holding]) -> int:
    """Tell the projects of these holdings, each once for a list; how many were told."""
    by_project: dict[uuid.UUID, list[Holding]] = {}
    for holding in holdings:
        if session.get(Told, (row.id, holding.project_id, holding.list)) is None:
            by_project.setdefault(holding.project_id, []).append(holding)
    for project, held in by_project.items():
        for one in {h.list for h in held}:
            session.add(Told(condemned_id=row.id, project_id=project, list=one, created=now_ms()))
        enqueue(session, Event.PACKAGE_TURNED, project, notice(session, row, held))
    session.flush()
    return len(by_project)


def notice(session: Session, row: Condemned, held: Sequence[Holding]) -> Notice:
    """What a project is told: of no other project than itself."""
    versions = sorted({c.version for c in _components(session, row, held)})
    name = Name(row.base, versions[0] if len(versions) == 1 else "").purl
    commits = list(dict.fromkeys(h.commit for h in held if h.commit))[:_MAX_COMMITS]
    owners = sorted({h.owner for h in held} | set(_started(session, held)))
    hosts, rotate = json.loads(row.hosts), json.loads(row.rotate)
    where = f" It is in {_few(commits, 'commit')}." if commits else ""
    look = f" Look in your logs for {_few(hosts, 'host')}." if hosts else ""
    return Notice(
        what=f"{name} turned out malicious: {row.said}",
        who=f"It was held by {_few(owners, 'account')}.{where}",
        how=_source(row),
        todo=f"{' '.join(rotate)}{look} Remove it, and treat each machine that installed it as robbed.",
        look=f"/api/v1/packages/{name}",
        facts={
            "purl": name,
            "versions": versions,
            "commits": commits,
            "owners": owners,
            "lists": sorted({h.name for h in held})[:_MAX_COMMITS],
            "rotate": rotate,
            "hosts": hosts,
            "record": row.record,
        },
    )


def _components(session: Session, row: Condemned, held: Sequence[Holding]) -> Iterator[Component]:
    for one in {h.list for h in held}:
        query = select(Component).where(Component.list == one, Component.base == row.base)
        yield from (c for c in session.scalars(query) if fits(session, row, c))


def _started(session: Session, held: Sequence[Holding]) -> Iterator[str]:
    """Who started the CI jobs that submitted these, as their forge names them."""
    ids = [h.scan_id for h in held if h.scan_id is not None][:_MAX_ASKED]
    query = select(ScanOrigin.witness).where(ScanOrigin.scan_id.in_(ids), ScanOrigin.witness.is_not(None))
    for witness in session.scalars(query):
        owners = json.loads(witness or "{}").get("owners", [])
        yield from (owner for owner in owners if isinstance(owner, str))


def _source(row: Condemned) -> str:
    if row.origin == "osv":
        return f"The record {row.record} says so."
    return f"A scan saw the file {row.record} do it."


def _few(items: Sequence[str], noun: str) -> str:
    more = f" and {len(items) - 5} more" if len(items) > 5 else ""
    return f"the {noun}{'' if len(items) == 1 else 's'} {', '.join(items[:5])}{more}"
