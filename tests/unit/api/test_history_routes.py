"""The history's filters and order, and how its chain stands; users and tokens as they are listed; the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from package_hunter.access.actor import Actor
from package_hunter.access.permissions import Permission
from package_hunter.access.roles import Role
from package_hunter.audit import standing
from package_hunter.audit.sealer import Sealer
from package_hunter.store import accounts, history, totp
from package_hunter.store.history import Change
from package_hunter.store.history_tables import HistoryRow, SealRow, UnsealedRow
from package_hunter.store.tokens import Limits
from tests.support.access_server import OWN, TEST, AccessServer

_BY = Actor("ana", "198.51.100.7")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def ask(server: AccessServer) -> Any:
    token = server.token("boss", (Role.AUDITOR, ""), (Role.ADMINISTRATOR, ""))
    return lambda path, **query: server.ask(token, "GET", f"/api/v1{path}", params=query).json()


def _tell(server: AccessServer, *changes: Change) -> None:
    with server.store.write() as session:
        for change in changes:
            history.record(session, _BY, change)


def test_entries_are_found_by_who_what_where_and_when(server: AccessServer, ask: Any) -> None:
    project = server.ids[OWN]
    _tell(server, Change("user.add", "ben"), Change("user.remove", "ben"), Change("users.none", "x"))
    _tell(server, Change("scan.cancel", "s", project=project))
    told = lambda **q: [e["action"] for e in ask("/history", who="ana", **q)["items"]]  # noqa: E731
    assert told() == ["user.add", "user.remove", "users.none", "scan.cancel"]
    assert told(action="user") == ["user.add", "user.remove"]
    assert told(action="user.add") == ["user.add"]
    assert told(action="us_r") == []
    assert told(object="ben") == ["user.add", "user.remove"]
    assert told(project=OWN) == ["scan.cancel"]
    assert told(origin="198.51.100.7", order="newest") == [
        "scan.cancel",
        "users.none",
        "user.remove",
        "user.add",
    ]
    assert told(since="2020-01-01T00:00:00") == told()
    assert told(until="2020-01-01T00:00:00") == []
    assert ask("/history", project="no/such")["status"] == 404
    assert ask("/history", order="worst")["status"] == 400


def test_pages_go_on_in_the_order_that_was_asked_for(server: AccessServer, ask: Any) -> None:
    _tell(server, *[Change("scan.rerun", str(n)) for n in range(5)])
    for order, wanted in (("oldest", ["0", "1", "2", "3", "4"]), ("newest", ["4", "3", "2", "1", "0"])):
        found, after = [], 0
        while after is not None:
            page = ask("/history", action="scan.rerun", order=order, limit=2, after=after)
            found += [e["object"] for e in page["items"]]
            after = page["next"]
        assert found == wanted


def test_the_chain_stands_as_it_is(server: AccessServer, ask: Any) -> None:
    assert ask("/history/chain")["says"].endswith("entries wait for their seal.")
    sealed = Sealer(server.store, server.settings).seal()
    found = ask("/history/chain")
    assert (found["sealed"], found["checked"], found["problems"]) == (sealed, sealed, [])
    assert found["says"] == "Sealed, and all entries fit their seals."
    assert ask("/history")["items"][0]["position"] == 1
    _tell(server, Change("user.add", "ben"))
    assert ask("/history/chain")["waiting"] == 1
    assert ask("/history", object="ben")["items"][0]["position"] is None
    with server.store.write() as session:
        session.execute(update(UnsealedRow).values(time=1))
    assert "The sealer does not work: 1 entries" in ask("/history/chain")["says"]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("how", ["changed", "removed", "unsealed"])
def test_what_does_not_fit_is_told_with_its_place(
    server: AccessServer, ask: Any, how: str, whole: bool
) -> None:
    _tell(server, *[Change("scan.rerun", str(n)) for n in range(4)])
    Sealer(server.store, server.settings).seal()
    with server.store.write() as session:
        entry = session.query(SealRow).filter(SealRow.position == 3).one().entry_id
        row, seal = session.get_one(HistoryRow, entry), session.get_one(SealRow, 3)
    with server.store.engine.begin() as raw:
        for (name,) in raw.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='trigger'").all():
            raw.exec_driver_sql(f'DROP TRIGGER "{name}"')
        if how == "changed":
            raw.exec_driver_sql("UPDATE history SET who='mallory' WHERE id=?", (row.id,))
        elif how == "removed":
            raw.exec_driver_sql("DELETE FROM history WHERE id=?", (row.id,))
        else:
            raw.exec_driver_sql("DELETE FROM history_seals WHERE position=?", (seal.position,))
    found = ask("/history/chain", whole=whole)
    assert any("3" in one for one in found["problems"]), found
    assert "not what was sealed" in found["says"]


def test_a_long_chain_is_looked_at_from_its_end(server: AccessServer, ask: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(standing, "NEWEST", 3)
    _tell(server, *[Change("scan.rerun", str(n)) for n in range(9)])
    Sealer(server.store, server.settings).seal()
    assert ask("/history/chain")["says"] == "Sealed, and the newest 3 entries fit their seals."
    assert ask("/history/chain", whole=True)["says"] == "Sealed, and all entries fit their seals."


def test_users_are_listed_with_roles_and_how_they_sign_in(server: AccessServer, ask: Any) -> None:
    with server.store.write() as session:
        start = accounts.Start(
            (
                accounts.Grant(Role.VIEWER, server.place(session, OWN)),
                accounts.Grant(Role.AUDITOR, server.place(session, "")),
            ),
            server.ids[OWN],
        )
        accounts.add_user(session, "ben", "correct horse", start, TEST)
        accounts.add_user(session, "cleo", "correct horse", accounts.Start((), server.ids[OWN]), TEST)
        box = server.app.state.service.box
        totp.begin(session, box, accounts.user(session, "cleo"))
    signed = server.ask(None, "POST", "/api/v1/session", json={"name": "ben", "password": "correct horse"})
    assert signed.status_code == 201
    ben, cleo = ask("/users")["items"]
    assert (ben["name"], ben["sessions"], ben["password"], ben["codes"]) == ("ben", 1, True, False)
    assert ben["roles"] == [{"role": "auditor", "place": "everywhere"}, {"role": "viewer", "place": OWN}]
    assert (cleo["sessions"], cleo["seen"], cleo["codes"], cleo["locked"]) == (0, None, False, None)


def test_tokens_are_listed_with_what_they_may(server: AccessServer, ask: Any) -> None:
    with server.store.write() as session:
        accounts.add_user(session, "ben", "correct horse", accounts.Start((), server.ids[OWN]), TEST)
        where = server.place(session, OWN)
        limits = Limits((Permission.SCAN_READ,), (where,), None, "ben")
        start = accounts.Start((accounts.Grant(Role.VIEWER, where),), server.ids[OWN])
        accounts.add_token(session, "narrow", start, TEST, limits=limits)
    by_name = {one["name"]: one for one in ask("/tokens")["items"]}
    narrow, boss = by_name["narrow"], by_name["boss"]
    assert (narrow["owner"], narrow["own"], narrow["places"]) == ("ben", False, [OWN])
    assert narrow["permissions"] == ["project:scan:read"]
    assert narrow["roles"] == [{"role": "viewer", "place": OWN}]
    assert (boss["permissions"], boss["places"], boss["owner"]) == (None, None, None)
    assert {one["role"] for one in boss["roles"]} == {"auditor", "administrator"}


def test_the_queue_is_told_by_priority(server: AccessServer, ask: Any) -> None:
    token = server.token("dev", (Role.DEVELOPER, OWN))
    for name in ("a", "b"):
        done = server.ask(
            token, "POST", "/api/v1/scans", params={"project": OWN}, json={"purl": f"pkg:npm/{name}"}
        )
        assert done.status_code == 202
    found = ask("/queue")
    assert [one["priority"] for one in found["items"]] == ["merge-request", "normal", "nightly"]
    assert sum(one["waiting"] for one in found["items"]) == 2
    assert found["dead"] == 0
