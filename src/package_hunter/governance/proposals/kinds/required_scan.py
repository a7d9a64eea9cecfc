"""Scans that must be there: the tables ``require`` of a place's policy, alone. The rest of the policy stays as it is.

``{"require": [{"scan": "merge_request", "projects": ["web/*"]}]}``; an empty list requires nothing any more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.governance import policies
from package_hunter.governance.document import Document
from package_hunter.governance.proposals.kind import Act, Budget, Impact, Wanted
from package_hunter.governance.proposals.kinds.policy import granted
from package_hunter.store.access_tables import Project
from package_hunter.store.canonical import canonical
from package_hunter.store.members import Place
from package_hunter.triage.chain import projects_in, scope_name


class RequiredScanKind:
    """See `ChangeKind`."""

    name = "required-scan"
    what = "which scans must be there"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """UsageError where a table is wrong."""
        if not isinstance(document, Mapping) or set(document) != {"require"}:
            raise UsageError("Required scans are an object with the key require.", "See docs/proposals.md.")
        made = json.loads(canonical(document))
        policies.check(place, made)
        count = len(made["require"])
        return Wanted(made, f"{count} required scan{'' if count == 1 else 's'} for {scope_name(place)}")

    def base(self, session: Session, place: Place, _wanted: Wanted) -> Any:
        """What is required by the policy of the place itself."""
        return {"require": _in_force(session, place).get("require", [])}

    def impact(self, session: Session, place: Place, wanted: Wanted, _budget: Budget) -> Impact:
        """No scan is decided otherwise: it says in which projects what is required of whom."""
        paths = _paths(session, place)
        effects = []
        for table in wanted.document["require"]:
            patterns = table.get("projects", ["*"])
            hit = [path for path in paths if any(fnmatchcase(path, p) for p in patterns)]
            named = ", ".join(hit[:10]) + (f" and {len(hit) - 10} more" if len(hit) > 10 else "")
            effects.append(f"{table['scan']}: {len(hit)} of {len(paths)} projects ({named or 'none'}).")
        effects.append("Where it is required and missing, the gate blocks.")
        return Impact("scans", 0, 0, effects=tuple(effects))

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """A new version of the place's policy with these tables."""
        made = {**_in_force(session, place), "require": wanted.document["require"]}
        policies.put(session, act.by, place, made, act.why, granted(act))


def _in_force(session: Session, place: Place) -> Document:
    return dict(policies.current(session, place).document or {})


def _paths(session: Session, place: Place) -> list[str]:
    inside = projects_in(session, place)
    query = select(Project.path).order_by(Project.path)
    return list(session.scalars(query if inside is None else query.where(Project.id.in_(inside))).all())
