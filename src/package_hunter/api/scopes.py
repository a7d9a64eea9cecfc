"""Scopes of paths: ``all``, or the id of a group or project."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.store.access_tables import Group, Project
from package_hunter.store.members import Place
from package_hunter.triage.chain import projects_in

ALL = "all"


def sees(session: Session, access: Access, place: Place) -> bool:
    """Whether the account may read what holds in the scope: there, or in a project for which it holds."""
    view = access.view(Permission.POLICY_READ)
    if place.group is not None and access.may_in_group(place.group.id, Permission.POLICY_READ):
        return True
    inside = projects_in(session, place)
    return view.projects is None or bool(view.projects if inside is None else view.projects & set(inside))


def place_of(session: Session, access: Access, scope: str) -> Place | None:
    """The scope of the path, where the account sees it."""
    place: Place | None = Place() if scope == ALL else None
    try:
        key = uuid.UUID(scope) if len(scope) == 36 else None
    except ValueError:
        key = None
    if key is not None:
        group, project = session.get(Group, key), session.get(Project, key)
        place = Place(group, project) if group or project else None
    return place if place is not None and sees(session, access, place) else None


def id_of(place: Place) -> str:
    """What a path calls it."""
    where = place.group or place.project
    return ALL if where is None else str(where.id)
