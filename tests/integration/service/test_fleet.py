"""Workers: registered, listed, drained; and one of an older version takes nothing that it may not know."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import text, update

from package_hunter.access.actor import Actor
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.queue import capabilities, fleet
from package_hunter.queue.base import Queue, Terms
from package_hunter.queue.capabilities import Capabilities
from package_hunter.queue.fleet import Member, Membership, Orders
from package_hunter.store import history, scans
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.models import WorkerRow
from package_hunter.store.scans import NewScan
from package_hunter.store.worker_states import State

BY = Actor("ana", "192.0.2.1")
CAN = Capabilities(("npm", "pypi"), "probe", "6.1.0", "x86_64", "1" * 64, "2" * 64, "9.9.9")


@pytest.fixture
def config(settings: Settings) -> Settings:
    return settings.model_copy(update={"lease_seconds": 60.0})


def put(store: Store, queue: Queue, terms: Terms = Terms()) -> uuid.UUID:  # noqa: B008 - frozen
    with store.write() as session:
        scan = scans.add(
            session, NewScan("left-pad", "ana", "npm", purl="pkg:npm/left-pad@1.3.0", fresh=True)
        )
        queue.enqueue(session, scan.id, terms)
    return scan.id


def listed(store: Store, config: Settings) -> dict[str, Member]:
    with store.read() as session:
        return {one.name: one for one in fleet.listed(session, config)}


def joined(store: Store, name: str, can: Capabilities = CAN) -> Membership:
    made = Membership(store, name, can)
    made.register()
    return made


def test_a_worker_says_what_it_can_and_is_listed_with_what_it_runs(
    store: Store, queue: Queue, config: Settings
) -> None:
    member = joined(store, "a/1")
    queue.seen("a/1", None)
    (one,) = listed(store, config).values()
    assert (one.state, one.free, one.slots, one.runs) == (State.IDLE, 1, 1, ())
    assert (one.version, one.engine, one.kernel, one.image) == ("9.9.9", "probe", "6.1.0", "1" * 64)
    assert one.ecosystems == ("npm", "pypi") and one.started is not None
    scan_id = put(store, queue)
    assert queue.claim("a/1", member.can) is not None
    (one,) = listed(store, config).values()
    assert (one.state, one.free, one.runs) == (State.BUSY, 0, (scan_id,))
    member.leave()
    assert listed(store, config) == {}


def test_how_workers_stand(store: Store, queue: Queue, config: Settings) -> None:
    for name in ("idle", "unfit", "lost", "drained"):
        joined(store, name)
    queue.seen("unfit", "The image is missing.")
    with store.write() as session:
        session.execute(update(WorkerRow).where(WorkerRow.name == "lost").values(seen=now_ms() - 61_000))
        fleet.drain(session, fleet.found(session, config, "drained"), BY)
    found = listed(store, config)
    assert {name: one.state.value for name, one in found.items()} == {name: name for name in found}
    assert [one.free for one in found.values()] == [0, 1, 0, 0]


def test_a_drained_worker_is_told_and_the_history_knows_who_did_it(
    store: Store, queue: Queue, config: Settings
) -> None:
    member = joined(store, "host/1/2/abcdef")
    put(store, queue)
    assert queue.claim("host/1/2/abcdef", member.can) is not None
    assert member.orders() == Orders()
    with store.write() as session:
        fleet.drain(session, fleet.found(session, config, "abcdef"), BY, "new kernel", 30.0)
    told = member.orders()
    assert told.drain and told.give_back is not None and 0 < told.give_back - now_ms() <= 30_000
    queue.seen("host/1/2/abcdef", None)
    member.register()  # neither makes it forget
    assert member.orders() == told and listed(store, config)["host/1/2/abcdef"].state is State.DRAINING
    with store.write() as session:
        fleet.resume(session, fleet.found(session, config, "host/1/2/abcdef"), BY)
        entries = history.entries(session, 10)
    assert member.orders() == Orders()
    assert [(e.action, e.object, e.who, e.why) for e in entries] == [
        ("worker.drain", "host/1/2/abcdef", "ana", "new kernel"),
        ("worker.resume", "host/1/2/abcdef", "ana", None),
    ]


@pytest.mark.parametrize("name", ["", "1", "none"])
def test_a_name_that_is_none_or_too_many(store: Store, config: Settings, name: str) -> None:
    joined(store, "a/1")
    joined(store, "b/1")
    with store.read() as session, pytest.raises(UsageError, match=r"no worker|more than one"):
        fleet.found(session, config, name)


def test_a_worker_takes_only_what_it_can(store: Store, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an upgrade: the new version's jobs are of a form that the old worker does not know."""
    old = joined(store, "old/1")
    monkeypatch.setattr(capabilities, "FORM", 2)
    with store.read() as session:
        scan = scans.add(session, NewScan("left-pad", "ana", purl="pkg:npm/left-pad@1.3.0"))
        needs = capabilities.of_scan(scan)
    assert needs == {"ecosystem:npm", "form:2"}
    scan_id = put(store, queue, Terms(needs=needs))
    assert queue.claim("old/1", frozenset({"ecosystem:npm", "engine:probe", "form:1"})) is None
    assert queue.claim("rb/1", replace(CAN, ecosystems=("gem",)).can) is None
    new = joined(store, "new/1")
    job = queue.claim("new/1", new.can)
    assert job is not None and job.scan_id == scan_id and old.orders() == Orders()


def test_a_worker_of_a_version_without_any_of_this_ends_what_it_runs_and_takes_no_more(
    store: Store, queue: Queue, config: Settings
) -> None:
    scan_id = put(store, queue)
    job = queue.claim("old/1")
    with store.write() as session:  # as that version says that it is alive
        session.execute(
            text("INSERT INTO workers (name, seen, lacks) VALUES ('old/1', :now, NULL)"), {"now": now_ms()}
        )
    assert job is not None and job.scan_id == scan_id
    (one,) = listed(store, config).values()
    assert (one.version, one.can, one.runs, one.state) == (None, (), (scan_id,), State.BUSY)
    queue.heartbeat(job)
    queue.fail(job, "as it may")
    put(store, queue)
    with pytest.raises(StoreError, match="older version takes no scans"):
        queue.claim("old/1")
    with store.write() as session, pytest.raises(UsageError, match="SIGTERM"):
        fleet.drain(session, one, BY)
    joined(store, "new/1")
    assert queue.claim("new/1", CAN.can) is not None


def test_what_this_host_can() -> None:
    found = capabilities.of(Settings())
    assert set(found.ecosystems) >= {"npm", "pypi", "gem"} and len(found.rules) == 64
    assert found.can >= {"ecosystem:npm", "engine:probe", "form:1"}
