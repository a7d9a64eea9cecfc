"""Two versions on one store: what an older program may still do on newer tables."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.store.database import Store


def newer(store: Store, oldest: str | None) -> None:
    """The tables as a later version's migration leaves them."""
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9001'"))
        if oldest is not None:
            session.execute(text("INSERT INTO tolerances VALUES ('9001', :oldest)"), {"oldest": oldest})


def own(store: Store) -> str:
    with store.peek() as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def test_an_older_program_starts_where_the_newer_tables_say_that_it_may(
    store: Store, settings: Settings
) -> None:
    newer(store, own(store))
    again = Store(settings)
    again.migrate()
    assert own(again) == "9001", "it changed nothing"
    again.close()


@pytest.mark.parametrize("oldest", [None, "9000"])
def test_one_that_they_do_not_speak_of_is_refused(store: Store, oldest: str | None) -> None:
    newer(store, oldest)
    with pytest.raises(HostError, match="newer version"):
        store.migrate()


def test_what_another_revision_said_does_not_count(store: Store) -> None:
    newer(store, own(store))
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9002'"))
    with pytest.raises(HostError, match="newer version"):
        store.migrate()
