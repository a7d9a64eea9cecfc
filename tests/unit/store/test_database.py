"""URLs of the store, and errors as sentences."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.store.database import Store, StoreError, database_url, refuse_links


def test_sqlite_by_default(tmp_path: Path) -> None:
    assert str(database_url(Settings(data_dir=tmp_path))) == f"sqlite:///{tmp_path}/store/store.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_by_url(tmp_path: Path, scheme: str) -> None:
    url = database_url(Settings(data_dir=tmp_path, database_url=f"{scheme}://a:b@db.example/hunter"))
    assert url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["nonsense", "mysql://db.example/x", "://"])
def test_other_urls_are_refused_without_showing_them(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        database_url(Settings(data_dir=tmp_path, database_url=url + "?password=hunter2"))
    assert "hunter2" not in str(caught.value)


def test_a_missing_driver_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match="psycopg"):
        Store(Settings(data_dir=tmp_path, database_url="postgresql://db.example/x"))


def test_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    store = Store(Settings(data_dir=tmp_path / "missing"))
    with pytest.raises(StoreError, match="cannot be opened"), store.read() as session:
        session.connection()
    store.close()


@pytest.mark.parametrize("name", ["store.db", "store.db-wal", "store.db-shm"])
def test_links_in_the_store_s_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/etc/hostname")
    with pytest.raises(HostError, match="not an ordinary file"):
        refuse_links(tmp_path / "store.db")


def test_a_store_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.db").write_bytes(b"no database at all" * 100)
    store = Store(Settings(data_dir=tmp_path))
    with pytest.raises(StoreError, match="not a database"):
        store.migrate()
    store.close()
