"""Logins with passwords that scrypt keeps: they are made anew by argon2id, and nothing depends on that."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from package_hunter.access.actor import Actor
from package_hunter.api.auth import Authenticator
from package_hunter.api.errors import ApiError
from package_hunter.api.password_check import PasswordCheck
from package_hunter.config import Settings
from package_hunter.store import accounts, passwords
from package_hunter.store.database import Store, StoreError
from package_hunter.store.history_tables import HistoryRow
from package_hunter.store.models import User

HERE = "192.0.2.7"
ANA, WRONG = (b"Basic " + base64.b64encode(f"ana:{p}".encode()) for p in ("correct horse", "a guess at it"))


def by_scrypt(password: str) -> str:
    salt, made = bytes(range(16)), password.encode()
    digest = hashlib.scrypt(made, salt=salt, n=1 << 14, r=8, p=1, maxmem=64 << 20, dklen=32)
    return "$".join(["scrypt", "16384", "8", "1", *(base64.b64encode(b).decode() for b in (salt, digest))])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "store").mkdir()
    made = Store(Settings(data_dir=tmp_path))
    made.migrate()
    with made.write() as session:
        accounts.add_user(session, "ana", "correct horse")
        session.execute(update(User).values(password=by_scrypt("correct horse")))
    yield made
    made.close()


def kept(store: Store) -> str:
    with store.read() as session:
        return accounts.stored_password(session, "ana") or ""


def renewals(store: Store) -> list[tuple[str, str, str | None, str | None]]:
    with store.read() as session:
        rows = session.scalars(select(HistoryRow).where(HistoryRow.action == "user.rehash"))
        return [(row.who, row.origin, row.before, row.after) for row in rows]


def login(store: Store, header: bytes, times: int = 1) -> None:
    async def go() -> None:
        auth = Authenticator(store, Settings(credential_cache_seconds=0.0))
        for _ in range(times):
            assert (await auth.identify(header, HERE)).account == "ana"

    asyncio.run(go())


def test_a_right_password_is_kept_by_argon2id_from_then_on_and_that_is_told_once(store: Store) -> None:
    login(store, ANA, times=3)
    assert passwords.kind_of(kept(store)) == "argon2id"
    assert passwords.password_fits("correct horse", kept(store))
    assert renewals(store) == [("ana", HERE, '{"hash":"scrypt"}', '{"hash":"argon2id"}')]
    login(store, ANA)


def test_a_wrong_password_changes_nothing(store: Store) -> None:
    with pytest.raises(ApiError, match="wrong"):
        login(store, WRONG)
    assert passwords.kind_of(kept(store)) == "scrypt"
    assert renewals(store) == []


def test_a_password_that_was_changed_meanwhile_is_not_put_back(store: Store) -> None:
    old, other = kept(store), passwords.hash_password("another one")
    with store.write() as session:
        session.execute(update(User).values(password=other))
    with store.write() as session:
        new = passwords.hash_password("correct horse")
        assert not accounts.renew_hash(session, "ana", old, new, Actor("ana", HERE))
    assert kept(store) == other
    assert renewals(store) == []


def test_a_store_that_cannot_be_written_keeps_nobody_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(PasswordCheck, "_write_hash", full)
    login(store, ANA, times=2)
    assert passwords.kind_of(kept(store)) == "scrypt"
