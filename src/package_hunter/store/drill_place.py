"""The project of standing drills: made with the first one, at a path that nobody else can take."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.view import DRILL
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.access_tables import Group, Project
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change

GROUP = uuid.UUID("00000000-0000-4000-8000-000000000003")
RESERVED = ("drill", "package-hunter-drill")
"""Top names that are kept for it: the second where somebody had the first before it was reserved."""


def project(session: Session, by: Actor) -> Project:
    """The drills' project; UsageError where both names are somebody's."""
    found = session.get(Project, DRILL)
    if found is not None:
        return found
    top = next((name for name in RESERVED if _is_free(session, name)), None)
    if top is None:
        raise UsageError(
            f"The standing drill has no place: {' and '.join(RESERVED)} are somebody's groups.",
            "They were made before the names were reserved; set PACKAGE_HUNTER_DRILL_DAYS=0.",
        )
    group = Group(id=GROUP, path=top, created=now_ms())
    found = Project(id=DRILL, path=f"{top}/standing", created=now_ms())
    session.add_all((group, found))
    session.flush()
    history.record(session, by, Change("group.add", top, after={"path": top}))
    history.record(session, by, Change("project.add", found.path, project=DRILL, after={"path": found.path}))
    return found


def refuses(session: Session, path: str) -> bool:
    """Whether nobody may make something at this path: it is, or lies in, what is reserved. Who had such a group before
    it was keeps it."""
    top = path.split("/")[0]
    if top.lower() not in RESERVED:
        return False
    theirs = session.scalar(select(Group.id).where(Group.path == top))
    return theirs is None or theirs == GROUP


def _is_free(session: Session, path: str) -> bool:
    return all(session.scalar(select(kind.id).where(kind.path == path)) is None for kind in (Group, Project))
