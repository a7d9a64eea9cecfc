"""The database itself refuses what breaks the rules of approvals: tried past all our code, on both databases."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from package_hunter.access.roles import Role
from package_hunter.store import members, persons, places
from package_hunter.store.database import Store
from package_hunter.store.proposal_tables import Approval, Proposal
from tests.support.proposals_world import DAY, START, TEST, World

TWO = {"approvals": 2}


@pytest.fixture
def world(store: Store) -> World:
    made = World(store)
    made.add("token:ci", Role.SECURITY_ADMIN)
    return made


def account(world: World, name: str) -> str:
    """An account's id as the database has it."""
    with world.store.read() as session:
        found = members.account(session, name)
        assert found is not None
        return _id(world, found.id)


def _id(world: World, key: uuid.UUID) -> str:
    return key.hex if world.store.is_sqlite else str(key)


def refused(world: World, says: str, statement: str, **values: object) -> None:
    with pytest.raises(DBAPIError, match=says):
        world.sql(statement, **values)


_APPROVE = (
    "INSERT INTO approvals (proposal, version, content_hash, account_id, approver, proof, created) "
    "VALUES (:number, :version, :hash, :account, :name, 'password', :created)"
)


def forged(world: World, number: int, name: str, **other: object) -> dict[str, object]:
    """What an approval that nobody gave would be."""
    proposal = world.get(number)
    return {
        "number": number,
        "version": proposal.version,
        "hash": proposal.content_hash,
        "account": account(world, name),
        "name": name,
        "created": START,
    } | other


def test_approvals_that_may_not_be(world: World) -> None:
    number = world.propose("ann", TWO)
    world.edit("bea", number, {"approvals": 3})
    refused(world, "author and editors", _APPROVE, **forged(world, number, "ann"))
    refused(world, "author and editors", _APPROVE, **forged(world, number, "bea"))
    refused(world, "author and editors", _APPROVE, **forged(world, number, "ann") | {"name": "carl"})
    refused(world, "tokens never", _APPROVE, **forged(world, number, "token:ci"))
    refused(world, "not what the proposal says", _APPROVE, **forged(world, number, "carl", hash="0" * 64))
    refused(world, "not what the proposal says", _APPROVE, **forged(world, number, "carl", version=1))
    refused(world, "is expired", _APPROVE, **forged(world, number, "carl", created=START + 14 * DAY))
    refused(
        world, "is closed|is expired|not what", _APPROVE, **forged(world, number, "carl") | {"number": 99}
    )
    world.sql(_APPROVE, **forged(world, number, "carl"))
    refused(world, "approved it already", _APPROVE, **forged(world, number, "carl"))
    with world.store.write() as session:
        members.remove_account(session, "dora")
        removed = session.execute(
            select(members.Account.id).where(members.Account.name == "dora")
        ).scalar_one()
    gone = forged(world, number, "carl", account=_id(world, removed))
    refused(world, "tokens never", _APPROVE, **gone)


def test_a_second_account_of_one_person_is_the_same_person(world: World) -> None:
    number = world.propose("ann", TWO)
    with world.store.write() as session:
        persons.link(session, "ann", "bea", TEST)
    refused(world, "author and editors", _APPROVE, **forged(world, number, "bea"))
    world.sql(_APPROVE, **forged(world, number, "carl"))


