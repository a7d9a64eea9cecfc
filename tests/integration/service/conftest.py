"""Every test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.queue.local import LocalQueue
from package_hunter.store.database import Store
from tests.support.service_postgres import postgres


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
    made = Settings(data_dir=tmp_path, database_url=url, lease_seconds=0.3, max_attempts=3, min_free_bytes=0)
    prepare_folders(made)
    return made


def _empty(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    made = Store(settings)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def queue(store: Store, settings: Settings) -> LocalQueue:
    return LocalQueue(store, settings)
