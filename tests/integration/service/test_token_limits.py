"""What tokens are limited to, when they end, whose they are: on both databases."""

from __future__ import annotations

import uuid

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import update

from package_hunter.access.actor import Actor
from package_hunter.access.permissions import Permission
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store import accounts, history, members, persons, places, sqlite_file, tokens
from package_hunter.store.accounts import Grant, Start
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from package_hunter.store.models import Token
from package_hunter.store.tokens import Limits
from tests.support.clock import Clock

BY = Actor("root", "command line")
ALL = Start((Grant(Role.ADMINISTRATOR, Place()), Grant(Role.SECURITY_ADMIN, Place())))


@pytest.fixture
def tree(store: Store) -> dict[str, uuid.UUID]:
    found = {}
    with store.write() as session:
        for path in ("a", "a/b", "c"):
            found[path] = places.add_group(session, path, BY).id
            found[f"{path}/p"] = places.add_project(session, f"{path}/p", BY).id
    return found


def add(store: Store, start: Start, limits: Limits, name: str = "ci") -> str:
    with store.write() as session:
        return tokens.add_token(session, name, start, BY, limits=limits)


def test_a_token_can_what_its_roles_and_its_limits_allow(store: Store, tree: dict[str, uuid.UUID]) -> None:
    with store.read() as session:
        group = Place(group=places.group_at(session, EVERYTHING, "a"))
        project = Place(project=places.project_at(session, EVERYTHING, "c/p"))
    add(store, ALL, Limits((Permission.SCAN_SUBMIT, Permission.USER_MANAGE), (group,)))
    add(store, Start((Grant(Role.VIEWER, group),)), Limits(None, (project,)), "elsewhere")
    with store.read() as session:
        access = members.access_of(session, "token:ci")
        assert not access.everywhere, "limited to places, nothing of the server"
        assert access.view(Permission.SCAN_SUBMIT).projects == {tree["a/p"], tree["a/b/p"]}
        assert access.groups_view(Permission.SCAN_SUBMIT).projects == {tree["a"], tree["a/b"]}
        assert not access.may_in(tree["a/p"], Permission.SCAN_READ), "not among its permissions"
        nothing = members.access_of(session, "token:elsewhere")
        assert not nothing.projects, "its role is elsewhere"
        assert not nothing.may_in(tree["c/p"], Permission.PROJECT_READ)


def test_a_project_that_is_made_later_in_its_group_is_within_its_limits(
    store: Store, tree: dict[str, uuid.UUID]
) -> None:
    with store.read() as session:
        group = Place(group=places.group_at(session, EVERYTHING, "a/b"))
    add(store, ALL, Limits(None, (group,)))
    with store.write() as session:
        later = places.add_project(session, "a/b/later", BY)
    with store.read() as session:
        access = members.access_of(session, "token:ci")
        assert access.view(Permission.SCAN_READ).projects == {tree["a/b/p"], later.id}


def test_permissions_alone_leave_places_as_they_are(store: Store, tree: dict[str, uuid.UUID]) -> None:
    add(store, ALL, Limits((Permission.SCAN_READ, Permission.USER_READ)))
    with store.read() as session:
        access = members.access_of(session, "token:ci")
        assert access.everywhere == {Permission.SCAN_READ, Permission.USER_READ}


def test_a_permission_of_another_version_allows_nothing(store: Store, tree: dict[str, uuid.UUID]) -> None:
    add(store, ALL, Limits((Permission.SCAN_READ,)))
    with store.write() as session:
        session.execute(update(Token).values(permissions='["project:scan:burn"]'))
    with store.read() as session:
        assert not members.access_of(session, "token:ci").everywhere


def test_to_the_moment_a_token_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    value = add(store, ALL, Limits(expires=tokens.expiry(1)))
    endless = add(store, ALL, Limits(expires=tokens.expiry(None)), "endless")
    clock.forward(86_400 - 0.001)
    with store.read() as session:
        assert tokens.find_token(session, value) == "ci"
        assert members.access_of(session, "token:ci").everywhere
    clock.forward(0.001)
    with store.read() as session:
        assert tokens.find_token(session, value) is None
        assert not members.access_of(session, "token:ci").everywhere
        assert tokens.find_token(session, endless) == "endless"


@pytest.mark.parametrize("days", [0, -1, 3_651])
def test_days_that_cannot_be(days: int) -> None:
    with pytest.raises(UsageError, match="1 to 3650 days"):
        tokens.expiry(days)


