"""The chain over the history, on both databases: sealed, verified, and what was done to it is told with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from package_hunter.access.actor import Actor
from package_hunter.audit import export, keys
from package_hunter.audit.sealer import Sealer, oldest_unsealed
from package_hunter.audit.verify import Verified, verify
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store import history
from package_hunter.store.database import Store
from package_hunter.store.history import Change

BY = Actor("ana", "192.0.2.1")


def write(store: Store, number: int) -> None:
    with store.write() as session:
        for n in range(number):
            history.record(session, BY, Change("user.add", f"user{n}", after={"n": n}, why='a "why"]\n'))


def verified(store: Store, settings: Settings) -> Verified:
    own = keys.head(keys.folder(settings) / "head.json")
    with store.read() as session:
        return verify(session, keys.public_keys(settings), [own] if own else [])


@pytest.fixture
def sealed(store: Store, settings: Settings) -> Store:
    """Five entries, sealed in two goes."""
    for number in (2, 3):
        write(store, number)
        assert Sealer(store, settings).seal() == number
    return store


def as_owner(store: Store, *statements: str) -> None:
    """What somebody does who is above the application: the database's owner, or who holds the file."""
    with store.engine.execution_options(hunter_write=True).begin() as connection:
        if store.is_sqlite:
            names = (
                connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
                .scalars()
                .all()
            )
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in ("history", "history_seals"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement))


def test_what_is_sealed_is_whole(sealed: Store, settings: Settings) -> None:
    found = verified(sealed, settings)
    assert (found.entries, found.unsealed, found.problems) == (5, 0, [])
    with sealed.read() as session:
        assert oldest_unsealed(session) is None
    write(sealed, 1)
    assert (verified(sealed, settings).unsealed, verified(sealed, settings).problems) == (1, [])


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["UPDATE history SET who = 'bob' WHERE id = 3"], "Position 3: entry 3 is changed"),
        (["UPDATE history SET why = NULL WHERE id = 5"], "Position 5: entry 5 is changed"),
        (["UPDATE history SET time = time + 1 WHERE id = 1"], "Position 1: entry 1 is changed"),
        (["DELETE FROM history WHERE id = 2"], "Position 2: entry 2 is removed"),
        (["DELETE FROM history_seals WHERE position IN (2, 3)"], "Positions 2 to 3: removed"),
        (
            ["DELETE FROM history_seals WHERE position > 3", "DELETE FROM history WHERE id > 3"],
            "Positions 4 to 5: removed from the end",
        ),
        (
            [
                "UPDATE history_seals SET entry_id = 99 WHERE position = 2",
                "UPDATE history_seals SET entry_id = 2 WHERE position = 4",
                "UPDATE history_seals SET entry_id = 4 WHERE position = 2",
            ],
            "Position 2: reordered: entry 4 belongs to position 4",
        ),
        (["UPDATE history_seals SET signature = 'AAAA' WHERE position = 4"], "Position 4: forged: the signature"),
        (["UPDATE history_seals SET key = 'x' WHERE position = 4"], "Position 4: forged, or sealed by a key"),
        (
            ["INSERT INTO history (id, time, who, origin, action, object) VALUES (77, 5, 'a', 'b', 'user.add', 'x')"],
            "Entry 77 (user.add) was never sealed",
        ),
    ],
    ids=["who", "why", "time", "entry gone", "seals gone", "end gone", "order", "signature", "key", "put in"],
)  # fmt: skip
def test_what_was_done_to_it_is_told(
    sealed: Store, settings: Settings, statements: list[str], says: str
) -> None:
    as_owner(sealed, *statements)
    problems = verified(sealed, settings).problems
    assert any(says in problem for problem in problems), problems


def test_a_chain_that_was_made_anew_with_another_key_is_told(sealed: Store, settings: Settings) -> None:
    kept = keys.head(keys.folder(settings) / "head.json")
    public = keys.public_keys(settings)
    assert kept is not None
    as_owner(
        sealed,
        "UPDATE history SET who = 'bob' WHERE id = 3",
        "DELETE FROM history_seals",
        "INSERT INTO history_unsealed (entry_id, time) SELECT id, time FROM history",
    )
    (keys.folder(settings) / "key.pem").unlink()
    Sealer(sealed, settings).seal()
    with sealed.read() as session:
        problems = verify(session, public, [kept]).problems
    assert any("Position 5: not what the checkpoint says" in p for p in problems)
    assert sum("a key that is not known here" in p for p in problems) == 5


def test_two_sealers_at_once_make_one_chain(store: Store, settings: Settings) -> None:
    def work(_: int) -> None:
        other = Store(settings)
        try:
            write(other, 5)
            Sealer(other, settings).seal()
        finally:
            other.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    Sealer(store, settings).seal()
    found = verified(store, settings)
    assert (found.entries, found.unsealed, found.problems) == (40, 0, [])


def test_the_key_is_for_its_owner_alone(sealed: Store, settings: Settings, tmp_path: Path) -> None:
    place = keys.folder(settings)
    assert place.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.iterdir())
    (tmp_path / "bad").write_text("{}")
    with pytest.raises(UsageError, match="no checkpoint"):
        keys.head(tmp_path / "bad")
    with pytest.raises(UsageError, match="no public key"):
        keys.public_keys(settings, [tmp_path / "bad"])


_LOOKS: dict[str, Callable[[str], bool]] = {
    "jsonl": lambda line: json.loads(line)["seal"]["position"] > 0,
    "syslog": lambda line: bool(
        re.match(r'<110>1 \S+Z \S+ package-hunter - user\.add \[history@32473 id="\d+" who="ana" ', line)
    ),
    "ocsf": lambda line: json.loads(line)["type_uid"] == 300401,
}


@pytest.mark.parametrize("form", export.FORMS)
def test_each_entry_is_a_line(sealed: Store, form: str) -> None:
    with sealed.read() as session:
        lines = list(export.lines(session, form))
        assert len(lines) == 5
        assert all(_LOOKS[form](line) and "\n" not in line for line in lines)
        assert len(list(export.lines(session, form, after=4))) == 1
