"""Artefacts are removed when nothing refers to them, and at no moment one that somebody does."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, text, update

from package_hunter.config import Settings
from package_hunter.errors import StoreError
from package_hunter.storage.base import Kind, Stored
from package_hunter.store import artefacts as rows
from package_hunter.store import collection, dooms, scans
from package_hunter.store.artefact_tables import ArtefactClaim, ArtefactDoomed, ArtefactRef
from package_hunter.store.artefacts import Claims, Named, refer
from package_hunter.store.collection import collect, remove_unwanted
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import Scan
from package_hunter.store.scans import NewScan

DIGEST = hashlib.sha256(b"report").hexdigest()
NAME = (Kind.REPORT, DIGEST)


def scan(store: Store) -> uuid.UUID:
    with store.write() as session:
        return scans.add(session, NewScan("x", "ana", purl="pkg:npm/x")).id


def put(store: Store, content: bytes = b"report") -> tuple[Claims, Stored]:
    claims = Claims(store)
    return claims, claims.put(Kind.REPORT, content)


def use(store: Store, scan_id: uuid.UUID, claims: Claims, stored: Stored) -> list[Named]:
    with store.write() as session:
        item = Named(Kind.REPORT, stored.digest, stored.size)
        return refer(session, scan_id, [item], claims.holder)


def there(store: Store) -> bool:
    return store.artefacts.stat(*NAME) is not None


def test_only_what_nothing_refers_to_is_collected(store: Store) -> None:
    scan_id = scan(store)
    claims, stored = put(store)
    assert use(store, scan_id, claims, stored) == []
    put(store, b"claimed")
    orphan = store.artefacts.put(Kind.DROPPED, b"nobody's").digest
    assert collect(store, 3600, 100).number == 0, "young ones are left"
    found = collect(store, -1, 100)
    assert (found.number, found.bytes) == (1, 8)
    assert there(store)
    assert store.artefacts.stat(Kind.DROPPED, orphan) is None
    with store.write() as session:
        session.execute(delete(Scan).where(Scan.id == scan_id))
    assert collect(store, -1, 100).number == 1
    assert not there(store)


def test_a_claim_ends_some_time(store: Store) -> None:
    put(store)
    with store.write() as session:
        session.execute(update(ArtefactClaim).values(until=now_ms() - 1))
    assert collect(store, -1, 100).number == 1
    assert not there(store)


def test_claims_that_ended_are_forgotten_and_others_hold(store: Store) -> None:
    put(store)
    with store.write() as session:
        late = ArtefactClaim(holder=uuid.uuid4(), kind=Kind.REPORT.value, digest="0" * 64, until=now_ms() - 1)
        session.add(late)  # of something that was never stored
    assert collect(store, -1, 100).number == 0
    assert there(store)
    with store.read() as session:
        assert session.scalars(select(ArtefactClaim.digest)).all() == [DIGEST]


def test_several_scans_may_have_the_same(store: Store) -> None:
    first, second = scan(store), scan(store)
    claims, stored = put(store)
    assert use(store, first, claims, stored) == []
    assert use(store, second, Claims(store), stored) == [], "another scan has it"
    with store.write() as session:
        session.execute(delete(Scan).where(Scan.id == first))
    assert remove_unwanted(store, [NAME]) == []
    assert there(store)


def test_what_was_never_claimed_and_nobody_has_cannot_be_referred_to(store: Store) -> None:
    stored = store.artefacts.put(Kind.REPORT, b"report")
    missing = use(store, scan(store), Claims(store), stored)
    assert [item.digest for item in missing] == [DIGEST]


@pytest.mark.parametrize("how", ["by the collector", "by who stores it again"])
def test_a_removal_that_was_broken_off_is_finished(
    store: Store, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    store.artefacts.put(Kind.REPORT, b"report")

    def away(*_: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr(store.artefacts, "delete", away)
        with pytest.raises(StoreError, match="away"):
            remove_unwanted(store, [NAME])
        patch.setattr(rows, "_BUSY_SECONDS", 0.0)
        with pytest.raises(StoreError, match="being removed"):
            put(store)
    assert there(store)
    collect(store, 3600, 100)
    assert there(store), "its remover may live"
    with store.write() as session:
        session.execute(update(ArtefactDoomed).values(since=0))
    if how == "by who stores it again":
        claims, stored = put(store)
        assert there(store)
    else:
        collect(store, 3600, 100)
        assert not there(store)
        claims, stored = put(store)
    assert use(store, scan(store), claims, stored) == []


def test_who_stores_what_is_being_removed_waits_for_that(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector has decided, and has not removed yet: an upload of the same bytes comes."""
    store.artefacts.put(Kind.REPORT, b"report")
    scan_id, real = scan(store), store.artefacts.delete
    done: list[list[Named]] = []

    def store_again() -> None:
        claims, stored = put(store)
        done.append(use(store, scan_id, claims, stored))

    thread = threading.Thread(target=store_again)

    def slow(kind: Kind, digest: str) -> None:
        thread.start()
        thread.join(0.5)
        assert done == []
        real(kind, digest)

    monkeypatch.setattr(store.artefacts, "delete", slow)
    assert remove_unwanted(store, [NAME]) == [NAME]
    thread.join()
    assert done == [[]]
    assert there(store)


