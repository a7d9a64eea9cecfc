"""Who may approve changes by proposals, and past them only where one is alone, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.access.roles import Role
from package_hunter.errors import UsageError
from package_hunter.governance.proposals.alone import require_alone_for, require_alone_for_start
from package_hunter.store import members
from package_hunter.store.database import Store
from package_hunter.store.starts import Grant, Start
from tests.support.proposals_world import TEST, World

KIND = "approval-rights"


@pytest.fixture
def world(store: Store) -> World:
    made = World(store)
    made.add("eve")
    return made


def rights(account: str, held: bool = True) -> dict[str, Any]:
    return {"account": account, "role": "security-admin", "held": held}


def test_a_further_approver_takes_two(world: World) -> None:
    number = world.propose("ann", rights("eve"), "web", KIND)
    assert "+held: true" in world.get(number).diff
    with world.store.read() as session:
        assert members.roles_of(session, "eve") == []
    assert world.approve("bea", number) == "applied"
    with world.store.read() as session:
        assert members.roles_of(session, "eve") == [("security-admin", "web")]
    assert world.approve("eve", world.propose("dev", rights("dev"), "web/shop", KIND)) == "applied"
    back = world.propose("eve", rights("dev", held=False), "web/shop", KIND)
    assert world.approve("ann", back) == "applied"
    with world.store.read() as session:
        assert members.roles_of(session, "dev") == [("developer", "web/shop")]


def test_the_last_approver_is_not_taken_away(store: Store) -> None:
    world = World(store, "ann")
    with pytest.raises(UsageError, match="locked out"):
        world.propose("ann", rights("ann", held=False), kind=KIND)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        rights("nobody"),
        rights("token:ci"),
        rights("eve") | {"role": "administrator"},
        rights("eve") | {"role": ["security-admin"]},
        rights("eve") | {"held": "yes"},
        rights("ann"),
        rights("eve", held=False),
    ],
)
def test_rights_that_cannot_be(world: World, wrong: Any) -> None:
    world.add("token:ci", Role.DEVELOPER)
    with pytest.raises(UsageError):
        world.propose("bea", wrong, kind=KIND)


def test_past_proposals_only_where_one_is_alone(store: Store) -> None:
    world = World(store, "ann")
    with store.write() as session:
        require_alone_for(session, Role.SECURITY_ADMIN, "bea", members.Place())
    world.add("bea", Role.SECURITY_ADMIN, "web")
    with store.write() as session:
        require_alone_for(session, Role.SECURITY_ADMIN, "eve", members.Place())
        with pytest.raises(UsageError, match=r"2 people may approve changes here \(web/shop\)"):
            require_alone_for(session, Role.SECURITY_ADMIN, "eve", world.place(session, "web/shop"))
        members.give(session, "bea", Role.SECURITY_ADMIN, members.Place(), TEST)
    with store.write() as session:
        for account in ("eve", ""):
            with pytest.raises(UsageError, match="2 people may approve"):
                require_alone_for(session, Role.SECURITY_ADMIN, account, members.Place())
        with pytest.raises(UsageError, match="2 people may approve"):
            require_alone_for_start(session, Start((Grant(Role.SECURITY_ADMIN, members.Place()),)))
        require_alone_for(session, Role.SECURITY_ADMIN, "token:ci", members.Place())
        require_alone_for_start(session, Start((Grant(Role.DEVELOPER, members.Place()),)))
