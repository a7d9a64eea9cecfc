"""Roles of providers' groups by proposals, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from package_hunter.access.roles import Role
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store import members, providers
from package_hunter.store.database import Store
from package_hunter.store.identity_tables import IdentityRow
from package_hunter.store.providers import Mapping, NewProvider
from package_hunter.store.secret_box import SecretBox
from tests.support.proposals_world import TEST, World

KIND = "role-mappings"


@pytest.fixture
def world(store: Store, settings: Settings) -> World:
    made = World(store)
    made.add("eve")
    with store.write() as session:
        row = providers.add(
            session, SecretBox(settings), NewProvider("corp", "oidc", "https://id.example", "x"), TEST
        )
        eve = members.account(session, "eve")
        assert eve is not None
        groups = json.dumps(["security", "shop"])
        session.add(
            IdentityRow(provider_id=row.id, subject="s", account_id=eve.id, groups=groups, created=1, seen=1)
        )
    return made


def mapping(group: str, role: str, place: str = "") -> dict[str, Any]:
    return {"mappings": [{"provider": "corp", "group": group, "role": role, "place": place}]}


def test_groups_get_roles_by_two_people(world: World) -> None:
    number = world.propose("ann", mapping("security", "security-admin", "web"), kind=KIND)
    assert json.loads(world.get(number).impact)["effects"] == ["eve gets security-admin (web)."]
    with world.store.read() as session:
        assert members.roles_of(session, "eve") == []
    assert world.approve("bea", number) == "applied"
    with world.store.read() as session:
        assert members.roles_of(session, "eve") == [("security-admin", "web")]
        assert providers.mappings(session) == [Mapping("corp", "security", "security-admin", "web")]


def test_mappings_that_were_changed_meanwhile(world: World) -> None:
    number = world.propose("ann", mapping("security", "analyst"), kind=KIND)
    with world.store.write() as session:
        providers.put_mappings(session, [Mapping("corp", "shop", "viewer")], TEST)
    assert world.approve("bea", number) == "stale"


def test_mappings_that_would_lock_everybody_out_are_refused(world: World) -> None:
    world.approve("bea", world.propose("ann", mapping("security", "security-admin"), kind=KIND))
    with world.store.write() as session:
        for name in ("ann", "bea", "carl", "dora"):
            members.give(session, name, Role.SECURITY_ADMIN, world.place(session, "web"), TEST)
            members.take(session, name, Role.SECURITY_ADMIN, members.Place(), TEST)
    with pytest.raises(UsageError, match="locked out"):
        world.propose("eve", {"mappings": []}, kind=KIND)
    with pytest.raises(UsageError, match="locked out"):
        world.propose("eve", mapping("nobodys", "security-admin"), kind=KIND)
    world.propose("eve", mapping("shop", "security-admin"), kind=KIND)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"mappings": {}},
        {"mappings": ["x"]},
        {"mappings": [{"provider": "corp", "group": "g"}]},
        {"mappings": [{"provider": "corp", "group": "g", "role": "viewer", "more": "x"}]},
        {"mappings": [{"provider": "gone", "group": "g", "role": "viewer"}]},
        {"mappings": [{"provider": "corp", "group": "g", "role": "king"}]},
        {"mappings": [{"provider": "corp", "group": "g", "role": "viewer", "place": "gone"}]},
        {"mappings": [{"provider": "corp", "group": 7, "role": "viewer"}]},
    ],
)
def test_mappings_that_cannot_be(world: World, wrong: Any) -> None:
    with pytest.raises(UsageError):
        world.propose("ann", wrong, kind=KIND)


def test_mappings_hold_for_the_whole_server(world: World) -> None:
    with pytest.raises(UsageError, match="whole server"):
        world.propose("ann", mapping("security", "analyst"), "web", KIND)
