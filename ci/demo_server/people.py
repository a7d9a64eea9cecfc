"""Groups, projects, people: made by the administrator, where they are not there yet."""

from __future__ import annotations

from typing import Any

from ci.demo_server.client import Client
from ci.demo_server.plan import ANA, GROUPS, PEOPLE, PROJECTS, Person


def make(by: Client, passwords: dict[str, str]) -> None:
    """All of them."""
    _places(by, "/groups", GROUPS)
    _places(by, "/projects", PROJECTS)
    known = {one["name"] for one in by.get("/users")["items"]}
    for person in PEOPLE:
        if person.name not in known and person is not ANA:
            by.post("/users", _user(person, passwords[person.name]))


def _places(by: Client, route: str, paths: tuple[str, ...]) -> None:
    known = {one["path"] for one in by.get(route)["items"]}
    for path in paths:
        if path not in known:
            by.post(route, {"path": path, "why": "for the demonstration"})


def _user(person: Person, password: str) -> dict[str, Any]:
    roles = [{"role": role, **({"group": place} if place else {})} for role, place in person.roles]
    return {"name": person.name, "password": password, "roles": roles, "home": person.home, "why": person.who}
