"""URLs of the store, and errors as sentences."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from package_hunter.acting import acting_as_owner
from package_hunter.api.server import server_ids
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.store import sqlite_file
from package_hunter.store.database import DiskFullError, Store, StoreError, database_url
from package_hunter.store.sqlite_file import refuse_links
from tests.support.requires import needs_root
from tests.support.service_harness import open_folder


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


PLACES = ("store.db", "store.db-wal", "store.db-shm", "store.db-journal")


@pytest.mark.parametrize("name", PLACES)
def test_links_in_the_store_s_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/etc/hostname")
    with pytest.raises(HostError, match="not an ordinary file"):
        refuse_links(tmp_path / "store.db")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A store that was made and left; the folder of its files."""
    (tmp_path / "store").mkdir()
    store = Store(Settings(data_dir=tmp_path))
    store.migrate()
    store.close()
    return tmp_path / "store"


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
@pytest.mark.parametrize("name", PLACES)
def test_whoever_opens_a_store_refuses_what_is_no_file(made: Path, name: str, kind: str) -> None:
    outside = made.parent / "outside"
    if kind == "link":
        (made / "store.db").rename(outside) if name == "store.db" else outside.touch()
    (made / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(made / name)
    elif kind == "folder":
        (made / name).mkdir()
    else:
        (made / name).symlink_to(outside)
    before = outside.read_bytes() if kind == "link" else None
    store = Store(Settings(data_dir=made.parent))
    for use in (store.read, store.write, store.migrate):
        with pytest.raises(StoreError, match=f"{name} of the store is not an ordinary file"):
            _use(use)
    store.close()
    assert (outside.read_bytes() if outside.exists() else None) == before


def _use(what: Callable[[], AbstractContextManager[Session] | None]) -> None:
    context = what()
    if context is not None:
        with context as session:
            session.connection()


def test_a_link_put_there_between_two_connections_is_refused(made: Path) -> None:
    """The look before does not help where the link comes after it: SQLite is asked what it opened."""
    outside = made.parent / "outside"
    (made / "store.db").rename(outside)
    (made / "store.db").symlink_to(outside)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(StoreError, match="not an ordinary file"):
        patch.setattr(sqlite_file, "refuse_links", lambda _file: None)
        sqlite_file.connect(made / "store.db")


def test_root_works_in_the_store_with_its_owner_s_rights() -> None:
    needs_root()
    with open_folder() as folder:
        settings = Settings(data_dir=folder)
        uid = server_ids(settings)[0]
        store = open_store(settings)
        for path in (folder / "store").iterdir():
            path.unlink()
        store.close()
        store = Store(settings)
        store.migrate()
        with store.write() as session:
            session.execute(text("INSERT INTO workers (name, seen) VALUES ('w', 1)"))
            assert {p.stat().st_uid for p in (folder / "store").iterdir()} == {uid}, "made as its owner"
            with acting_as_owner(folder / "store"), pytest.raises(PermissionError):
                Path("/etc/shadow").read_bytes()
            with pytest.raises(PermissionError):  # still the owner's rights after an inner block
                Path("/etc/shadow").read_bytes()
        assert Path("/etc/shadow").read_bytes()
        store.close()


@pytest.mark.parametrize(
    "url", ["sqlite:////x/y.db?timeout=9", "sqlite:///file:/x/y.db", "sqlite:///:memory:"]
)
def test_a_file_by_another_name_than_its_path_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="no file"):
        Store(Settings(data_dir=tmp_path, database_url=url))


_WORKER = text("INSERT INTO workers (name, seen) VALUES ('w', 1)")


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data folder on a disk of its own, with a store that was left in order: its companions are gone."""
    needs_root()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=64", "none", tmp_path], check=True)
    try:
        (tmp_path / "store").mkdir()
        store = Store(Settings(data_dir=tmp_path))
        store.migrate()
        store.close()
        assert [path.name for path in (tmp_path / "store").iterdir()] == ["store.db"]
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


def _fill(folder: Path, what: str) -> None:
    with pytest.raises(OSError, match="space"):
        if what == "bytes":
            (folder / "ballast").write_bytes(bytes(5 << 20))
        for number in range(100 if what == "names" else 0):
            (folder / f"ballast{number}").touch()


@pytest.mark.parametrize("what", ["bytes", "names"])
def test_a_full_disk_is_named_also_where_sqlite_speaks_of_something_else(
    on_small_disk: Path, what: str
) -> None:
    """After a restart SQLite cannot make its companions, and calls that an I/O error."""
    _fill(on_small_disk, what)
    store = Store(Settings(data_dir=on_small_disk))
    store.migrate()  # nothing is to be done
    for _ in range(2):
        with pytest.raises(DiskFullError, match="disk is full") as told, store.write() as session:
            session.execute(_WORKER)
        assert "Free some space" in told.value.advice
        with store.read() as session:
            assert session.execute(text("SELECT count(*) FROM workers")).scalar() == 0, "reading goes on"
    for ballast in on_small_disk.glob("ballast*"):
        ballast.unlink()
    with store.write() as session:
        session.execute(_WORKER)
    with store.read() as session:
        assert session.execute(text("SELECT count(*) FROM workers")).scalar() == 1
    store.close()


def test_what_a_killed_process_left_in_the_log_is_not_passed_over(on_small_disk: Path) -> None:
    """Then the file alone is not the store, and a full disk is said as such."""
    (on_small_disk / "store/store.db-wal").write_bytes(b"something")
    _fill(on_small_disk, "bytes")
    store = Store(Settings(data_dir=on_small_disk))
    with pytest.raises(DiskFullError, match="disk is full"):
        _use(store.read)
    store.close()


def test_a_new_store_on_a_full_disk(on_small_disk: Path) -> None:
    (on_small_disk / "store/store.db").unlink()
    _fill(on_small_disk, "bytes")
    store = Store(Settings(data_dir=on_small_disk))
    with pytest.raises(DiskFullError, match="disk is full"):
        store.migrate()
    store.close()


def test_a_store_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.db").write_bytes(b"no database at all" * 100)
    store = Store(Settings(data_dir=tmp_path))
    with pytest.raises(StoreError, match="not a database"):
        store.migrate()
    store.close()
