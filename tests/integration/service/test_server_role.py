"""PostgreSQL's tables with an owner of their own: the application works, and cannot touch the history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from package_hunter.access.actor import Actor
from package_hunter.audit.sealer import Sealer
from package_hunter.audit.verify import verify
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.queue import make
from package_hunter.store import accounts, history, places, scans
from package_hunter.store.database import Store, StoreError
from package_hunter.store.history import Change
from package_hunter.store.scans import NewScan
from tests.integration.service.conftest import _empty
from tests.support.service_fake import made_report

BY = Actor("ana", "test")


def _as(url: str, role: str) -> str:
    return url.replace("hunter@", f"{role}@")


@pytest.fixture
def urls(postgres_url: str) -> Iterator[tuple[str, str]]:
    """The owner's and the application's."""
    _empty(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for role in ("owner", '"app-role"', "other"):
            connection.execute(f"CREATE ROLE {role} LOGIN")  # type: ignore[arg-type]
        connection.execute("ALTER SCHEMA public OWNER TO owner")
    yield _as(postgres_url, "owner"), _as(postgres_url, "app-role")
    _empty(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for role in ("owner", '"app-role"', "other"):
            connection.execute(f"DROP OWNED BY {role} CASCADE")  # type: ignore[arg-type]
            connection.execute(f"DROP ROLE {role}")  # type: ignore[arg-type]


def _store(url: str, folder: Path) -> Store:
    return Store(Settings(data_dir=folder, database_url=url))


@pytest.fixture
def app(urls: tuple[str, str], tmp_path: Path) -> Iterator[Store]:
    owner = _store(urls[0], tmp_path)
    for _ in range(2):  # again after an upgrade, say
        owner.migrate()
        owner.grant("app-role")
    owner.close()
    made = _store(urls[1], tmp_path)
    made.migrate()  # as each start does
    yield made
    made.close()


def test_the_application_does_all_that_it_does(app: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    queue = make(settings, app)
    with app.write() as session:
        project = places.add_project(session, "shop", BY)
        accounts.add_token(session, "ci")
        scan = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x", project=project.id))
        queue.enqueue(session, scan.id)
    job = queue.claim("w")
    assert job is not None
    queue.finish(job, made_report(str(scan.id)))
    assert Sealer(app, settings).seal() > 0
    from package_hunter.audit import keys

    with app.read() as session:
        assert verify(session, keys.public_keys(settings), []).problems == []


@pytest.mark.parametrize("table", ["history", "history_seals"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = 'nobody'",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "DROP TABLE {table} CASCADE",
        "DROP TRIGGER {table}_stays ON {table}",
        "ALTER TABLE {table} ADD COLUMN x text",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION package_hunter_history_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NULL; END $$",
        "GRANT ALL ON {table} TO PUBLIC",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_it_cannot_touch_the_history(app: Store, table: str, statement: str) -> None:
    with app.write() as session:
        history.record(session, BY, Change("user.add", "bob"))
        session.execute(text("INSERT INTO history_seals VALUES (1, 1, 'a', 'b', 'c', 5)"))
    column = {"history": "who", "history_seals": "digest"}[table]
    with app.write() as session:
        before = session.execute(text(f"SELECT * FROM {table}")).all()
    asked = statement.format(table=table, column=column)
    try:
        with app.write() as session:
            session.execute(text(asked))
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except StoreError as error:
        assert any(words in str(error) for words in ("permission denied", "must be owner", "never changed"))
    else:
        assert asked.startswith("GRANT"), "PostgreSQL only warns that nothing was granted"
    with app.read() as session:
        assert session.execute(text(f"SELECT * FROM {table}")).all() == before
        granted = session.scalar(text(f"SELECT has_table_privilege('other', '{table}', 'UPDATE')"))
    assert granted is False


def test_a_store_that_is_behind_says_who_must_bring_it_up_to_date(
    urls: tuple[str, str], postgres_url: str, tmp_path: Path
) -> None:
    owner = _store(urls[0], tmp_path)
    owner.migrate()
    owner.grant("app-role")
    owner.close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0006'")
    made = _store(urls[1], tmp_path)
    try:
        with pytest.raises(HostError, match="belong to another role"):
            made.migrate()
    finally:
        made.close()


@pytest.mark.parametrize(("role", "says"), [("nobody-here", "no role"), ("owner", "is the owner")])
def test_roles_that_are_no_good(urls: tuple[str, str], tmp_path: Path, role: str, says: str) -> None:
    made = _store(urls[0], tmp_path)
    try:
        made.migrate()
        with pytest.raises(UsageError, match=says):
            made.grant(role)
    finally:
        made.close()
