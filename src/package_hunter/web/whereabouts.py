"""Where something is to hold, as people write it: the path of a project or group, or nothing for everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.api.errors import ApiError
from package_hunter.web.inside import get, part


@dataclass(frozen=True, slots=True)
class Spot:
    """A place: ``kind`` is project, group or everywhere; ``root`` is what its routes begin with in the API."""

    kind: str
    path: str = ""
    key: str = ""

    @property
    def root(self) -> str:
        """``/projects/ID``, ``/groups/ID``, or nothing."""
        return f"/{self.kind}s/{part(self.key)}" if self.key else ""

    @property
    def name(self) -> str:
        """For people."""
        return self.path or "everywhere"


def held_at(access: Access, spot: Spot) -> frozenset[Permission]:
    """What an account may do there: for what to show; the API looks closer."""
    places = access.projects if spot.kind == "project" else access.groups
    here: frozenset[Permission] = frozenset()
    for key, held in places.items():
        if str(key) == spot.key:
            here = held
    return access.everywhere | here


EVERYWHERE = Spot("everywhere")


async def spots(request: Request) -> list[Spot]:
    """All groups and projects that the account sees, by path."""
    found = []
    for kind in ("group", "project"):
        items = (await get(request, f"/{kind}s"))["items"]
        found += [Spot(kind, one["path"], one["id"]) for one in items]
    return sorted(found, key=lambda one: one.path)


async def spot_at(request: Request, path: str) -> Spot:
    """The place of this path; ApiError 404."""
    if not path:
        return EVERYWHERE
    for one in await spots(request):
        if one.path == path:
            return one
    raise ApiError(404, f"There is no group or project {path[:255]!r}.", "Choose one of the list.")


async def spot_of(request: Request, kind: str, key: str) -> Spot:
    """The group or project of this id; ApiError 404."""
    if kind == "project":
        found = await get(request, f"/projects/{part(key)}")
        return Spot(kind, found["path"], found["id"])
    for one in (await get(request, "/groups"))["items"]:
        if one["id"] == key:
            return Spot(kind, one["path"], one["id"])
    raise ApiError(404, "There is no such group.", "See the list of groups.")
