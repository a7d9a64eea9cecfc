"""deploy/backup and deploy/restore: what was there is there again, in another folder and another database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from package_hunter import storage
from package_hunter.config import Settings
from package_hunter.storage.base import Kind
from package_hunter.store.database import Store
from tests.support.old_store import load
from tests.support.requires import ROOT
from tests.support.service_postgres import postgres, programs

Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def kept(settings: Settings) -> str:
    """A store with everything in it, and an artefact; the artefact's digest."""
    load(settings)
    store = Store(settings)
    store.migrate()
    store.close()
    return storage.of(settings).put(Kind.ARCHIVE, b"an archive").digest


@pytest.fixture
def other(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An empty folder, and an empty database where the first one is PostgreSQL's."""
    folder = tmp_path_factory.mktemp("restored")
    if settings.database_url is None:
        yield Settings(data_dir=folder, min_free_bytes=0)
        return
    with postgres() as url:
        yield Settings(data_dir=folder, database_url=url, min_free_bytes=0)


def run(name: str, folder: Path, settings: Settings, code: int = 0) -> str:
    """One of the two scripts, with a server's settings; what it says."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PACKAGE_HUNTER")}
    environment["PATH"] = f"{programs()}:{environment['PATH']}"
    environment["PACKAGE_HUNTER"] = str(Path(sys.executable).parent / "package-hunter")
    environment["PACKAGE_HUNTER_DATA_DIR"] = str(settings.data_dir)
    if settings.database_url:
        environment["PACKAGE_HUNTER_DATABASE_URL"] = settings.database_url
    done = subprocess.run([ROOT / "deploy" / name, folder], env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stderr


def everything(settings: Settings) -> Rows:
    """Every row of every table."""
    store = Store(settings)
    tables = MetaData()
    with store.engine.connect() as connection:
        tables.reflect(connection)
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in tables.sorted_tables
        }
    store.close()
    return found


def test_what_was_there_is_there_again(
    settings: Settings, kept: str, other: Settings, tmp_path: Path
) -> None:
    before = everything(settings)
    run("backup", tmp_path / "kept", settings)
    assert "the history is whole" in run("restore", tmp_path / "kept", other)
    assert sum(map(len, before.values())) > 50
    assert everything(other) == before
    assert storage.of(other).open(Kind.ARCHIVE, kept).read() == b"an archive"


def test_a_damaged_backup_changes_nothing(
    settings: Settings, kept: str, other: Settings, tmp_path: Path
) -> None:
    run("backup", tmp_path / "kept", settings)
    (database,) = (tmp_path / "kept").glob("*d*b*")
    data = bytearray(database.read_bytes())
    data[len(data) // 2] ^= 1
    database.write_bytes(data)
    assert "damaged: nothing was done" in run("restore", tmp_path / "kept", other, code=1)
    assert list(other.data_dir.iterdir()) == []


def test_nothing_is_restored_over_what_is_there(settings: Settings, kept: str, tmp_path: Path) -> None:
    run("backup", tmp_path / "kept", settings)
    before = everything(settings)
    run("restore", tmp_path / "kept", settings, code=1)
    assert everything(settings) == before
    assert "is not empty" in run("backup", tmp_path / "kept", settings, code=1)


def test_a_backup_is_for_its_maker_alone(settings: Settings, kept: str, tmp_path: Path) -> None:
    run("backup", tmp_path / "kept", settings)
    for path in [tmp_path / "kept", *(tmp_path / "kept").glob("*.*")]:
        assert path.stat().st_mode & 0o077 == 0, path