def test_an_owners_rights_bound_the_token_and_end_with_the_owner(
    store: Store, tree: dict[str, uuid.UUID]
) -> None:
    with store.write() as session:
        here = Place(group=places.group_at(session, EVERYTHING, "a"))
        accounts.add_user(session, "ana", "correct horse", Start((Grant(Role.DEVELOPER, here),)), BY)
    add(store, ALL, Limits(owner="ana"))
    value = add(store, Start(()), Limits(owner="ana", delegated=True), "hers")
    with store.write() as session:
        for name in ("token:ci", "token:hers"):
            access = members.access_of(session, name)
            assert access.view(Permission.SCAN_SUBMIT).projects == {tree["a/p"], tree["a/b/p"]}, name
            assert access.principal == name
            assert not access.may(Permission.USER_MANAGE)
            assert persons.person_of(session, name) == persons.person_of(session, "ana")
        members.take(session, "ana", Role.DEVELOPER, here, BY)
        assert not members.access_of(session, "token:ci").projects
        assert not members.access_of(session, "token:hers").projects
        members.give(session, "ana", Role.VIEWER, here, BY)
        assert members.access_of(session, "token:hers").may_in(tree["a/p"], Permission.SCAN_READ)
        accounts.remove_user(session, "ana", BY, "left")
        assert tokens.find_token(session, value) is None
        assert not members.access_of(session, "token:ci").projects
        told = [(e.action, e.object) for e in history.entries(session, 99)][-3:]
        assert told == [("token.revoke", "token:ci"), ("token.revoke", "token:hers"), ("user.remove", "ana")]
        accounts.add_user(session, "ana", "battery staple", ALL, BY)
        assert not members.access_of(session, "token:hers").projects, "another ana"


def test_an_owned_token_without_roles_can_nothing_unless_it_was_made_to(store: Store) -> None:
    with store.write() as session:
        accounts.add_user(session, "ana", "correct horse", ALL, BY)
    add(store, Start(()), Limits(owner="ana"))
    with store.read() as session:
        assert not members.access_of(session, "token:ci").everywhere


def test_persons_are_linked_and_compared(store: Store) -> None:
    with store.write() as session:
        for name in ("ana", "ana-admin", "bob"):
            accounts.add_user(session, name, "correct horse", Start(()), BY)
        tokens.add_token(session, "hers", Start(()), BY, limits=Limits(owner="ana-admin"))
        assert persons.person_of(session, "ana") != persons.person_of(session, "ana-admin")
        persons.link(session, "ana", "ana-admin", BY, "one human being")
        found = {persons.person_of(session, name) for name in ("ana", "ana-admin", "token:hers")}
        assert len(found) == 1
        assert found != {persons.person_of(session, "bob")}
        assert persons.person_of(session, "nobody") is None
        assert history.entries(session, 99)[-1].action == "person.link"
        with pytest.raises(UsageError, match="one person already"):
            persons.link(session, "ana-admin", "ana", BY)
        with pytest.raises(UsageError, match="no user 'token:hers'"):
            persons.link(session, "bob", "token:hers", BY)


def test_what_was_there_before_goes_on(settings: Settings) -> None:
    """A store of the version before: its users are persons, its tokens end never and are limited to nothing."""
    older = Store(settings)
    _upgrade(settings, older, "0006")
    account, home = uuid.uuid4(), "00000000000040008000000000000001"
    with older.write() as session:
        run = session.connection().exec_driver_sql
        run("INSERT INTO users (name, password, created) VALUES ('ana', 'x', 1)")
        run("INSERT INTO tokens (name, sha256, created) VALUES ('ci', 'y', 1)")
        for key, name, kind in ((account, "ana", "user"), (uuid.uuid4(), "token:ci", "token")):
            run(
                "INSERT INTO accounts (id, name, kind, home, created) "
                f"VALUES ('{key.hex}', '{name}', '{kind}', '{home}', 1)"
            )
            run(
                "INSERT INTO members (account_id, place, role, created) "
                f"VALUES ('{key.hex}', 'everywhere', 'administrator', 1)"
            )
    older.migrate()
    with older.read() as session:
        assert persons.person_of(session, "ana") == account
        assert persons.person_of(session, "token:ci") not in (None, account)
        token = session.get_one(Token, "ci")
        assert (token.expires, token.permissions, token.places, token.owner_id) == (None, None, None, None)
        assert not token.delegated
        for name in ("ana", "token:ci"):
            assert Permission.USER_MANAGE in members.access_of(session, name).everywhere, name
    older.close()


def _upgrade(settings: Settings, store: Store, revision: str) -> None:
    if store.is_sqlite:
        sqlite_file.make(settings.data_dir / "store/store.db")
    config = Config()
    config.set_main_option("script_location", "package_hunter.store:migrations")
    with store.engine.execution_options(hunter_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
