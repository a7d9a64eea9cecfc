"""PostgreSQL: the role that the server works as cannot change the history, whatever it tries."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from package_hunter.access.actor import Actor
from package_hunter.api.server import prepare_folders
from package_hunter.audit import keys, verify
from package_hunter.audit.sealer import Sealer
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.queue import make
from package_hunter.store import accounts, grants, history, scans
from package_hunter.store.database import Store, StoreError
from package_hunter.store.scans import NewScan

BY = Actor("ana", "192.0.2.1")


@pytest.fixture
def roles(postgres_url: str) -> Iterator[tuple[str, str]]:
    """The URLs of an owner and of a server's role, both no superusers, on an empty database."""
    name = f"d{uuid.uuid4().hex[:12]}"
    owner, guest = f"owner_{name}", f"server-{name}"  # one that must be quoted
    with psycopg.connect(postgres_url, autocommit=True) as root:
        for role in (owner, guest):
            root.execute(f'CREATE ROLE "{role}" LOGIN')  # type: ignore[arg-type,unused-ignore]
        root.execute(f'CREATE DATABASE {name} OWNER "{owner}"')  # type: ignore[arg-type,unused-ignore]
        host = postgres_url.partition("?")[2]
        yield tuple(f"postgresql://{role}@/{name}?{host}" for role in (owner, guest))  # type: ignore[misc]
        root.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type,unused-ignore]
        for role in (owner, guest):
            root.execute(f'DROP ROLE "{role}"')  # type: ignore[arg-type,unused-ignore]


def opened(url: str, folder: Path) -> tuple[Settings, Store]:
    settings = Settings(data_dir=folder, database_url=url, min_free_bytes=0)
    prepare_folders(settings)
    return settings, Store(settings)


def name_of(url: str) -> str:
    return url.removeprefix("postgresql://").partition("@")[0]


def test_a_server_works_and_the_history_stays(roles: tuple[str, str], tmp_path: Path) -> None:
    owners, guests = roles
    _, owner = opened(owners, tmp_path)
    owner.migrate()
    owner.grant(name_of(guests))
    owner.grant(name_of(guests))  # again, after an upgrade
    settings, store = opened(guests, tmp_path)
    store.migrate()  # nothing is to be done, and it may not do it
    with store.write() as session:
        accounts.add_user(session, "ana", "correct horse", by=BY)
        scan = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x"))
        make(settings, store).enqueue(session, scan.id)
    assert make(settings, store).claim("w") is not None
    assert Sealer(store, settings).seal() > 0
    with store.read() as session:
        assert history.entries(session, 9)
        assert verify.verify(session, keys.public_keys(settings)).problems == []
    with store.peek() as connection:
        found = grants.current_role(connection)
        assert (found.superuser, found.owns) == (False, ())
    store.close()
    with psycopg.connect(guests, autocommit=True) as connection:
        assert {"history", "history_seals", "gate_answers"} == grants.NEVER_CHANGED
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM gate_answers")
        for table in ("history", "history_seals"):
            connection.execute(f"GRANT ALL ON {table} TO CURRENT_USER")  # a warning: it gives what one has
            for statement in (
                *(
                    f"UPDATE {table} SET {'who' if table == 'history' else 'digest'} = 'x'",
                    f"DELETE FROM {table}",
                ),
                *(f"TRUNCATE {table} CASCADE", f"DROP TABLE {table} CASCADE"),
                *(f"ALTER TABLE {table} DISABLE TRIGGER ALL", f"DROP TRIGGER {table}_stays ON {table}"),
                f"ALTER TABLE {table} OWNER TO CURRENT_USER",
                f"CREATE RULE x AS ON INSERT TO {table} DO INSTEAD NOTHING",
                f"CREATE TRIGGER x BEFORE INSERT ON {table} EXECUTE FUNCTION package_hunter_history_stays()",
                f"SELECT * FROM {table} FOR UPDATE",
            ):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType)):
                    connection.execute(statement)
        for statement in (
            "CREATE OR REPLACE FUNCTION package_hunter_history_stays() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
            "SET session_replication_role = replica",
            "UPDATE alembic_version SET version_num = '0001'",
            f'SET ROLE "{name_of(owners)}"',
            "DROP FUNCTION package_hunter_history_stays() CASCADE",
        ):
            with pytest.raises(psycopg.Error) as refused:
                connection.execute(statement)
            assert isinstance(
                refused.value, psycopg.errors.InsufficientPrivilege | psycopg.errors.InvalidFunctionDefinition
            ), statement
        assert connection.execute("SELECT count(*) FROM history").fetchone() != (0,)
    with pytest.raises(StoreError, match="never changed"), owner.write() as session:
        session.connection().exec_driver_sql("DELETE FROM history")  # the owner's triggers are there too
    owner.close()


def test_an_owner_is_told_that_it_is_one(roles: tuple[str, str], postgres_url: str, tmp_path: Path) -> None:
    _, owner = opened(roles[0], tmp_path)
    owner.migrate()
    with owner.peek() as connection:
        assert "history" in grants.current_role(connection).owns
    for role, why in (
        (name_of(roles[0]), "could become it"),
        ("hunter", "could become it"),
        ("nobody-at-all", "no role"),
    ):
        with pytest.raises(UsageError, match=why):
            owner.grant(role)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'GRANT "{name_of(roles[0])}" TO "{name_of(roles[1])}"')  # type: ignore[arg-type,unused-ignore]
    with pytest.raises(UsageError, match="could become it"):
        owner.grant(name_of(roles[1]))
    owner.close()


def test_a_server_of_another_version_says_so(roles: tuple[str, str], tmp_path: Path) -> None:
    _, owner = opened(roles[0], tmp_path)
    owner.migrate()
    owner.grant(name_of(roles[1]))
    with owner.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0006'")
    _, store = opened(roles[1], tmp_path)
    with pytest.raises(HostError, match="belong to another role"):
        store.migrate()
    store.close()
    owner.close()
