"""What one account may do, worked out; and what a query of its may see."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from package_hunter.access.permissions import Permission

LEGACY = uuid.UUID("00000000-0000-4000-8000-000000000001")
"""The project ``legacy``: what was scanned before there were projects, and where who names none belongs."""


@dataclass(frozen=True, slots=True)
class View:
    """The projects that a query may see; None: all. Only `Access` and `EVERYTHING` make them."""

    projects: frozenset[uuid.UUID] | None

    def sees(self, project: uuid.UUID | None) -> bool:
        """Whether what belongs to this project may be seen."""
        return self.projects is None or project in self.projects

    def only(self, project: uuid.UUID) -> View:
        """Of what it sees, what belongs to this project."""
        return View(frozenset({project}) if self.sees(project) else frozenset())


EVERYTHING = View(None)
"""For work that is nobody's: queue, workers, retention."""


@dataclass(frozen=True, slots=True)
class Access:
    """What an account may do: everywhere, and by project and group (those it has from above are in there too)."""

    principal: str
    everywhere: frozenset[Permission] = frozenset()
    projects: Mapping[uuid.UUID, frozenset[Permission]] = field(default_factory=dict)
    groups: Mapping[uuid.UUID, frozenset[Permission]] = field(default_factory=dict)
    home: uuid.UUID = LEGACY

    def may(self, permission: Permission) -> bool:
        """Whether everywhere."""
        return permission in self.everywhere

    def may_in(self, project: uuid.UUID, permission: Permission) -> bool:
        """Whether in this project."""
        return permission in self.everywhere or permission in self.projects.get(project, frozenset())

    def may_in_group(self, group: uuid.UUID, permission: Permission) -> bool:
        """Whether in this group, and so in all that is below it."""
        return permission in self.everywhere or permission in self.groups.get(group, frozenset())

    def view(self, permission: Permission) -> View:
        """The projects in which it holds the permission."""
        return _view(self.everywhere, self.projects, permission)

    def groups_view(self, permission: Permission) -> View:
        """The groups in which it holds the permission."""
        return _view(self.everywhere, self.groups, permission)


def _view(
    everywhere: frozenset[Permission],
    places: Mapping[uuid.UUID, frozenset[Permission]],
    permission: Permission,
) -> View:
    if permission in everywhere:
        return EVERYTHING
    return View(frozenset(place for place, held in places.items() if permission in held))


def unlimited(principal: str) -> Access:
    """Everything, as in development mode, where nobody is asked who he is."""
    return Access(principal, frozenset(Permission))
