"""The store on both databases: migrations, lists, accounts."""

from __future__ import annotations

import threading
import uuid

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from package_hunter.access.actor import Actor
from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.model.scan import ScanStatus
from package_hunter.store import accounts, passwords, scan_list, scans
from package_hunter.store.database import Store, StoreError
from package_hunter.store.models import Base
from package_hunter.store.scan_list import ScanFilters
from package_hunter.store.scans import NewScan


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not str(name).startswith("procrastinate_")


def test_migrations_and_models_agree(store: Store) -> None:
    with store.engine.connect() as connection:
        ours = MigrationContext.configure(connection, opts={"include_name": _ours})
        assert compare_metadata(ours, Base.metadata) == []


def test_migrating_at_once_and_again(settings: Settings) -> None:
    problems: list[BaseException] = []

    def migrate() -> None:
        store = Store(settings)
        try:
            store.migrate()
        except BaseException as error:
            problems.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    migrate()
    assert problems == []


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HostError, match="newer version"):
        store.migrate()


def test_names_are_cleaned_and_listed_in_pages(store: Store) -> None:
    with store.write() as session:
        for n in range(5):
            scans.add(session, NewScan(f"\x1b[2J<b>{n}\x00\n" + "x" * 600, "ana", purl="pkg:npm/x"))
    with store.read() as session:
        page = scan_list.page(session, EVERYTHING, ScanFilters(), 3)
        first, rest = page.rows, scan_list.page(session, EVERYTHING, ScanFilters(), 3, page.next).rows
        assert len({s.id for s in [*first, *rest]}) == 5
        assert all(s.target.isprintable() and len(s.target) <= 512 for s in first)
        waiting, failed = ScanFilters(status=ScanStatus.PENDING), ScanFilters(status=ScanStatus.FAILED)
        assert len(scan_list.page(session, EVERYTHING, waiting, 9).rows) == 5
        assert scan_list.page(session, EVERYTHING, failed, 9).rows == []
        assert scans.counts(session) == {"pending": 5}
    with store.peek() as connection:
        ids = [first[0].id, uuid.uuid4()]
        assert set(scans.get_many(connection, ids)) == {first[0].id}


def test_a_scan_is_of_an_archive_or_a_package_not_both(store: Store) -> None:
    with pytest.raises(StoreError), store.write() as session:
        scans.add(session, NewScan("x", "ana", purl="pkg:npm/x", sha256="a" * 64))


def test_accounts(store: Store) -> None:
    with store.write() as session:
        assert not accounts.any_account(session)
        accounts.add_user(session, "ana", "correct horse")
        value = accounts.add_token(session, "ci")
    with store.write() as session:
        stored = accounts.stored_password(session, "ana")
        assert stored is not None
        assert "correct" not in stored
        assert passwords.password_fits("correct horse", stored)
        assert not passwords.password_fits("correct house", stored)
        assert not passwords.password_fits("x" * 5000, stored)
        newer, by = passwords.hash_password("correct horse"), Actor("ana", "192.0.2.7")
        assert accounts.renew_hash(session, "ana", stored, newer, by)
        assert not accounts.renew_hash(session, "ana", stored, newer, by)  # no longer what is stored
        assert accounts.stored_password(session, "ana") == newer
        assert accounts.token_owner(session, value) == "ci"
        assert accounts.token_owner(session, value + "x") is None
        assert accounts.tokens(session)[0].last_used is not None
        for like in ("ANA", "\u0430na", "a\u3164na"):
            with pytest.raises(UsageError, match="looks the same"):
                accounts.add_user(session, like, "a long password")
        with pytest.raises(UsageError, match="already"):
            accounts.add_user(session, "ana", "another one")
        with pytest.raises(UsageError, match="already"):
            accounts.add_token(session, "ci")
        accounts.revoke_token(session, "ci")
        assert accounts.token_owner(session, value) is None
        accounts.remove_user(session, "ana")
        with pytest.raises(UsageError, match="no user"):
            accounts.remove_user(session, "ana")
        with pytest.raises(UsageError, match="no token"):
            accounts.revoke_token(session, "none")
        assert not accounts.any_account(session)
