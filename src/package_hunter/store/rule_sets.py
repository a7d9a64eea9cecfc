"""Rule sets of a server: Falco rules that hold in a place and below it, beside the built-in ones. Proposals alone
change them (`governance.proposals.kinds.rule_set`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.store import documents
from package_hunter.store.access_tables import EVERYWHERE, Group, Project
from package_hunter.store.canonical import parsed
from package_hunter.store.places import above

KIND = "rule-set"


def in_force(session: Session, keys: Sequence[str]) -> list[tuple[str, str]]:
    """Name and text of those that hold where these places (`Place.key`, the widest first) do, in the order of loading:
    a place's after those above it, by name."""
    order = {key: rank for rank, key in enumerate(keys)}
    rows = [row for row in documents.all_of(session, KIND) if row.place in order]
    rows.sort(key=lambda row: (order[row.place], row.name))
    texts = [(row.name, str(parsed(row.document)["rules"])) for row in rows]
    return [(name, text) for name, text in texts if text.strip()]


def of_project(session: Session, project: uuid.UUID) -> list[tuple[str, str]]:
    """Those that hold for a project."""
    path = session.scalar(select(Project.path).where(Project.id == project))
    if path is None:
        return in_force(session, [EVERYWHERE])
    groups = above(path)
    ids = {
        p: key.hex for p, key in session.execute(select(Group.path, Group.id).where(Group.path.in_(groups)))
    }
    wide_first = [ids[group] for group in reversed(groups) if group in ids]
    return in_force(session, [EVERYWHERE, *wide_first, project.hex])
