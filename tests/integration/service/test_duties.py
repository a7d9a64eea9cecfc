"""Groups, projects, roles and the move of what was there before: on both databases."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, select, text

from package_hunter.access.actor import Actor
from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES, Role
from package_hunter.access.view import EVERYTHING, LEGACY, View
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store import accounts, history, members, passwords, places, reports, scans
from package_hunter.store.access_tables import Member
from package_hunter.store.database import Store, StoreError
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.store.scan_list import ScanFilters, page
from package_hunter.store.scans import NewScan

BY = Actor("ana", "192.0.2.1")


@pytest.fixture
def tree(store: Store) -> dict[str, uuid.UUID]:
    """Groups ``a``, ``a/b`` and ``ab``, a project in each."""
    found = {}
    with store.write() as session:
        for path in ("a", "a/b", "ab"):
            found[path] = places.add_group(session, path, BY).id
            found[f"{path}/p"] = places.add_project(session, f"{path}/p", BY).id
    return found


def test_a_role_in_a_group_holds_in_all_below_and_nowhere_else(
    store: Store, tree: dict[str, uuid.UUID]
) -> None:
    with store.write() as session:
        accounts.add_user(session, "dev", "correct horse", accounts.Start(()), BY)
        members.give(
            session, "dev", Role.DEVELOPER, Place(group=places.group_at(session, EVERYTHING, "a")), BY
        )
    with store.read() as session:
        access = members.access_of(session, "dev")
        seen = places.projects(session, access.view(Permission.SCAN_READ))
        assert [p.path for p in seen] == ["a/b/p", "a/p"], "ab begins with an a, and lies not in it"
        groups = places.groups(session, access.groups_view(Permission.PROJECT_READ))
        assert [g.path for g in groups] == ["a", "a/b"]
        assert access.may_in(tree["a/b/p"], Permission.SCAN_SUBMIT)
        assert not access.may_in(tree["ab/p"], Permission.PROJECT_READ)
        assert not access.may_in(LEGACY, Permission.PROJECT_READ)
        with pytest.raises(places.MissingError, match="no project 'ab/p'"):
            places.project_at(session, access.view(Permission.PROJECT_READ), "ab/p")


def test_a_project_that_is_made_later_is_seen_too(store: Store, tree: dict[str, uuid.UUID]) -> None:
    with store.write() as session:
        accounts.add_user(session, "dev", "correct horse", accounts.Start(()), BY)
        members.give(
            session, "dev", Role.VIEWER, Place(group=places.group_at(session, EVERYTHING, "a/b")), BY
        )
        new = places.add_project(session, "a/b/new", BY)
        assert members.access_of(session, "dev").may_in(new.id, Permission.REPORT_READ)


def test_who_comes_later_under_the_same_name_is_somebody_else(store: Store) -> None:
    with store.write() as session:
        accounts.add_user(session, "dev", "correct horse", by=BY)
        members.give(session, "dev", Role.ADMINISTRATOR, Place(), BY)
        accounts.remove_user(session, "dev", BY)
        assert not members.access_of(session, "dev").everywhere
        accounts.add_user(session, "dev", "battery staple", accounts.Start(()), BY)
        assert not members.access_of(session, "dev").everywhere
        assert members.roles_of(session, "dev") == []


def test_a_revoked_token_can_nothing(store: Store) -> None:
    with store.write() as session:
        accounts.add_token(session, "ci", by=BY)
        assert members.access_of(session, "token:ci").may_in(LEGACY, Permission.SCAN_SUBMIT)
        accounts.revoke_token(session, "ci", BY)
        accounts.revoke_token(session, "ci", BY)
        assert not members.access_of(session, "token:ci").projects


def test_a_role_that_this_version_does_not_know_gives_nothing(store: Store) -> None:
    with store.write() as session:
        accounts.add_user(session, "dev", "correct horse", accounts.Start(()), BY)
        who = members.account(session, "dev")
        assert who is not None
        session.add(Member(account_id=who.id, place="everywhere", role="emperor", created=1))
        session.flush()
        assert not members.access_of(session, "dev").everywhere


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", "..", "a/../b", ".a", "-a", "a b", "é", "a" * 256, "a/" * 21 + "a"]
)
def test_paths_that_cannot_be(store: Store, path: str) -> None:
    with store.write() as session, pytest.raises(UsageError, match="cannot be a path"):
        places.add_group(session, path, BY)


def test_a_path_is_a_group_or_a_project(store: Store, tree: dict[str, uuid.UUID]) -> None:
    with store.write() as session:
        for add in (places.add_group, places.add_project):
            for taken in ("a", "a/p", "legacy"):
                with pytest.raises(places.TakenError):
                    add(session, taken, BY)
        with pytest.raises(places.MissingError, match="no group 'legacy'"):
            places.add_project(session, "legacy/x", BY)


def test_lists_and_reports_are_those_of_the_view(store: Store, tree: dict[str, uuid.UUID]) -> None:
    with store.write() as session:
        for n in range(6):
            place = tree["a/p" if n % 2 else "ab/p"]
            scans.add(session, NewScan(f"{n}", "ana", purl="pkg:npm/x", project=place))
    mine = View(frozenset({tree["a/p"]}))
    with store.read() as session:
        first = page(session, mine, ScanFilters(), 2)
        rest = page(session, mine, ScanFilters(), 2, before=first.next)
        assert {s.project_id for s in [*first.rows, *rest.rows]} == {tree["a/p"]}
        assert (len(first.rows), len(rest.rows), rest.next) == (2, 1, None)
        other = page(session, View(frozenset({tree["ab/p"]})), ScanFilters(), 1).rows[0].id
        assert scans.get(session, mine, other) is None
        assert scans.report(session, mine, other) is None
        assert page(session, View(frozenset()), ScanFilters(), 9).rows == []


def _migrate(settings: Settings, store: Store, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "package_hunter.store:migrations")
    from package_hunter.store import sqlite_file

    if store.is_sqlite:
        sqlite_file.make(settings.data_dir / "store/store.db")
    with store.engine.execution_options(hunter_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_what_was_there_before_goes_to_legacy_and_can_what_it_could(settings: Settings) -> None:
    store = Store(settings)
    _migrate(settings, store, "0005")
    scan = uuid.uuid4()
    with store.engine.execution_options(hunter_write=True).begin() as connection:
        key = scan.hex if store.is_sqlite else str(scan)
        connection.execute(
            text(
                "INSERT INTO scans (id, target, purl, submitter, created, status) "
                "VALUES (:id, 'x', 'pkg:npm/x', 'ana', 5, 'finished')"
            ),
            {"id": key},
        )
        body = {"id": key, "body": reports.pack({"id": str(scan)})}
        connection.execute(text("INSERT INTO reports (scan_id, body) VALUES (:id, :body)"), body)
        hashed = passwords.hash_password("correct horse")
        connection.execute(text("INSERT INTO users VALUES ('ana', :hash, 5)"), {"hash": hashed})
        token = "INSERT INTO tokens VALUES (:name, :digest, 5, NULL, :revoked)"
        for name, revoked in (("ci", None), ("old", 6)):
            digest = accounts.token_digest(f"ph_{name}")
            connection.execute(text(token), {"name": name, "digest": digest, "revoked": revoked})
    store.migrate()
    store.migrate()
    with store.read() as session:
        assert [p.path for p in places.projects(session, EVERYTHING)] == ["legacy"]
        assert session.scalar(select(func.count()).select_from(Scan)) == 1
        for name in ("ana", "token:ci"):
            access = members.access_of(session, name)
            assert access.home == LEGACY
            assert access.view(Permission.REPORT_READ) == View(frozenset({LEGACY}))
            assert access.projects[LEGACY] == ROLES[Role.DEVELOPER]
            assert access.may(Permission.METRICS_READ)
            assert scans.report(session, access.view(Permission.REPORT_READ), scan) == {"id": str(scan)}
        assert not members.access_of(session, "token:old").projects
        assert accounts.find_token(session, "ph_ci") == "ci"
    store.close()


def test_each_change_is_told_with_what_was_and_what_is(store: Store, tree: dict[str, uuid.UUID]) -> None:
    with store.write() as session:
        accounts.add_user(session, "dev", "correct horse", accounts.Start(()), BY, "joins the team")
        place = Place(project=places.project_at(session, EVERYTHING, "a/p"))
        members.give(session, "dev", Role.VIEWER, place, BY, "reads first")
        members.take(session, "dev", Role.VIEWER, place, Actor("bob", "198.51.100.7"))
    with store.read() as session:
        told = history.entries(session, 99)[-3:]
        assert [(e.who, e.origin, e.action, e.object, e.why) for e in told] == [
            ("ana", "192.0.2.1", "user.add", "dev", "joins the team"),
            ("ana", "192.0.2.1", "member.add", "dev", "reads first"),
            ("bob", "198.51.100.7", "member.remove", "dev", None),
        ]
        assert told[1].project_id == told[2].project_id == tree["a/p"]
        assert json.loads(told[1].after or "") == json.loads(told[2].before or "")
        assert "correct horse" not in "".join(f"{e.after}{e.before}" for e in told)


def test_a_change_that_fails_is_not_told(store: Store) -> None:
    with pytest.raises(UsageError), store.write() as session:
        places.add_group(session, "g", BY)
        places.add_group(session, "g", BY)
    with store.read() as session:
        assert history.entries(session, 9) == []


_ACTS: dict[str, Callable[[str], str]] = {
    "update": lambda table: f"UPDATE {table} SET {'who' if table == 'history' else 'digest'} = 'nobody'",
    "delete": lambda table: f"DELETE FROM {table}",
}


@pytest.mark.parametrize("table", ["history", "history_seals"])
@pytest.mark.parametrize("act", ["update", "delete", "truncate", "replace"])
def test_what_is_written_stays(store: Store, act: str, table: str) -> None:
    entry = "VALUES (1, 5, 'a', 'b', 'c', 'd')"
    first = {
        "history": f"INTO history (id, time, who, origin, action, object) {entry}",
        "history_seals": "INTO history_seals VALUES (1, 1, 'a', 'b', 'c', 5)",
    }[table]
    if act == ("truncate" if store.is_sqlite else "replace"):
        return  # this database has no such statement
    statement = {"truncate": f"TRUNCATE {table} CASCADE", "replace": f"INSERT OR REPLACE {first}"}.get(act)
    with store.write() as session:
        session.execute(text(f"INSERT {first}"))
    with pytest.raises(StoreError, match="never changed"), store.write() as session:
        session.execute(text(statement or _ACTS[act](table)))
    with store.read() as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 1
