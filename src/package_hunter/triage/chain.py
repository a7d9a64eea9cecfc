"""The places that hold for a project, and the projects that lie in a place."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.store.access_tables import Group, Project
from package_hunter.store.batches import batches
from package_hunter.store.members import Place
from package_hunter.store.places import above


class Chains:
    """Places by project. Groups are looked up once: one object a transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._groups: dict[str, Group] | None = None
        self._known: dict[uuid.UUID, tuple[Place, ...]] = {}

    def of(self, project: uuid.UUID) -> tuple[Place, ...]:
        """All, the groups above it from the top, the project itself. One that is gone has but the place of all."""
        if project not in self._known:
            self._known[project] = self._look_up(project)
        return self._known[project]

    def ahead(self, projects: Iterable[uuid.UUID]) -> None:
        """Look these up at once, for who asks for each of them."""
        wanted = [key for key in dict.fromkeys(projects) if key not in self._known]
        for some in batches(wanted):
            query = select(Project).where(Project.id.in_(some))
            found = {row.id: row for row in self._session.scalars(query)}
            self._known |= {key: self._chain(found.get(key)) for key in some}

    def _look_up(self, project: uuid.UUID) -> tuple[Place, ...]:
        return self._chain(self._session.get(Project, project))

    def _chain(self, found: Project | None) -> tuple[Place, ...]:
        if found is None:
            return (Place(),)
        if self._groups is None:
            self._groups = {g.path: g for g in self._session.scalars(select(Group))}
        groups = [Place(group=self._groups[p]) for p in reversed(above(found.path)) if p in self._groups]
        return (Place(), *groups, Place(project=found))

    def path_of(self, key: str) -> str | None:
        """The path of the group or project of this key (`Place.key`); None where there is none."""
        try:
            wanted = uuid.UUID(key)
        except ValueError:
            return None
        found = self._session.get(Group, wanted) or self._session.get(Project, wanted)
        return None if found is None else found.path


def projects_in(session: Session, place: Place) -> Sequence[uuid.UUID] | None:
    """The ids of the projects in a place; None: all."""
    if place.project is not None:
        return [place.project.id]
    if place.group is None:
        return None
    below = place.group.path + "/"
    # by comparison, not LIKE: a path may have _ in it
    query = select(Project.id, Project.path).where(Project.path >= below)
    return [key for key, path in session.execute(query) if path.startswith(below)]


def scope_name(place: Place) -> str:
    """``all``, ``group:PATH`` or ``project:PATH``."""
    if place.group is not None:
        return f"group:{place.group.path}"
    return "all" if place.project is None else f"project:{place.project.path}"


def keys(places: Sequence[Place]) -> list[str]:
    """As `Member.place` has them."""
    return [place.key for place in places]
