"""Failed logins, counted into the history."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.api import failures
from package_hunter.api.failures import FailedLogins
from package_hunter.store import accounts, history
from package_hunter.store.database import Store
from tests.support.access_server import AccessServer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = AccessServer(tmp_path).store
    with made.write() as session:
        accounts.add_user(session, "ana", "correct horse")
    yield made
    made.close()


def told(store: Store, logins: list[tuple[str | None, str]]) -> list[tuple[str, str, int]]:
    async def count() -> None:
        counted = FailedLogins(store)
        for name, address in logins:
            counted.note(name, address)
        await counted.flush()
        await counted.flush()

    asyncio.run(count())
    with store.read() as session:
        rows = history.entries(session, 9_999, action="login.fail")
        return [(row.object, row.origin, json.loads(row.after or "")["count"]) for row in rows]


def test_equal_ones_are_one_entry(store: Store) -> None:
    found = told(store, [("ana", "192.0.2.1")] * 3 + [("ana", "192.0.2.2"), (None, "192.0.2.1")])
    assert found == [("ana", "192.0.2.1", 3), ("ana", "192.0.2.2", 1), ("(a token)", "192.0.2.1", 1)]


def test_a_name_that_is_nobody_s_is_not_kept(store: Store) -> None:
    assert told(store, [("hunter2!", "192.0.2.1")]) == [("(nobody's name)", "192.0.2.1", 1)]


def test_many_addresses_are_told_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_MAX_KEYS", 2)
    found = told(store, [("ana", f"192.0.2.{n}") for n in range(5)])
    assert found[-1] == ("(others)", "(others)", 3)
    assert len(found) == 3
