"""What a query may see. Every function that reads what belongs to projects takes a `View` and puts it on its query
by `scoped`; `View`s are made of permissions (access/view.py), or are `EVERYTHING`, which says so where it stands."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from package_hunter.access.view import View

Q = TypeVar("Q", bound=Select[Any])


def scoped(query: Q, view: View, project: InstrumentedAttribute[Any]) -> Q:
    """The query, without the rows whose ``project`` column the view does not see."""
    return query if view.projects is None else query.where(project.in_(view.projects))
