"""How long scans are kept, on both databases: limits by place, what is kept all the same, and what the history says."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING, LEGACY, View
from package_hunter.chores import chores
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.governance import retention
from package_hunter.governance.retention import Limits
from package_hunter.queue.base import Queue
from package_hunter.storage.base import Kind
from package_hunter.store import history, holds, scans
from package_hunter.store.access_tables import Project
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import Claims, Named, of_scan, refer
from package_hunter.store.collection import remove_unwanted
from package_hunter.store.database import Store, now_ms
from package_hunter.store.deletion import Deletion, KeptError, delete_scan
from package_hunter.store.finding_tables import FindingRow, LineRow
from package_hunter.store.history_tables import HistoryRow
from package_hunter.store.models import Scan, StoredReport
from package_hunter.store.places import MissingError
from tests.support.duty_store import ANA, LOOK, scanned, shops

DAY = 86_400_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """No limits but those that a test sets."""
    none = {"retention_days": 0, "retention_scans": 0, "retention_bytes": 0, "recordings_bytes": 1 << 30}
    return settings.model_copy(update=none)


def old(
    session: Session, days: float, project: uuid.UUID = LEGACY, purl: str | None = "pkg:npm/x@1"
) -> uuid.UUID:
    """A scan without findings that ended so long ago."""
    then = now_ms() - int(days * DAY)
    return scanned(session, [], project, purl=purl, created=then - 1_000)


def with_files(store: Store, scan_id: uuid.UUID, **files: bytes) -> None:
    for kind, content in files.items():
        claims = Claims(store)
        stored = claims.put(Kind(kind), content)
        with store.write() as session:
            refer(session, scan_id, [Named(Kind(kind), stored.digest, stored.size, kind)], claims.holder)


def left(store: Store) -> set[uuid.UUID]:
    with store.read() as session:
        return set(session.scalars(select(Scan.id)))


def told(store: Store, action: str) -> Sequence[HistoryRow]:
    with store.read() as session:
        return history.entries(session, 1_000, action=action)


def test_by_age_all_goes_with_the_scan_and_the_history_says_what_it_was(
    store: Store, settings: Settings
) -> None:
    with store.write() as session:
        gone, young = old(session, 31), old(session, 29)
    with_files(store, gone, recording=b"recording", dropped=b"payload")
    rules = settings.model_copy(update={"retention_days": 30})
    assert retention.step(store, rules) is False
    assert left(store) == {young}
    with store.read() as session:
        assert (
            session.scalar(select(func.count()).select_from(ArtefactRef).where(ArtefactRef.scan_id == gone))
            == 0
        )
        assert session.get(StoredReport, gone) is None
    assert list(store.artefacts.list(Kind.RECORDING)) == list(store.artefacts.list(Kind.DROPPED)) == []
    (entry,) = told(store, "scan.delete")
    said = json.loads(entry.before or "")
    assert (entry.object, entry.project_id, entry.who) == (str(gone), LEGACY, "package-hunter")
    assert (said["purl"], said["verdict"], said["artefacts"]) == ("pkg:npm/x@1", "no_findings", 2)
    assert "older than 30 days" in (entry.why or "")


def test_by_number_the_oldest_of_each_project_go(store: Store, settings: Settings) -> None:
    found = shops(store)
    shop, blog = found["web/shop"].project, found["web/blog"].project
    assert shop is not None and blog is not None
    with store.write() as session:
        ids = [old(session, 10 - n, shop.id) for n in range(5)]
        other = old(session, 20, blog.id)
    retention.step(store, settings.model_copy(update={"retention_scans": 2}))
    assert left(store) == {*ids[3:], other}


def test_by_bytes_recordings_go_before_scans(store: Store, settings: Settings) -> None:
    with store.write() as session:
        ids = [old(session, 10 - n) for n in range(3)]
    for number, scan_id in enumerate(ids):
        with_files(store, scan_id, recording=bytes([number]) * 1_000, report=bytes([number]) * 100)
    retention.step(store, settings.model_copy(update={"retention_bytes": 2_300}))
    with store.read() as session:
        kinds = [[row.kind for row in of_scan(session, scan_id)] for scan_id in ids]
    assert kinds == [["report"], ["recording", "report"], ["recording", "report"]]
    (entry,) = told(store, "scan.trim")
    assert json.loads(entry.before or "")["bytes"] == 1_000
    retention.step(store, settings.model_copy(update={"retention_bytes": 150}))
    assert left(store) == {ids[2]}, "beyond what lies beside the reports, scans"


def test_what_is_kept_whatever_the_limits_say(store: Store, settings: Settings, queue: Queue) -> None:
    with store.write() as session:
        open_first = scanned(session, [LOOK], created=now_ms() - 900 * DAY)
        between = scanned(session, [LOOK], created=now_ms() - 800 * DAY)
        open_last = scanned(session, [LOOK], created=now_ms() - 700 * DAY)
        held, free = old(session, 600), old(session, 600)
        archive_before, archive = old(session, 500, purl=None), old(session, 400, purl=None)
        waiting = scans.add(session, scans.NewScan("x", "ana", purl="pkg:npm/y"))
        waiting.created = now_ms() - 900 * DAY
        queue.enqueue(session, waiting.id)
        holds.add(session, ANA, session.get_one(Scan, held), "case 7")
    rules = settings.model_copy(update={"retention_days": 30})
    with store.read() as session:
        preview = retention.due(session, Limits(days=30), LEGACY)
    gone = {between, free, archive_before}
    newest = {line.last_scan for line in _lines(store) if line.purl is None}
    assert newest == {archive}
    retention.step(store, rules)
    assert {one.scan for one in preview} == gone
    assert left(store) == {open_first, open_last, held, archive, waiting.id}
    with store.write() as session:
        session.execute(text("UPDATE findings SET state = 'resolved'"))
        holds.lift(session, EVERYTHING, ANA, 1, "case closed")
    retention.step(store, rules)
    assert left(store) == {archive, waiting.id}
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(FindingRow)) == 1, "what people know stays"


def _lines(store: Store) -> Sequence[LineRow]:
    with store.read() as session:
        return session.scalars(select(LineRow)).all()


def test_a_hold_on_a_project_keeps_all_of_it(store: Store, settings: Settings) -> None:
    found = shops(store)
    shop, blog = found["web/shop"].project, found["web/blog"].project
    assert shop is not None and blog is not None
    with store.write() as session:
        kept, gone = old(session, 50, shop.id), old(session, 50, blog.id)
        holds.add(session, ANA, session.get_one(Project, shop.id), "audit")
    with_files(store, kept, recording=b"recording")
    retention.step(store, settings.model_copy(update={"retention_days": 30, "retention_bytes": 1}))
    assert left(store) == {kept}
    with store.read() as session:
        assert [row.kind for row in of_scan(session, kept)] == ["recording"]
    retention.trim_recordings(store, settings.model_copy(update={"recordings_bytes": 1}))
    with store.read() as session:
        assert [row.kind for row in of_scan(session, kept)] == ["recording"]
    assert gone not in left(store)


def test_the_nearest_place_has_the_last_word(store: Store, settings: Settings) -> None:
    found, rules = shops(store), settings.model_copy(update={"retention_days": 10, "retention_scans": 7})
    shop, pay = found["web/shop"].project, found["ops/pay"].project
    assert shop is not None and pay is not None
    with store.write() as session:
        retention.set_limits(session, ANA, found[""], Limits(days=20))
        retention.set_limits(session, ANA, found["web"], Limits(days=30, bytes=5))
        retention.set_limits(session, ANA, found["web/shop"], Limits(days=0), "evidence")
    with store.read() as session:
        assert retention.limits_of(session, rules, shop.id) == Limits(0, 7, 5)
        assert retention.limits_of(session, rules, pay.id) == Limits(20, 7, 0)
    with store.write() as session:
        retention.set_limits(session, ANA, found["web/shop"], Limits())
        with pytest.raises(UsageError):
            retention.set_limits(session, ANA, found["web"], Limits(days=-1))
    with store.read() as session:
        assert retention.limits_of(session, rules, shop.id) == Limits(30, 7, 5)
    assert [entry.object for entry in told(store, "retention.set")] == [
        *("all", "group:web", "project:web/shop", "project:web/shop")
    ]


def test_many_go_step_by_step(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention.due, "__defaults__", (2,))
    with store.write() as session:
        for number in range(5):
            old(session, 40 + number)
    rules, steps = settings.model_copy(update={"retention_days": 30}), 1
    while retention.step(store, rules):
        steps += 1
    assert (left(store), steps) == (set(), 3)


def test_recordings_go_oldest_first_beyond_their_size(store: Store, settings: Settings) -> None:
    with store.write() as session:
        ids = [old(session, 10 - n) for n in range(3)]
    for number, scan_id in enumerate(ids):
        with_files(store, scan_id, recording=bytes([number]) * 10, dropped=bytes([number]) * 10)
    assert retention.trim_recordings(store, settings.model_copy(update={"recordings_bytes": 20})) is False
    with store.read() as session:
        kinds = [[row.kind for row in of_scan(session, scan_id)] for scan_id in ids]
    assert kinds == [["dropped"], ["dropped", "recording"], ["dropped", "recording"]]
    assert len(list(store.artefacts.list(Kind.RECORDING))) == 2


def deleted(store: Store, scan_id: uuid.UUID, force: bool = False, view: View = EVERYTHING) -> None:
    with store.write() as session:
        names = delete_scan(session, view, ANA, scan_id, Deletion("asked for", force))
    remove_unwanted(store, names)


def test_a_scan_is_deleted_by_who_asks(store: Store, queue: Queue) -> None:
    with store.write() as session:
        scan_id, shown = old(session, 1), scanned(session, [LOOK])
        waiting = scans.add(session, scans.NewScan("x", "ana", purl="pkg:npm/y"))
        queue.enqueue(session, waiting.id)
    with_files(store, scan_id, recording=b"recording")
    with pytest.raises(MissingError):
        deleted(store, scan_id, view=View(frozenset()))
    deleted(store, scan_id)
    with pytest.raises(MissingError):
        deleted(store, scan_id)
    assert list(store.artefacts.list(Kind.RECORDING)) == []
    with pytest.raises(KeptError, match="not ended") as caught:
        deleted(store, waiting.id, force=True)
    assert not caught.value.by_force
    with pytest.raises(KeptError, match="open finding") as caught:
        deleted(store, shown)
    assert caught.value.by_force
    with store.write() as session:
        number = holds.add(session, ANA, session.get_one(Scan, shown), "case 9").number
    with pytest.raises(KeptError, match="case 9") as caught:
        deleted(store, shown, force=True)
    assert not caught.value.by_force
    with store.write() as session:
        holds.lift(session, EVERYTHING, ANA, number, "closed")
    deleted(store, shown, force=True)
    assert left(store) == {waiting.id}
    assert [(entry.who, entry.why) for entry in told(store, "scan.delete")] == [("ana", "asked for")] * 2
    with store.write() as session, pytest.raises(UsageError, match="reason"):
        delete_scan(session, EVERYTHING, ANA, waiting.id, Deletion("  "))


def test_holds_are_listed_by_who_may_see_them(store: Store) -> None:
    found = shops(store)
    shop, pay = found["web/shop"].project, found["ops/pay"].project
    assert shop is not None and pay is not None
    with store.write() as session:
        scan = session.get_one(Scan, old(session, 1, pay.id))
        first = holds.add(session, ANA, session.get_one(Project, shop.id), "audit").number
        second = holds.add(session, ANA, scan, "case").number
        with pytest.raises(UsageError, match="reason"):
            holds.add(session, ANA, scan, "\x00 ")
    with store.read() as session:
        assert [row.number for row, _ in holds.listed(session, EVERYTHING)] == [first, second]
        seen = holds.listed(session, View(frozenset({pay.id})))
        assert [(row.number, project) for row, project in seen] == [(second, pay.id)]
    with store.write() as session, pytest.raises(UsageError, match="no hold"):
        holds.lift(session, View(frozenset({shop.id})), ANA, second, "closed")
    with store.write() as session:
        holds.lift(session, EVERYTHING, ANA, first, "closed")
    assert [entry.action for entry in told(store, "hold.remove")] == ["hold.remove"]
    assert [entry.project_id for entry in told(store, "hold.add")] == [shop.id, pay.id]


def test_the_chores_do_it(store: Store, settings: Settings, queue: Queue) -> None:
    with store.write() as session:
        scan_id = old(session, 900)
    rules = settings.model_copy(update={"retention_days": 730, "artefacts_grace_seconds": -1.0})
    store.artefacts.put(Kind.DROPPED, b"nobody's")
    for chore in chores(rules, store, queue):
        while chore.run():
            pass
    assert scan_id not in left(store)
    assert list(store.artefacts.list(Kind.DROPPED)) == []
