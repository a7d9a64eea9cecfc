"""What one account may do, worked out; and what a query of its may see."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from package_hunter.access.permissions import Permission

LEGACY = uuid.UUID("00000000-0000-4000-8000-000000000001")
"""The project ``legacy``: what was scanned before there were projects, and where who names none belongs."""
DRILL = uuid.UUID("00000000-0000-4000-8000-000000000002")
"""The project of standing drills (drill/): made up, and so in nobody's figures."""


@dataclass(frozen=True, slots=True)
class View:
    """The projects that a query may see; None: all. Only `Access` and `EVERYTHING` make them."""

    projects: frozenset[uuid.UUID] | None

    def sees(self, project: uuid.UUID | None) -> bool:
        """Whether what belongs to this project may be seen."""
        return self.projects is None or project in self.projects

    def only(self, project: uuid.UUID) -> View:
        """Of what it sees, what belongs to this project."""
        return self.among((project,))

    def among(self, projects: Iterable[uuid.UUID]) -> View:
        """Of what it sees, what belongs to these projects."""
        return View(frozenset(key for key in projects if self.sees(key)))


EVERYTHING = View(None)
"""For work that is nobody's: queue, workers, retention."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is limited to, whatever its roles: these permissions (None: any), in these projects and groups
    (both None: anywhere). One that is limited to places can do nothing of the server as a whole."""

    permissions: frozenset[Permission] | None = None
    projects: frozenset[uuid.UUID] | None = None
    groups: frozenset[uuid.UUID] | None = None


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

    def within(self, scope: Scope) -> Access:
        """What of it a token may do that is limited to ``scope``."""
        allowed = frozenset(Permission) if scope.permissions is None else scope.permissions
        if scope.projects is None or scope.groups is None:
            everywhere = self.everywhere & allowed
            projects, groups = _cut(self.projects, allowed), _cut(self.groups, allowed)
            return replace(self, everywhere=everywhere, projects=projects, groups=groups)
        above = frozenset(p for p in self.everywhere if p.in_projects)
        projects = {place: self.projects.get(place, frozenset()) | above for place in scope.projects}
        groups = {place: self.groups.get(place, frozenset()) | above for place in scope.groups}
        empty: frozenset[Permission] = frozenset()
        return replace(self, everywhere=empty, projects=_cut(projects, allowed), groups=_cut(groups, allowed))

    def shared_with(self, other: Access) -> Access:
        """What both may do; who this is for stays the same."""
        return replace(
            self,
            everywhere=self.everywhere & other.everywhere,
            projects=_shared((self.everywhere, self.projects), (other.everywhere, other.projects)),
            groups=_shared((self.everywhere, self.groups), (other.everywhere, other.groups)),
        )


_Places = Mapping[uuid.UUID, frozenset[Permission]]


def _cut(places: _Places, allowed: frozenset[Permission]) -> _Places:
    kept = {place: held & allowed for place, held in places.items()}
    return {place: held for place, held in kept.items() if held}


def _shared(
    one: tuple[frozenset[Permission], _Places], two: tuple[frozenset[Permission], _Places]
) -> _Places:
    found = {}
    for place in {*one[1], *two[1]}:
        held = (one[0] | one[1].get(place, frozenset())) & (two[0] | two[1].get(place, frozenset()))
        found[place] = frozenset(p for p in held if p.in_projects)
    return {place: held for place, held in found.items() if held}


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
