"""The outbox, on both databases: what is told belongs to the transaction in which it happened."""

from __future__ import annotations

import threading
import uuid

import pytest
from sqlalchemy import func, select

from package_hunter.access.view import LEGACY
from package_hunter.notices import outbox
from package_hunter.notices.outbox import EVERYWHERE, Event, Notice
from package_hunter.store.database import Store
from package_hunter.store.notice_tables import NoticeRow


def test_what_is_rolled_back_is_not_told(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as session:
        outbox.enqueue(session, Event.GATE_BLOCKED, LEGACY, Notice("blocked"))
        raise RuntimeError
    with store.write() as session:
        kept = outbox.enqueue(session, Event.GATE_BLOCKED, LEGACY, Notice("blocked", facts={"commit": "abc"}))
    with store.read() as session:
        rows = session.scalars(select(NoticeRow)).all()
    assert [row.id for row in rows] == [kept]
    assert rows[0].project_id == LEGACY
    assert rows[0].spread is None
    assert outbox.read(rows[0]).facts == {"commit": "abc"}


def test_the_same_is_told_once(store: Store) -> None:
    with store.write() as session:
        first = outbox.enqueue(session, Event.ACCEPTANCE_EXPIRES, LEGACY, Notice("soon"), once="expires:1")
        again = outbox.enqueue(session, Event.ACCEPTANCE_EXPIRES, LEGACY, Notice("soon"), once="expires:1")
        other = outbox.enqueue(session, Event.ACCEPTANCE_EXPIRES, LEGACY, Notice("soon"), once="expires:2")
    assert first == again != other


def test_two_that_say_the_same_at_once_fail_neither(store: Store) -> None:
    begun, ids, failed = threading.Barrier(4), [], []

    def tell() -> None:
        begun.wait()
        try:
            with store.write() as session:
                ids.append(
                    outbox.enqueue(session, Event.PACKAGE_TURNED, EVERYWHERE, Notice("bad"), once="turned:x")
                )
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as session:
        number = session.scalar(select(func.count()).select_from(NoticeRow))
    assert (failed, len(set(ids)), number) == ([], 1, 1)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "‮gnp.exe", "x" * 100_000, "'; DROP TABLE notices; --"])
def test_any_text_is_kept(store: Store, text: str) -> None:
    with store.write() as session:
        key = outbox.enqueue(session, Event.PROOF_FOUND, LEGACY, Notice(text, facts={"name": text}))
    with store.read() as session:
        row = session.get_one(NoticeRow, key)
    assert outbox.read(row).what == text[:2_000]


def test_a_row_that_is_none_of_ours_is_told_as_such() -> None:
    for body in ("", "[]", "{}", '{"what": 1}', "null"):
        row = NoticeRow(id=uuid.uuid4(), event="test", time=0, body=body)
        assert "cannot be read" in outbox.read(row).what
