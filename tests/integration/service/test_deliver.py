"""The deliverer, on both databases: at least once, under one id, to whom it concerns, given up visibly."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update

from package_hunter.access.actor import Actor
from package_hunter.access.view import LEGACY
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.notices import deliver, deliveries, destinations, outbox, secrecy
from package_hunter.notices.deliver import DELAYS_MS, Deliverer, Running
from package_hunter.notices.destinations import NewDestination
from package_hunter.notices.guard import Guard
from package_hunter.notices.kinds.gitlab import GitLab
from package_hunter.notices.kinds.webhook import Webhook
from package_hunter.notices.outbox import EVERYWHERE, Event, Notice, Scope
from package_hunter.notices.outgoing import Outgoing
from package_hunter.store import history, places
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from package_hunter.store.notice_tables import DeliveryRow, DestinationRow, IssueRow, NoticeRow
from package_hunter.store.places import MissingError, TakenError
from tests.support.receivers import LOOPBACK, Receiver, Told, receiver
from tests.support.service_harness import wait_for
from tests.support.trackers import FakeGitLab

BY = Actor("ana", "test")


@pytest.fixture(autouse=True)
def _key(settings: Settings) -> None:
    secrecy.prepare(settings)


@pytest.fixture
def deliverer(store: Store, settings: Settings) -> Deliverer:
    return Deliverer(store, settings, Outgoing(LOOPBACK, seconds=5))


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def tree(store: Store) -> dict[str, Place]:
    """Groups and projects, by path; everywhere under the empty one."""
    found = {"": Place()}
    with store.write() as session:
        for path in ("web", "web/front", "ops"):
            found[path] = Place(group=places.add_group(session, path, BY))
        for path in ("web/shop", "web/front/app", "ops/pay"):
            found[path] = Place(project=places.add_project(session, path, BY))
    return found


def _add(
    store: Store, settings: Settings, url: str, place: Place | None = None, name: str = "hook", **more: object
) -> None:
    with store.write() as session:
        new = NewDestination(name, Webhook(url=url), **more)  # type: ignore[arg-type]
        destinations.add(session, place or Place(), new, secrecy.public_key(settings), BY)


def _tell(
    store: Store, event: Event = Event.PROOF_FOUND, about: uuid.UUID | Scope = LEGACY, what: str = "x"
) -> uuid.UUID:
    with store.write() as session:
        return outbox.enqueue(session, event, about, Notice(what))


def _all(deliverer: Deliverer) -> list[str | None]:
    """Spread, and try what is due, one after the other."""
    deliverer.spread()
    found = []
    while (task := deliverer.claim()) is not None:
        found.append(deliverer.deliver(task))
    return found


def _due_now(store: Store) -> None:
    with store.write() as session:
        session.execute(update(DeliveryRow).values(due=0))


def _rows(store: Store) -> list[DeliveryRow]:
    with store.read() as session:
        return list(session.scalars(select(DeliveryRow)))


def test_told_once_and_then_no_more(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url)
    key = _tell(store)
    assert _all(deliverer) == [None]
    assert _all(deliverer) == []
    (got,) = there.got
    assert got.headers["webhook-id"] == f"msg_{key.hex}"
    (row,) = _rows(store)
    assert (row.state, row.attempts, row.error) == ("delivered", 1, None)


def test_each_try_has_the_same_id_and_the_distances_grow(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    there.answer = lambda _: Told(500)
    _add(store, settings, there.url)
    key = _tell(store)
    deliverer.spread()
    for number, delay in enumerate(DELAYS_MS, 1):
        task = deliverer.claim()
        assert task is not None
        assert deliverer.deliver(task) == "It answered 500."
        (row,) = _rows(store)
        assert row.tried is not None
        assert (row.state, row.attempts) == ("waiting", number)
        assert delay <= row.due - row.tried <= delay * 1.1 + 60_000
        assert deliverer.claim() is None
        _due_now(store)
    assert _all(deliverer) == ["It answered 500."]
    (row,) = _rows(store)
    assert (row.state, row.error) == ("dead", "It answered 500.")
    assert {got.headers["webhook-id"] for got in there.got} == {f"msg_{key.hex}"}
    assert len(there.got) == len(DELAYS_MS) + 1


def test_what_was_given_up_is_seen_and_taken_up_again(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    there.answer = lambda _: Told(410)
    _add(store, settings, there.url)
    for what in ("one", "two"):
        _tell(store, what=what)
    assert _all(deliverer) == ["It answered 410."] * 2
    with store.read() as session:
        dead = deliveries.listed(session, Place(), 10, "dead")
        assert deliveries.counts(session) == {"dead": 2}
    assert [(d.destination, d.event, d.error) for d in dead] == [
        ("hook", "proof.found", "It answered 410.")
    ] * 2
    there.answer = lambda _: Told(200)
    with store.write() as session:
        assert deliveries.retry(session, Place(), BY, dead[0].id, "mended") == 1
    assert _all(deliverer) == [None]
    with store.write() as session:
        assert deliveries.retry(session, Place(), BY) == 1
        with pytest.raises(MissingError):
            deliveries.retry(session, Place(), BY, uuid.uuid4())
    assert _all(deliverer) == [None]
    with store.read() as session:
        said = [(e.action, e.object, e.why) for e in history.entries(session, 100, action="delivery.retry")]
    assert said == [("delivery.retry", str(dead[0].id), "mended"), ("delivery.retry", "everywhere", None)]


def test_who_dies_in_a_try_has_it_tried_again(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url)
    _tell(store)
    deliverer.spread()
    assert deliverer.claim() is not None  # and dies
    assert deliverer.claim() is None
    _due_now(store)
    assert _all(deliverer) == [None]
    (row,) = _rows(store)
    assert (row.state, row.attempts) == ("delivered", 2)


def test_a_delivery_that_kills_each_time_is_given_up(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url)
    _tell(store)
    deliverer.spread()
    for _ in range(len(DELAYS_MS) + 1):
        assert deliverer.claim() is not None
        _due_now(store)
    assert deliverer.claim() is None
    (row,) = _rows(store)
    assert (row.state, row.error) == ("dead", "No try of it came to its end.")


def test_a_result_that_comes_late_does_not_count(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url)
    _tell(store)
    deliverer.spread()
    late = deliverer.claim()
    _due_now(store)
    fresh = deliverer.claim()
    assert late is not None
    assert fresh is not None
    there.answer = lambda _: Told(500)
    deliverer.deliver(fresh)
    there.answer = lambda _: Told(200)
    deliverer.deliver(late)
    (row,) = _rows(store)
    assert (row.state, row.attempts) == ("waiting", 2)


def test_two_deliverers_share_the_work(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url)
    ids = {f"msg_{_tell(store, what=str(n)).hex}" for n in range(12)}
    other = Deliverer(store, settings, Outgoing(LOOPBACK, seconds=5))
    threads = [threading.Thread(target=_all, args=(one,)) for one in (deliverer, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got.headers["webhook-id"] for got in there.got) == sorted(ids)


CONCERNED = [
    (Event.PROOF_FOUND, "web/shop", {"", "web", "web/shop"}),
    (Event.PROOF_FOUND, "web/front/app", {"", "web", "web/front", "web/front/app"}),
    (Event.PROPOSAL_WAITS, "web", {"", "web"}),
    (Event.PROPOSAL_WAITS, "", {""}),
    (Event.BREAK_GLASS, "web", {"", "web", "web/shop", "web/front", "web/front/app"}),
    (Event.BREAK_GLASS, "web/shop", {"", "web", "web/shop"}),
    (Event.BREAK_GLASS, "", {"", "web", "web/shop", "web/front", "web/front/app", "ops", "ops/pay"}),
]


@pytest.mark.parametrize(("event", "about", "wanted"), CONCERNED)
def test_who_is_told(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver, tree: dict[str, Place],
    event: Event, about: str, wanted: set[str],
) -> None:  # fmt: skip
    for path, place in tree.items():
        _add(store, settings, f"{there.url}/{path}", place)
    place = tree[about]
    _tell(store, event, Scope(place.project and place.project.id, place.group and place.group.id))
    _all(deliverer)
    assert {got.path.strip("/") for got in there.got} == wanted


def test_a_place_whose_path_another_begins_with_is_not_above_it(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver, tree: dict[str, Place]
) -> None:
    with store.write() as session:
        close = places.add_group(session, "we", BY)
    _add(store, settings, there.url, Place(group=close))
    assert tree["web"].group is not None
    _tell(store, Event.BREAK_GLASS, Scope(group=tree["web"].group.id))
    _all(deliverer)
    assert there.got == []


def test_only_the_events_that_it_wants(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url, events=(Event.GATE_BLOCKED,))
    for event in Event:
        _tell(store, event)
    _all(deliverer)
    assert [got.json["type"] for got in there.got] == ["gate.blocked"]


def test_a_test_goes_there_alone(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    for name in ("one", "two"):
        _add(store, settings, f"{there.url}/{name}", name=name, events=(Event.GATE_BLOCKED,))
    with store.write() as session:
        key = destinations.test(session, Place(), "two", BY, "trying")
    assert _all(deliverer) == [None]
    assert [(got.path, got.json["type"]) for got in there.got] == [("/two", "test")]
    with store.read() as session:
        assert deliveries.listed(session, Place(), 5, delivery=key)[0].state == "delivered"


def test_what_is_removed_is_told_nothing_more(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url)
    _tell(store)
    deliverer.spread()
    with store.write() as session:
        destinations.remove(session, Place(), "hook", BY)
    assert _all(deliverer) == ["The destination was removed."]
    _tell(store)
    assert _all(deliverer) == []
    assert there.got == []
    with store.read() as session:
        (row,) = session.scalars(select(DestinationRow))
        assert row.secret is None
        assert deliveries.listed(session, Place(), 10, "dead")[0].destination == "hook"
    with store.write() as session:
        assert deliveries.retry(session, Place(), BY) == 0
    _add(store, settings, there.url)  # the name is free again


def test_the_database_holds_no_secret(store: Store, settings: Settings, there: Receiver) -> None:
    _add(store, settings, f"{there.url}/services/SECRETPATH")
    with store.write() as session:
        git = GitLab(url="https://gitlab.example", project="a/b", token="glpat-SECRET")
        destinations.add(session, Place(), NewDestination("git", git), secrecy.public_key(settings), BY)
    with store.read() as session:
        rows = session.execute(select(DestinationRow.__table__)).all()
        told = [(e.before, e.after) for e in history.entries(session, 100)]
    assert "SECRET" not in f"{rows}{told}"
    assert "gitlab.example" in f"{told}"


def test_a_secret_that_was_moved_to_another_destination_is_not_read(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    """Who can write the database, and not read the key, would have the token sent to himself."""
    with store.write() as session:
        git = GitLab(url="https://gitlab.example", project="a/b", token="glpat-SECRET")
        row = destinations.add(session, Place(), NewDestination("git", git), secrecy.public_key(settings), BY)
        sealed, options = row.secret, row.options.replace("https://gitlab.example", there.url)
        mine = GitLab(url=there.url, project="a/b", token="mine")
        thief = destinations.add(
            session, Place(), NewDestination("thief", mine), secrecy.public_key(settings), BY
        )
        thief.secret, thief.options = sealed, options
        destinations.test(session, Place(), "thief", BY)
    (problem,) = _all(deliverer)
    assert problem is not None
    assert "moved there" in problem
    assert there.got == []


def test_where_a_token_is_sent_is_bound_to_it(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    with store.write() as session:
        git = GitLab(url="https://gitlab.invalid", project="a/b", token="glpat-SECRET")
        row = destinations.add(session, Place(), NewDestination("git", git), secrecy.public_key(settings), BY)
        row.options = row.options.replace("https://gitlab.invalid", there.url)
        destinations.test(session, Place(), "git", BY)
    _all(deliverer)
    assert there.got == []  # it went where it was meant to go, and there is no such host


def test_another_servers_secrets_wait_for_it(
    store: Store,
    settings: Settings,
    deliverer: Deliverer,
    there: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    elsewhere = settings.model_copy(update={"data_dir": tmp_path_factory.mktemp("other")})
    secrecy.prepare(elsewhere)
    _add(store, elsewhere, there.url)
    _tell(store)
    assert _all(deliverer) == []
    assert _all(Deliverer(store, elsewhere, Outgoing(LOOPBACK))) == [None]


def test_names_are_taken_once_at_a_place(
    store: Store, settings: Settings, there: Receiver, tree: dict[str, Place]
) -> None:
    _add(store, settings, there.url)
    _add(store, settings, there.url, tree["web"])
    with pytest.raises(TakenError):
        _add(store, settings, there.url)
    for number in range(destinations.MAX_AT_A_PLACE - 1):
        _add(store, settings, there.url, name=f"n{number}")
    with pytest.raises(UsageError, match="at most"):
        _add(store, settings, there.url, name="one more")
    with store.write() as session, pytest.raises(MissingError):
        destinations.remove(session, tree["ops"], "hook", BY)


def test_an_issue_is_one_whatever_comes_twice_or_in_another_order(
    store: Store, settings: Settings, deliverer: Deliverer, tree: dict[str, Place]
) -> None:
    gitlab = FakeGitLab()
    project = tree["web/shop"].project
    assert project is not None
    with receiver(gitlab) as made:
        with store.write() as session:
            git = GitLab(url=made.url, project="web/shop", token="glpat-x")
            new = NewDestination("git", git)
            destinations.add(session, tree["web"], new, secrecy.public_key(settings), BY)
        for event in (Event.PROOF_FOUND, Event.FINDING_RESOLVED, Event.PROOF_FOUND):
            with store.write() as session:
                outbox.enqueue(session, event, project.id, Notice("x", fingerprint="f" * 32))
            assert _all(deliverer) == [None]
            _due_now(store)
        assert [issue["state"] for issue in gitlab.issues] == ["opened"]
        with store.write() as session:
            first = outbox.enqueue(session, Event.PROOF_FOUND, project.id, Notice("y", fingerprint="e" * 32))
            second = outbox.enqueue(
                session, Event.FINDING_RESOLVED, project.id, Notice("y", fingerprint="e" * 32)
            )
            session.execute(update(NoticeRow).where(NoticeRow.id == second).values(time=NoticeRow.time + 5))
        deliverer.spread()
        with store.write() as session:  # the later one comes first
            session.execute(update(DeliveryRow).where(DeliveryRow.notice_id == second).values(due=1))
            session.execute(update(DeliveryRow).where(DeliveryRow.notice_id == first).values(due=2))
        assert _all(deliverer) == [None, None]
    assert len(gitlab.issues) == 1
    with store.read() as session:
        rows = {row.fingerprint[0]: (row.remote, row.open) for row in session.scalars(select(IssueRow))}
    assert rows == {"f": ("1", True), "e": (None, False)}


def test_a_slow_place_keeps_only_itself_waiting(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    gone_on = threading.Event()

    def slow(_: object) -> Told:
        gone_on.wait(20)
        return Told()

    with receiver(slow) as sleepy:  # type: ignore[arg-type]
        _add(store, settings, sleepy.url, name="sleepy")
        _add(store, settings, there.url, name="awake")
        for number in range(5):
            _tell(store, what=str(number))
        running = Running(Deliverer(store, settings, Outgoing(LOOPBACK, seconds=30)))
        try:
            wait_for(lambda: running.step() is not None and len(there.got) == 5)
            assert len(sleepy.got) == 1
        finally:
            gone_on.set()
            running.close()


def test_old_things_are_forgotten_and_what_waits_or_is_told_once_is_not(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver
) -> None:
    _add(store, settings, there.url)
    _tell(store, what="told")
    with store.write() as session:
        outbox.enqueue(session, Event.PROOF_FOUND, LEGACY, Notice("once"), once="proof.found:1")
    _all(deliverer)
    there.answer = lambda _: Told(500)
    _tell(store, what="waits")
    _all(deliverer)
    with store.write() as session:
        session.execute(update(NoticeRow).values(spread=1))
    deliverer.prune()
    with store.read() as session:
        left = sorted(outbox.read(row).what for row in session.scalars(select(NoticeRow)))
        number = session.scalar(select(func.count()).select_from(DeliveryRow))
    assert (left, number) == (["once", "waits"], 1)


def test_about_nobody_is_told_everywhere(
    store: Store, settings: Settings, deliverer: Deliverer, there: Receiver, tree: dict[str, Place]
) -> None:
    _add(store, settings, there.url)
    _add(store, settings, f"{there.url}/web", tree["web"])
    _tell(store, Event.PROPOSAL_WAITS, EVERYWHERE)
    _all(deliverer)
    assert [got.path for got in there.got] == ["/"]


def test_the_lease_is_longer_than_all_requests_of_one_delivery() -> None:
    assert deliver.LEASE_MS > 5 * 20_000


@pytest.mark.parametrize("url", ["https://169.254.169.254/", "https://127.1/hook"])
def test_what_the_guard_refuses_for_good_is_not_tried_again(
    store: Store, settings: Settings, url: str
) -> None:
    guarded = Deliverer(store, settings, Outgoing(Guard(), seconds=5))
    _add(store, settings, url)
    _tell(store)
    [problem] = _all(guarded)
    assert "not public" in str(problem)
    with store.read() as session:
        [row] = deliveries.listed(session, Place(), 10, "dead")
    assert row.attempts == 1
