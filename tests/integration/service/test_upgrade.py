"""A store that version 0011 left behind, with all that it held, brought up to date by this one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect, select, text

from package_hunter.access.view import EVERYTHING
from package_hunter.audit import keys
from package_hunter.audit.sealer import Sealer
from package_hunter.audit.verify import verify
from package_hunter.config import Settings
from package_hunter.queue.local import LocalQueue
from package_hunter.store import accounts, scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan
from tests.support.old_store import head, load


@pytest.fixture
def old(settings: Settings) -> Iterator[Store]:
    """What 0011 left, not yet touched."""
    load(settings)
    made = Store(settings)
    yield made
    made.close()


def rows(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in names}


def test_all_that_was_there_is_there(old: Store, settings: Settings) -> None:
    before = rows(old)
    old.migrate()
    after = rows(old)
    assert {name: after.get(name) for name in before} == before, "no table is gone, and no row"
    with old.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == head()
        assert {account.name for account in accounts.users(session)} == {"ana", "ben"}
        ids = session.scalars(select(Scan.id)).all()
        statuses = sorted(scan.status for i in ids if (scan := scans.get(session, EVERYTHING, i)))
        assert statuses == ["failed", *["finished"] * 4]
        reports = [scans.report(session, EVERYTHING, i) for i in ids]
        assert sorted(r["verdict"] for r in reports if r) == [
            "inconclusive",
            "malicious",
            "no_findings",
            "suspicious",
        ]


def test_its_history_is_whole_and_goes_on(old: Store, settings: Settings) -> None:
    old.migrate()
    with old.write() as session:
        accounts.add_user(session, "cem", "another long one")
    assert Sealer(old, settings).seal() > 0
    with old.read() as session:
        found = verify(session, keys.public_keys(settings), [])
    assert (found.problems, found.unsealed) == ([], 0)
    assert found.entries > 13


def test_a_worker_of_this_version_works_on_it(old: Store, settings: Settings) -> None:
    old.migrate()
    assert LocalQueue(old, settings).claim("a worker") is None, "nothing waits"


def test_bringing_it_up_to_date_twice_changes_nothing(old: Store) -> None:
    old.migrate()
    once = rows(old)
    old.migrate()
    assert rows(old) == once
