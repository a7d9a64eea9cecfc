"""Every test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.queue import make
from package_hunter.queue.base import Queue
from package_hunter.store.database import Store, store_dir
from tests.support.service_postgres import dumped, postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        _empty(url)
    # without known results nothing joins what is in flight: most tests scan one package again and again
    more: dict[str, Any] = {
        "lease_seconds": 60,
        "max_attempts": 3,
        "min_free_bytes": 0,
        "result_cache_seconds": 0,
    }
    made = Settings(data_dir=tmp_path, database_url=url, **more)
    prepare_folders(made)
    return made


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with its tables, made once: the migrations take a second."""
    made = Settings(data_dir=tmp_path_factory.mktemp("tables"), min_free_bytes=0)
    prepare_folders(made)
    _migrated(made)
    return store_dir(made) / "store.db"


@pytest.fixture(scope="session")
def postgres_tables(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The SQL that makes the same on PostgreSQL."""
    _empty(postgres_url)
    _migrated(Settings(data_dir=tmp_path_factory.mktemp("tables"), database_url=postgres_url))
    return dumped(postgres_url)


def _migrated(settings: Settings) -> None:
    store = Store(settings)
    store.migrate()
    store.close()


def _with_tables(request: pytest.FixtureRequest, settings: Settings) -> None:
    if settings.database_url is None:
        tables, folder = request.getfixturevalue("sqlite_tables"), store_dir(settings)
        shutil.copy(tables, folder)
        os.chown(folder / tables.name, folder.stat().st_uid, folder.stat().st_gid)
        return
    tables = request.getfixturevalue("postgres_tables")
    _empty(settings.database_url)  # where the tables were made just now
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(tables)


@pytest.fixture
def store(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Store]:
    _with_tables(request, settings)
    made = Store(settings)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def queue(store: Store, settings: Settings) -> Iterator[Queue]:
    made = make(settings, store)
    yield made
    if not store.is_sqlite:
        made.close()  # type: ignore[attr-defined] # where it listens for scans