@pytest.mark.parametrize("when", ["before the look", "after the look"])
def test_stored_between_the_collectors_steps(
    store: Store, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """An old one that nobody wanted is stored again while the collector is at work."""
    store.artefacts.put(Kind.REPORT, b"report")
    scan_id = scan(store)
    real: Callable[[Store, list[dooms.Name]], list[dooms.Name]] = collection._doom

    def between(to: Store, names: list[dooms.Name]) -> list[dooms.Name]:
        claims, stored = put(store)
        if when == "before the look":
            assert use(store, scan_id, claims, stored) == []
            return real(to, names)
        gone = real(to, names)
        assert use(store, scan_id, claims, stored) == []
        return gone

    monkeypatch.setattr(collection, "_doom", between)
    assert remove_unwanted(store, [NAME]) == []
    assert there(store)


def test_put_refer_and_collect_at_once(settings: Settings, store: Store) -> None:
    """Two that use the same bytes again and again, two that collect, each as a process of its own would: whenever a
    scan has it, it is there."""
    stop, problems = threading.Event(), []

    def user() -> None:
        own = Store(settings)
        try:
            for _ in range(15):
                scan_id = scan(own)
                claims, stored = put(own)
                if use(own, scan_id, claims, stored):
                    problems.append("claimed, and not to be had")
                if own.artefacts.open(Kind.REPORT, stored.digest).read() != b"report":
                    problems.append("referred to, and gone")
                with own.write() as session:
                    session.execute(delete(Scan).where(Scan.id == scan_id))
        except BaseException as error:
            problems.append(repr(error))
        finally:
            own.close()

    def collector() -> None:
        own = Store(settings)
        try:
            while not stop.is_set():
                remove_unwanted(own, [NAME])
        except BaseException as error:
            problems.append(repr(error))
        finally:
            own.close()

    collectors = [threading.Thread(target=collector) for _ in range(2)]
    users = [threading.Thread(target=user) for _ in range(2)]
    for thread in [*collectors, *users]:
        thread.start()
    for thread in users:
        thread.join()
    stop.set()
    for thread in collectors:
        thread.join()
    assert problems == []
    remove_unwanted(store, [NAME])
    assert not there(store)


def test_what_a_scan_has_goes_with_it(store: Store) -> None:
    scan_id = scan(store)
    claims, stored = put(store)
    use(store, scan_id, claims, stored)
    with store.write() as session:
        assert [row.digest for row in rows.of_scan(session, scan_id, Kind.REPORT)] == [DIGEST]
        assert rows.of_scan(session, scan_id, Kind.DROPPED) == []
        session.execute(text("DELETE FROM scans"))
    with store.read() as session:
        assert session.scalar(select(ArtefactRef.id)) is None
