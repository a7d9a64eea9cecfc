"""Groups and projects. A path says where each lies; what is above it must be there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.view import View
from package_hunter.errors import UsageError
from package_hunter.store import drill_place, history
from package_hunter.store.access_tables import MAX_PATH, Group, Project
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.scoping import scoped

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
MAX_PARTS = 20
_WHOLE_SERVER = ("all", "everywhere")  # what commands, answers and policies call it where they name a place


class TakenError(UsageError):
    """The name is somebody else's already."""


class MissingError(UsageError):
    """There is nothing of that name."""


def check_path(path: str) -> str:
    """The path, if it can be one of a group or project; UsageError else."""
    parts = path.split("/")
    if len(path) > MAX_PATH or len(parts) > MAX_PARTS or not all(map(_PART.fullmatch, parts)):
        raise UsageError(
            f"{path[:MAX_PATH]!r} cannot be a path.",
            "A path is names with / between them; names have letters, digits, and -_. after the first one.",
        )
    return path


def above(path: str) -> list[str]:
    """The paths of the groups that it lies in, the nearest first."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]


def add_project(session: Session, path: str, by: Actor, why: str | None = None) -> Project:
    """Make a project; its group must be there. UsageError."""
    _require_place(session, path)
    project = Project(id=uuid.uuid4(), path=path, created=now_ms())
    session.add(project)
    history.record(
        session, by, Change("project.add", path, project=project.id, after={"path": path}, why=why)
    )
    return project


def add_group(session: Session, path: str, by: Actor, why: str | None = None) -> Group:
    """Make a group; the one above it must be there. UsageError."""
    _require_place(session, path)
    group = Group(id=uuid.uuid4(), path=path, created=now_ms())
    session.add(group)
    history.record(session, by, Change("group.add", path, after={"path": path}, why=why))
    return group


def _require_place(session: Session, path: str) -> None:
    if check_path(path).split("/")[0].lower() in _WHOLE_SERVER:
        raise UsageError(
            f"{path!r} would read as the whole server.",
            f"Nothing at the top is called {' or '.join(_WHOLE_SERVER)}: choose another path.",
        )
    if drill_place.refuses(session, path):
        raise UsageError(f"{path!r} is kept for the standing drill.", "Choose another path.")
    for kind, table in (("project", Project), ("group", Group)):
        if session.scalar(select(table.id).where(table.path == path)) is not None:
            raise TakenError(f"There is a {kind} {path!r} already.", "Choose another path.")
    parent = next(iter(above(path)), None)
    if parent is not None and session.scalar(select(Group.id).where(Group.path == parent)) is None:
        raise MissingError(f"There is no group {parent!r}.", "Make it first: package-hunter group add.")


def projects(session: Session, view: View) -> Sequence[Project]:
    """Those that the view sees, by path."""
    return session.scalars(scoped(select(Project).order_by(Project.path), view, Project.id)).all()


def groups(session: Session, view: View) -> Sequence[Group]:
    """Those that the view (of groups) sees, by path."""
    return session.scalars(scoped(select(Group).order_by(Group.path), view, Group.id)).all()


def project_at(session: Session, view: View, path: str) -> Project:
    """The project of this path; MissingError where there is none, or none that the view sees."""
    query = scoped(select(Project).where(Project.path == path), view, Project.id)
    found = session.scalar(query)
    if found is None:
        raise MissingError(f"There is no project {path[:MAX_PATH]!r}.", "See package-hunter project list.")
    return found


def paths_of(session: Session, view: View, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The paths of these projects, of those that the view sees."""
    query = scoped(select(Project).where(Project.id.in_(ids)), view, Project.id)
    return {project.id: project.path for project in session.scalars(query)}


def group_at(session: Session, view: View, path: str) -> Group:
    """The group of this path; MissingError likewise."""
    found = session.scalar(scoped(select(Group).where(Group.path == path), view, Group.id))
    if found is None:
        raise MissingError(f"There is no group {path[:MAX_PATH]!r}.", "See package-hunter group list.")
    return found


def all_paths(session: Session) -> dict[str, str]:
    """The paths of all groups and projects, by what `members.Place.key` calls each."""
    found: dict[str, str] = {}
    for table in (Group, Project):
        found |= {key.hex: path for key, path in session.execute(select(table.id, table.path))}
    return found
