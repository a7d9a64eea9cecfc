"""Crafted text in the history, on both databases: kept, sealed, verified, shown harmlessly; and who sees that a seal
is missing."""

from __future__ import annotations

import json

import pytest

from package_hunter.access.actor import Actor
from package_hunter.audit import export, keys
from package_hunter.audit.sealer import Sealer
from package_hunter.audit.verify import ALARM_MS, verify
from package_hunter.cli.console import harmless
from package_hunter.config import Settings
from package_hunter.store import history
from package_hunter.store.database import Store, now_ms
from package_hunter.store.history import Change
from package_hunter.store.history_tables import HistoryRow, UnsealedRow

CRAFTED = [
    "\x00",
    "a\x00b\x00",
    "\ud800",
    "\udcff\udc80",
    "line\nline\r\n",
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe\u2066",
    '"}],"forged":true,"x":"',
    "'; DELETE FROM history; --",
    "ℌ" * 10_000,
    "\U000e0001",
]


@pytest.mark.parametrize("crafted", CRAFTED)
def test_crafted_text_is_kept_sealed_and_told(store: Store, settings: Settings, crafted: str) -> None:
    values = {crafted: crafted}
    with store.write() as session:
        change = Change("user.add", crafted, values, values, crafted)
        history.record(session, Actor(crafted, crafted), change)
        history.record(session, Actor("ana", "test"), Change("user.add", "bob"))
    assert Sealer(store, settings).seal() == 2
    with store.read() as session:
        found = verify(session, keys.public_keys(settings), [])
        lines = {form: list(export.lines(session, form)) for form in export.FORMS}
        first = history.entries(session, 9)[0]
    assert (found.entries, found.unsealed, found.problems) == (2, 0, [])
    assert all(len(told) == 2 and "\n" not in "".join(told) for told in lines.values())
    assert json.loads(lines["jsonl"][0])["object"] == first.object
    assert json.loads(first.after or "") == json.loads(json.dumps(values))
    assert first.why is not None
    assert len(first.why) <= history.MAX_WHY


def test_a_problem_that_quotes_crafted_text_shows_it_harmlessly(store: Store, settings: Settings) -> None:
    with store.write() as session:
        row = HistoryRow(time=5, who="\x1b[31m", origin="x", action="\x1b]0;x\x07", object="\x9b2J")
        session.add(row)
    with store.read() as session:
        problems = verify(session, keys.public_keys(settings), []).problems
    assert problems
    assert all(harmless(problem).isprintable() for problem in problems)


@pytest.mark.parametrize(("age", "alarm"), [(0, False), (ALARM_MS - 5_000, False), (ALARM_MS + 1, True)])
def test_an_entry_that_waits_too_long_is_told_by_verification(
    store: Store, settings: Settings, age: int, alarm: bool
) -> None:
    keys.signing_key(settings)
    with store.write() as session:
        row = HistoryRow(time=now_ms() - age, who="ana", origin="x", action="user.add", object="bob")
        session.add(row)
        session.flush()
        session.add(UnsealedRow(entry_id=row.id, time=row.time))
    with store.read() as session:
        found = verify(session, keys.public_keys(settings), [])
    assert (found.unsealed, bool(found.problems)) == (1, alarm)
