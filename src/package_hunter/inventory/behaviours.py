"""What a package did, by version: which behaviour came with which version.

Rests on findings of projects and their occurrences in scans: a behaviour is a fingerprint, which survives versions.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.inventory.names import name_in, name_of
from package_hunter.store.batches import batches
from package_hunter.store.finding_tables import FindingRow, OccurrenceRow
from package_hunter.store.scoping import scoped

MAX_FINDINGS = 500
_MAX_OCCURRENCES = 5_000


@dataclass(slots=True)
class Behaviour:
    """One finding of a package, in all projects that the view sees; ``severity`` is a rank (model.scales), the gravest.
    ``versions``: those of the package that showed it, "" where none is known; ``last``: seen last, ms since the
    epoch."""

    fingerprint: str
    kind: str
    title: str
    severity: int
    proof: bool
    last: int
    versions: set[str] = field(default_factory=set)
    projects: set[uuid.UUID] = field(default_factory=set)


def of(session: Session, view: View, purl: str) -> list[Behaviour]:
    """Of a package, whatever the version in the purl, gravest first; at most `MAX_FINDINGS`. UsageError: it is no
    purl."""
    base = name_of(purl).base
    query = scoped(select(FindingRow).where(FindingRow.package == base), view, FindingRow.project_id)
    found: dict[str, Behaviour] = {}
    for row in session.scalars(query.order_by(FindingRow.last_seen.desc()).limit(MAX_FINDINGS)):
        one = found.get(row.fingerprint)
        if one is None:
            one = Behaviour(row.fingerprint, row.kind, row.title, row.severity, row.proof, row.last_seen)
            found[row.fingerprint] = one
        one.severity, one.proof = max(one.severity, row.severity), one.proof or row.proof
        one.projects.add(row.project_id)
    for mark, version in _seen(session, view, found):
        found[mark].versions.add(version)
    return sorted(found.values(), key=lambda b: (not b.proof, -b.severity, -b.last))


def _seen(session: Session, view: View, marks: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Fingerprint and version of the package, of each occurrence."""
    wanted = list(marks)
    for some in batches(wanted):
        query: Any = select(OccurrenceRow.fingerprint, OccurrenceRow.facts).where(
            OccurrenceRow.fingerprint.in_(some)
        )
        for mark, facts in session.execute(
            scoped(query, view, OccurrenceRow.project_id).limit(_MAX_OCCURRENCES)
        ):
            name = name_in(str(json.loads(facts).get("package", "")))
            yield mark, "" if name is None else name.version
