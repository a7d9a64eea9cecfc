"""Changes that need two people, on both databases: who may, what is applied, what keeps it from being."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select

from package_hunter.access.roles import Role
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import decide, people, views
from package_hunter.governance.proposals.decide import Emergency, Seen
from package_hunter.governance.proposals.errors import ClosedError, ForbiddenError
from package_hunter.store import documents, history, members, persons, places
from package_hunter.store.canonical import content_hash
from package_hunter.store.database import Store
from package_hunter.store.notice_tables import NoticeRow
from package_hunter.store.proposal_tables import Approval
from tests.support.proposals_world import DAY, START, TEST, World

TWO = {"approvals": 2}


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def settings_in_force(world: World, place: str = "everywhere") -> object:
    with world.store.read() as session:
        return documents.value(session, "approval-settings", place)


def told(world: World) -> list[str]:
    with world.store.read() as session:
        return [
            e.action for e in history.entries(session, 999) if e.action.startswith(("proposal", "approval"))
        ]


def test_one_proposes_another_approves_and_exactly_that_is_applied(world: World) -> None:
    number = world.propose("ann", TWO)
    made = world.get(number)
    assert (made.state, made.author, made.needed, settings_in_force(world)) == ("open", "ann", 1, None)
    assert made.content_hash == content_hash(made.document)
    assert "+approvals: 2" in made.diff
    assert world.approve("bea", number) == "applied"
    applied = world.get(number)
    assert (applied.way, applied.decided_by, applied.applied) == ("approved", "bea", world.now)
    assert settings_in_force(world) == {"approvals": 2, "days": 14, "kinds": {}}
    assert told(world) == ["proposal.add", "proposal.approve", "proposal.apply", "approval-settings.put"]
    with world.store.read() as session:
        assert session.scalars(select(NoticeRow.event)).all() == ["proposal.waits"]


def test_nobody_approves_his_own_nor_what_he_edited(world: World) -> None:
    number = world.propose("ann", TWO)
    with pytest.raises(ForbiddenError, match="do not approve their own"):
        world.approve("ann", number)
    world.edit("bea", number, {"approvals": 3})
    with pytest.raises(ForbiddenError, match="do not approve their own"):
        world.approve("bea", number)
    assert world.approve("carl", number) == "applied"


def test_an_approver_who_becomes_an_editor_counts_no_more(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    number = world.propose("ann", {"approvals": 1, "days": 7})
    assert world.approve("bea", number) == "open"
    world.edit("bea", number, {"approvals": 1, "days": 8})
    assert world.approve("carl", number) == "open", "bea's approval was dropped"
    with pytest.raises(ForbiddenError):
        world.approve("bea", number)
    assert world.approve("dora", number) == "applied"


def test_an_edit_drops_approvals_even_where_it_is_edited_back(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    number = world.propose("ann", {"approvals": 1})
    assert world.approve("bea", number) == "open"
    world.edit("ann", number, {"approvals": 1, "days": 3})
    world.edit("ann", number, {"approvals": 1})
    with world.store.read() as session:
        (only,) = session.scalars(select(Approval).where(Approval.proposal == number)).all()
    assert (only.dropped, only.dropped_why) == (world.now, "the proposal was edited")
    assert world.approve("carl", number) == "open"
    assert world.approve("bea", number) == "applied"


def test_what_was_edited_after_one_looked_is_not_approved(world: World) -> None:
    number = world.propose("ann", TWO)
    found = world.get(number)
    seen = Seen(found.content_hash, found.version)
    world.edit("ann", number, {"approvals": 3})
    with pytest.raises(ClosedError, match="not what you saw"):
        world.approve("bea", number, seen)


def test_the_same_content_with_another_reason_is_not_what_was_seen(world: World) -> None:
    number = world.propose("ann", TWO, apply_at=START + DAY)
    found = world.get(number)
    seen = Seen(found.content_hash, found.version)
    world.edit("carl", number, TWO)
    edited = world.get(number)
    assert (edited.content_hash, edited.version, edited.apply_at) == (seen.content_hash, 2, None)
    with pytest.raises(ClosedError, match="not what you saw"):
        world.approve("bea", number, seen)
    with pytest.raises(ClosedError, match="not what you saw"):
        world.approve("bea", number, Seen(seen.content_hash, 3))
    assert settings_in_force(world) is None
    assert world.approve("bea", number) == "applied"


def test_two_approvals_at_once(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    number = world.propose("ann", {"approvals": 1})

    def approve(name: str) -> str:
        return world.approve(name, number)

    with ThreadPoolExecutor(3) as pool:
        states = list(pool.map(approve, ("bea", "carl")))
    assert sorted(states) == ["applied", "open"]
    assert world.get(number).way == "approved"
    assert told(world).count("proposal.apply") == 2, "once for each proposal"


def test_the_same_person_twice_at_once_is_one_approval(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    number = world.propose("ann", {"approvals": 1})

    def approve(_: int) -> str:
        try:
            return world.approve("bea", number)
        except ClosedError:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, range(2))) == ["open", "refused"]


def test_tokens_propose_and_never_approve(world: World) -> None:
    world.add("token:ci", Role.SECURITY_ADMIN, owner="carl")
    number = world.propose("ann", TWO)
    with pytest.raises(ForbiddenError, match="never approve"):
        world.approve("token:ci", number)
    mine = world.propose("token:ci", {"approvals": 3})
    with pytest.raises(ForbiddenError, match="do not approve their own"):
        world.approve("carl", mine)
    assert world.approve("bea", mine) == "applied"


def test_a_token_that_is_nobodys_is_no_second_person(world: World) -> None:
    world.add("token:bot", Role.DEVELOPER)
    with pytest.raises(ForbiddenError, match="is nobody's") as refused:
        world.propose("token:bot", TWO)
    assert "token add NAME --owner" in refused.value.advice
    number = world.propose("ann", TWO)
    with pytest.raises(ForbiddenError, match="is nobody's"):
        world.edit("token:bot", number, {"approvals": 3})
    assert world.get(number).version == 1


def test_a_token_is_nobodys_though_others_are_linked(world: World) -> None:
    """Accounts of other people that are linked make nobody's token nobody else's."""
    world.add("token:bot", Role.DEVELOPER)
    with world.store.write() as session:
        persons.link(session, "ann", "bea", TEST)
    with pytest.raises(ForbiddenError, match="is nobody's"):
        world.propose("token:bot", TWO)
    world.add("token:mine", Role.DEVELOPER, owner="bea")
    number = world.propose("token:mine", TWO)
    for name in ("ann", "bea"):
        with pytest.raises(ForbiddenError, match="do not approve their own"):
            world.approve(name, number)


def test_who_may_not_propose_or_approve_there_does_not(world: World) -> None:
    with pytest.raises(ForbiddenError):
        world.propose("dev", TWO)
    number = world.propose("dev", TWO, "web/shop")
    world.add("eve", Role.SECURITY_ADMIN, "web/shop")
    with pytest.raises(ForbiddenError):
        world.approve("dev", number)
    everywhere = world.propose("ann", TWO)
    with pytest.raises(ForbiddenError):
        world.approve("eve", everywhere)
    assert world.approve("eve", number) == "applied"


def test_approvals_of_people_who_may_no_more_are_dropped(world: World) -> None:
    world.approve("bea", world.propose("ann", {"approvals": 3}))
    number = world.propose("ann", TWO)
    assert world.approve("bea", number) == "open"
    assert world.approve("carl", number) == "open"
    world.add("fay", Role.SECURITY_ADMIN)
    with world.store.write() as session:
        members.remove_account(session, "bea")
        members.take(session, "carl", Role.SECURITY_ADMIN, members.Place(), TEST)
    assert world.approve("dora", number) == "open"
    with world.store.read() as session:
        why = session.scalars(select(Approval.dropped_why).where(Approval.proposal == number)).all()
    assert sorted(map(str, why)) == [
        "None",
        "the account is removed",
        "the permission to approve was taken away",
    ]
    assert told(world).count("proposal.drop-approval") == 2


def test_it_is_stale_where_what_it_changes_was_changed(world: World) -> None:
    first, second = world.propose("ann", TWO), world.propose("bea", {"approvals": 1, "days": 2})
    assert world.approve("carl", first) == "applied"
    assert world.approve("carl", second) == "open"
    assert world.approve("dora", second) == "stale"
    assert "changed meanwhile" in str(world.get(second).decided_why)
    assert settings_in_force(world) == {"approvals": 2, "days": 14, "kinds": {}}
    with pytest.raises(ClosedError, match="is stale"):
        world.approve("ann", second)


def test_at_the_edge_of_its_expiry(world: World) -> None:
    late, in_time = world.propose("ann", TWO), world.propose("ann", {"approvals": 3})
    world.now = START + 14 * DAY - 1
    assert world.settle() == 0
    assert world.approve("bea", in_time) == "applied"
    world.now += 1
    with pytest.raises(ClosedError, match="is expired"):
        world.approve("bea", late)
    assert world.settle() == 1
    assert world.get(late).state == "expired"
    assert world.settle() == 0


def test_what_is_approved_for_later_waits_for_its_time(world: World) -> None:
    number = world.propose("ann", TWO, apply_at=START + DAY)
    assert world.approve("bea", number) == "approved"
    world.now = START + DAY - 1
    assert world.settle() == 0
    assert settings_in_force(world) is None
    world.now += 1
    assert world.settle() == 1
    applied = world.get(number)
    assert (applied.state, applied.decided_by) == ("applied", "package-hunter")
    with pytest.raises(UsageError, match="before its time comes"):
        world.propose("ann", {"approvals": 1}, apply_at=world.now + 15 * DAY)


def test_an_edit_takes_back_what_was_approved_for_later(world: World) -> None:
    number = world.propose("ann", TWO, apply_at=START + DAY)
    assert world.approve("bea", number) == "approved"
    world.edit("carl", number, {"approvals": 3})
    assert world.get(number).state == "open"
    world.now += DAY
    assert world.settle() == 0
    assert settings_in_force(world) is None


def test_settings_that_would_lock_everybody_out_are_refused(world: World) -> None:
    with pytest.raises(UsageError, match="nothing could be changed there any more"):
        world.propose("ann", {"approvals": 4})
    with pytest.raises(UsageError, match="nothing could be changed"):
        world.propose("ann", {"kinds": {"approval-settings": 4}})
    with pytest.raises(UsageError, match="nothing could be changed"):
        world.propose("dev", {"approvals": 9}, "web/shop")
    world.propose("ann", {"approvals": 3})


def test_settings_that_would_lock_everybody_out_by_the_time_they_are_approved(world: World) -> None:
    number = world.propose("ann", {"approvals": 3})
    with world.store.write() as session:
        members.remove_account(session, "dora")
    assert world.approve("bea", number) == "stale"
    assert "nothing could be changed" in str(world.get(number).decided_why)


def test_the_stricter_of_all_settings_above_counts(world: World) -> None:
    world.approve("bea", world.propose("ann", {"approvals": 1, "days": 5, "kinds": {"approval-settings": 3}}))
    number = world.propose("dev", {"approvals": 1, "days": 30}, "web/shop")
    made = world.get(number)
    assert (made.needed, made.expires) == (3, START + 5 * DAY)


def test_a_long_list_asks_no_more_than_a_short_one(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    paths = ("", "web", "web/shop", "web")
    numbers = [world.propose("ann", {"days": 3 + n}, path) for n, path in enumerate(paths)]
    for name, number in (("bea", 0), ("carl", 0), ("bea", 1), ("bea", 2)):
        world.approve(name, numbers[number])
    world.edit("dora", numbers[2], {"days": 30}, "web/shop")  # its approval is dropped
    asked: list[str] = []
    event.listen(world.store.engine, "before_cursor_execute", lambda _c, _u, text, *_: asked.append(text))

    def listed(limit: int) -> tuple[list[dict[str, object]], int]:
        with world.store.read() as session:
            rows = views.listed(session, views.ALL, views.Wish(), world.now, limit)
            before = len(asked)
            found = views.summaries(session, rows, world.now)
            return found, len(asked) - before

    every, number = listed(4)
    assert listed(1)[1] == number
    shown = [(one["number"], one["place"], one["approvals"], one["state"]) for one in every]
    places_of = ("everywhere", *paths[1:])
    states = zip(numbers, places_of, (2, 1, 0, 0), ("applied", "open", "open", "open"), strict=True)
    assert shown == list(states)[::-1]


def test_rejected_and_withdrawn_stay_so(world: World) -> None:
    number, own = world.propose("dev", TWO, "web/shop"), world.propose("dev", {"approvals": 3}, "web/shop")
    for act, name, why in (
        (decide.withdraw, "bea", "mine"),
        (decide.reject, "dev", "no"),
        (decide.reject, "bea", " "),
    ):
        with world.store.write() as session, pytest.raises(UsageError):
            act(session, world.by(session, name), number, why)
    with world.store.write() as session:
        decide.reject(session, world.by(session, "bea"), number, "not now")
        decide.withdraw(session, world.by(session, "dev"), own, "wrong")
    assert (world.get(number).state, world.get(own).state) == ("rejected", "withdrawn")
    for closed in (number, own):
        with pytest.raises(ClosedError):
            world.approve("ann", closed)
    assert told(world)[-2:] == ["proposal.reject", "proposal.withdraw"]


def breaking(world: World, name: str, number: int) -> None:
    with world.store.write() as session:
        decide.break_glass(session, world.by(session, name), number, Emergency.PRODUCTION, "all is down")


def reviewing(world: World, name: str, number: int) -> None:
    with world.store.write() as session:
        decide.review(session, world.by(session, name), number, "looked at it")


def test_breaking_the_glass_applies_at_once_tells_everybody_and_waits_for_a_review(world: World) -> None:
    number = world.propose("dev", TWO, "web/shop", apply_at=START + DAY)
    with pytest.raises(ForbiddenError):
        breaking(world, "dev", number)
    breaking(world, "ann", number)
    made = world.get(number)
    assert (made.state, made.way, made.emergency, made.reviewed) == (
        "applied",
        "break-glass",
        "production-emergency",
        None,
    )
    with world.store.read() as session:
        assert session.scalars(select(NoticeRow.event)).all() == ["proposal.waits", "break-glass.used"]
    for name in ("ann", "dev"):
        with pytest.raises(ForbiddenError):
            reviewing(world, name, number)
    reviewing(world, "bea", number)
    assert world.get(number).review == "looked at it"
    with pytest.raises(ClosedError, match="waits for no review"):
        reviewing(world, "carl", number)
    assert "proposal.break-glass" in told(world)
    assert told(world)[-1] == "proposal.review"


def test_where_there_is_one_person_only_changes_apply_and_are_marked(store: Store) -> None:
    world = World(store, "ann")
    world.add("token:ci", Role.SECURITY_ADMIN)
    number = world.propose("ann", {"days": 7})
    made = world.get(number)
    assert (made.state, made.way, made.reviewed) == ("applied", "alone", None)
    waits = world.propose("dev", {"days": 5}, "web/shop")
    assert world.get(waits).state == "open", "a developer alone is no approver"
    assert world.approve("ann", waits) == "applied"
    world.add("bea", Role.SECURITY_ADMIN, "web")
    assert world.get(world.propose("ann", {"days": 9}, "web")).state == "open", "there is somebody else there"
    with world.store.write() as session:
        members.give(session, "bea", Role.SECURITY_ADMIN, members.Place(), TEST)
    reviewing(world, "bea", number)


def test_one_is_alone_at_the_place_not_on_the_whole_server(store: Store) -> None:
    """Else somebody at web would keep every change for everywhere from ever being approved."""
    world = World(store, "ann")
    world.add("ben", Role.SECURITY_ADMIN, "web")
    everywhere = world.get(world.propose("ann", {"days": 7}))
    assert (everywhere.state, everywhere.way) == ("applied", "alone")
    below = world.propose("ann", {"days": 6}, "web/shop")
    assert world.get(below).state == "open", "ben may approve there"
    assert world.approve("ben", below) == "applied"
    mine = world.propose("ben", {"days": 5}, "web")
    assert (world.get(mine).state, world.approve("ann", mine)) == ("open", "applied")


def test_somebody_at_another_group_is_no_other_person_there(store: Store) -> None:
    world = World(store, "ann")
    with store.write() as session:
        places.add_group(session, "web2", TEST)  # begins as web does, and is not below it
    world.add("ben", Role.SECURITY_ADMIN, "web")
    world.add("cat", Role.SECURITY_ADMIN, "web2")
    taken = {"account": "ben", "role": "security-admin", "held": False}
    assert world.approve("ben", world.propose("ann", taken, "web", "approval-rights")) == "applied"
    for path in ("web", "web/shop"):
        made = world.get(world.propose("ann", {"days": 8}, path))
        assert (made.state, made.way, made.reviewed) == ("applied", "alone", None), path
    assert world.get(world.propose("ann", {"days": 8}, "web2")).state == "open"


def stuck_at(world: World, number: int) -> str | None:
    with world.store.read() as session:
        found = views.details(session, views.get(session, views.ALL, number), world.now)["stuck"]
    assert found is None or isinstance(found, str)
    return found


def test_whom_nobody_could_approve_is_told_so(store: Store) -> None:
    world = World(store, "ann")
    with store.write() as session:
        members.give(session, "ann", Role.SECURITY_ADMIN, world.place(session, "web"), TEST)
        members.take(session, "ann", Role.SECURITY_ADMIN, members.Place(), TEST)
    world.add("dan", Role.DEVELOPER)
    nobody = str(stuck_at(world, world.propose("dan", {"days": 7})))
    assert nobody.startswith("Nobody can approve this at everywhere: ")
    number = world.propose("dev", {"days": 7}, "web/shop")
    assert stuck_at(world, number) is None, "ann may"
    world.edit("ann", number, {"days": 8}, "web/shop")
    assert str(stuck_at(world, number)).startswith("Nobody can approve this at web/shop: ")
    world.add("ben", Role.SECURITY_ADMIN, "web")
    assert stuck_at(world, number) is None
    waits = world.propose("ann", {"days": 9}, "web")
    with store.write() as session:
        members.remove_account(session, "ben")
    assert "propose it again, and it applies at once" in str(stuck_at(world, waits))


def test_too_few_who_could_approve_is_told(world: World) -> None:
    world.approve("bea", world.propose("ann", {"approvals": 3}))
    number = world.propose("ann", {"days": 9})
    assert stuck_at(world, number) is None
    with world.store.write() as session:
        members.remove_account(session, "dora")
    said = str(stuck_at(world, number))
    assert said.startswith("Too few can approve this at everywhere: it takes 3 people")
    assert "and 2 may approve there" in said


def test_what_one_alone_wants_for_later_waits_for_its_time(store: Store) -> None:
    world = World(store, "ann")
    number = world.propose("ann", {"days": 7}, apply_at=START + DAY)
    assert world.get(number).state == "open"
    world.now += DAY
    assert world.settle() == 1
    assert (world.get(number).state, world.get(number).way) == ("applied", "alone")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "have the keys"),
        ({"approval": 1}, "have the keys"),
        ({"approvals": 0}, "whole number from 1 to 10"),
        ({"approvals": True}, "whole number"),
        ({"days": 366}, "from 1 to 365"),
        ({"kinds": {"nonsense": 1}}, "no kind of change"),
        ({"kinds": []}, "a number for each kind"),
    ],
)
def test_what_is_wrong_is_said(world: World, document: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        world.propose("ann", document)


def test_what_changes_nothing_is_no_proposal(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    with pytest.raises(UsageError, match="would change nothing"):
        world.propose("ann", {"kinds": {}, "days": 14, "approvals": 2})


def test_the_database_knows_the_roles_that_approve() -> None:
    from importlib import import_module

    migration = import_module("package_hunter.store.migrations.versions.0009_proposals")
    roles = ", ".join(f"'{role.value}'" for role in people.APPROVING_ROLES)
    assert f"({roles})" == migration._APPROVING_ROLES