def test_accounts_that_turn_out_to_be_one_person_count_once(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    number = world.propose("ann", {"approvals": 1})
    for name in ("bea", "carl"):
        world.sql(_APPROVE, **forged(world, number, name))
    with world.store.write() as session:
        persons.link(session, "bea", "carl", TEST)
    who = account(world, "bea")
    refused(world, "approvals are missing", f"{_APPLIED} WHERE number = 2", way="approved", at=START, who=who)


def test_an_approval_is_only_ever_dropped(world: World) -> None:
    number = world.propose("ann", TWO)
    world.sql(_APPROVE, **forged(world, number, "carl"))
    for change in (
        "approver = 'dora'",
        "version = 2",
        "dropped = NULL",
        f"account_id = '{account(world, 'dora')}'",
    ):
        refused(world, "only ever dropped", f"UPDATE approvals SET {change}")
    refused(world, "never deleted", "DELETE FROM approvals")
    world.sql("UPDATE approvals SET dropped = 1")
    refused(world, "only ever dropped", "UPDATE approvals SET dropped = NULL")
    if world.store.is_sqlite:
        replace = _APPROVE.replace(
            "INSERT INTO approvals (", "INSERT OR REPLACE INTO approvals (id, "
        ).replace("(:number", "(1, :number")
        refused(world, "never replaced", replace, **forged(world, number, "carl"))
    else:
        refused(world, "never deleted", "TRUNCATE approvals")
        refused(world, "never deleted", "TRUNCATE proposals CASCADE")


_APPLIED = "UPDATE proposals SET state = 'applied', way = :way, applied = :at, applied_by_id = :who"


@pytest.mark.parametrize("way", ["approved", "alone"])
def test_nothing_is_applied_without_approvals(world: World, way: str) -> None:
    world.propose("ann", TWO)
    says = {"approved": "approvals are missing", "alone": "only who is alone"}[way]
    refused(world, says, _APPLIED, way=way, at=START, who=account(world, "ann"))
    refused(world, "approvals are missing", "UPDATE proposals SET state = 'approved'")
    refused(world, "approvals are missing|in which way", "UPDATE proposals SET state = 'applied'")
    refused(world, "only what is applied", "UPDATE proposals SET way = 'approved'")
    refused(world, "in which way|approvals", _APPLIED, way="magic", at=START, who=account(world, "ann"))


def test_needed_and_the_editors_are_not_talked_away(world: World) -> None:
    world.approve("bea", world.propose("ann", TWO))
    number = world.propose("ann", {"approvals": 1})
    world.sql(_APPROVE, **forged(world, number, "carl"))
    refused(world, "never needs fewer", "UPDATE proposals SET needed = 1 WHERE number = 2")
    refused(
        world,
        "approvals are missing",
        f"{_APPLIED} WHERE number = 2",
        way="approved",
        at=START,
        who=account(world, "carl"),
    )
    refused(world, "never deleted", "DELETE FROM proposal_edits")
    refused(world, "never changed", f"UPDATE proposal_edits SET account_id = '{account(world, 'dora')}'")
    refused(world, "stays", f"UPDATE proposals SET author_id = '{account(world, 'dora')}' WHERE number = 2")
    refused(world, "stays", "UPDATE proposals SET expires = expires + 1 WHERE number = 2")


def test_an_approval_of_one_content_applies_no_other(world: World) -> None:
    number = world.propose("ann", TWO)
    world.sql(_APPROVE, **forged(world, number, "carl"))
    other = {"document": '{"approvals":1}', "hash": "1" * 64}
    refused(
        world,
        "changes by an edit",
        "UPDATE proposals SET document = :document, content_hash = :hash",
        **other,
    )
    refused(world, "changes by an edit", "UPDATE proposals SET diff = 'nothing to see'")
    edit = (
        "INSERT INTO proposal_edits (proposal, version, account_id, editor, created, document, content_hash) "
        "VALUES (:number, :version, :who, 'carl', 1, :document, :hash)"
    )
    values = {"number": number, "who": account(world, "carl"), **other}
    refused(world, "follow each other", edit, version=3, **values)
    refused(world, "follow each other|never replaced", edit, version=1, **values)
    world.sql(edit, version=2, **values)
    with world.store.read() as session:
        (approval,) = session.scalars(select(Approval)).all()
    assert approval.dropped == 1, "the edit dropped it, whoever wrote the edit"
    world.sql("UPDATE proposals SET version = 2, document = :document, content_hash = :hash", **other)
    refused(world, "approvals are missing", _APPLIED, way="approved", at=START, who=values["who"])
    refused(world, "author and editors", _APPROVE, **forged(world, number, "carl"))


def test_what_is_closed_stays_so(world: World) -> None:
    number = world.propose("ann", TWO)
    assert world.approve("bea", number) == "applied"
    for change in (
        "state = 'open'",
        "state = 'rejected'",
        "way = 'alone'",
        "decided_by = 'carl'",
        "impact = '{}'",
    ):
        refused(world, "what is closed stays|only what is applied", f"UPDATE proposals SET {change}")
    refused(
        world,
        "unreviewed",
        "UPDATE proposals SET reviewed = 1, reviewer_id = :who",
        who=account(world, "carl"),
    )
    refused(world, "is closed", _APPROVE, **forged(world, number, "carl"))
    refused(world, "never changed", "UPDATE governed_documents SET document = '{}'")
    refused(world, "never deleted", "DELETE FROM governed_documents")


def test_times_are_kept(world: World) -> None:
    number = world.propose("ann", TWO, apply_at=START + DAY)
    assert world.approve("bea", number) == "approved"
    who = account(world, "bea")
    refused(world, "its time has not come", _APPLIED, way="approved", at=START + DAY - 1, who=who)
    refused(world, "is expired", _APPLIED, way="approved", at=START + 14 * DAY, who=who)
    world.sql(_APPLIED, way="approved", at=START + DAY, who=who)


def test_the_glass_needs_a_user_a_reason_and_a_text(world: World) -> None:
    world.propose("ann", TWO)
    values = {"way": "break-glass", "at": START, "who": account(world, "bea")}
    says = "needs a user, a reason and a text"
    refused(world, says, _APPLIED, **values)
    told = "emergency = 'critical-deadline', emergency_text = 'x'"
    refused(world, says, f"{_APPLIED}, emergency = 'boredom', emergency_text = 'x'", **values)
    refused(world, says, f"{_APPLIED}, emergency = 'critical-deadline', emergency_text = ' '", **values)
    refused(world, says, f"{_APPLIED}, {told}", **values | {"who": account(world, "token:ci")})
    world.sql(f"{_APPLIED}, {told}", **values)
    review = "UPDATE proposals SET reviewed = 1, reviewer_id = :who, review = 'fine'"
    for name, why in (("ann", "had no part"), ("bea", "had no part"), ("token:ci", "one user's")):
        refused(world, why, review, who=account(world, name))
    world.sql(review, who=account(world, "carl"))
    refused(world, "one user's, once", review, who=account(world, "dora"))


def test_one_alone_is_alone_for_the_database_too(store: Store) -> None:
    world = World(store, "ann")
    world.propose("dev", {"days": 3}, "web/shop")
    refused(world, "only who is alone", _APPLIED, way="alone", at=START, who=account(world, "dev"))
    refused(world, "only who is alone", _APPLIED, way="alone", at=START, who=account(world, "ann"))


@pytest.mark.parametrize("path", ["", "web", "web/shop", "web2"])
def test_alone_is_judged_at_the_place_by_the_database_too(store: Store, path: str) -> None:
    world = World(store, "ann", "bea")
    with store.write() as session:
        places.add_group(session, "web2", TEST)  # begins as web does, and is not below it
        members.give(session, "bea", Role.SECURITY_ADMIN, world.place(session, "web"), TEST)
    world.propose("ann", {"days": 3}, path)
    with store.write() as session:
        members.take(session, "bea", Role.SECURITY_ADMIN, members.Place(), TEST)
    values = {"way": "alone", "at": START}
    if path.startswith("web") and path != "web2":
        refused(world, "only who is alone", _APPLIED, who=account(world, "ann"), **values)
    else:
        refused(world, "only who is alone", _APPLIED, who=account(world, "bea"), **values)
        world.sql(_APPLIED, who=account(world, "ann"), **values)


def test_a_proposal_begins_open(world: World) -> None:
    number = world.propose("ann", TWO)
    columns = [c.name for c in Proposal.__table__.columns if c.name not in ("number", "state")]
    names = ", ".join(columns)
    copy = f"INSERT INTO proposals (state, {names}) SELECT 'applied', {names} FROM proposals WHERE number = {number}"
    refused(world, "begins open", copy)
    if world.store.is_sqlite:
        every = ", ".join(["number", "state", *columns])
        refused(world, "never replaced", f"REPLACE INTO proposals ({every}) SELECT {every} FROM proposals")


def test_only_people_and_their_tokens_write_proposals(world: World) -> None:
    number = world.propose("ann", TWO)
    edit = (
        "INSERT INTO proposal_edits (proposal, version, account_id, editor, created, document, content_hash) "
        "VALUES (:number, 2, :account, 'x', 1, '{}', :hash)"
    )
    values = {"number": number, "hash": "0" * 64}
    refused(world, "only people and their tokens", edit, account=account(world, "token:ci"), **values)
    world.add("token:mine", Role.DEVELOPER, owner="bea")
    world.sql(edit, account=account(world, "token:mine"), **values)
