"""What holds in many projects is asked for at once, and it is what holds in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING
from package_hunter.governance import figures, policies
from package_hunter.model.scan import Decision
from package_hunter.store import places
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from package_hunter.triage import impact, listing, results, states
from package_hunter.triage.listing import Filters
from package_hunter.triage.results import Standing
from package_hunter.triage.values import NewState, Reason, State
from tests.support.duty_store import ANA, LOOK, scanned, shops

TRUE = NewState(State.CONFIRMED, Reason.NOT_APPLICABLE, "looked at")
FALSE = NewState(State.FALSE_POSITIVE, Reason.NOT_APPLICABLE, "looked at")
BLOCK = {"rule": [{"decision": "block", "kind": "git_hook", "name": "hooks"}]}
MANY = 30


@contextmanager
def _asked(store: Store) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


def _filled(store: Store, number: int) -> dict[str, Place]:
    at = shops(store)
    with store.write() as session:
        for n in range(number):
            path = f"{('web', 'ops')[n % 2]}/p{n}"
            at[path] = Place(project=places.add_project(session, path, ANA))
            project = at[path].project
            assert project is not None
            scanned(session, [LOOK], project.id)
    return at


def _list(session: Session) -> None:
    rows = listing.page(session, EVERYTHING, Filters()).rows
    assert len(results.of_scans(session, [row.last_scan for row in rows])) == len(rows)


def _impact(session: Session) -> None:
    assert impact.of_policy(session, Place(), BLOCK).stricter > 1


@pytest.mark.parametrize("asks", [_list, _impact])
@pytest.mark.parametrize("stale", [False, True])
def test_as_few_statements_for_many_projects_as_for_some(
    store: Store, asks: Callable[[Session], None], stale: bool
) -> None:
    numbers = []
    at = _filled(store, 3)
    for more in (range(3, 5), range(5, MANY)):
        with store.write() as session:
            for n in more:
                project = places.add_project(session, f"web/q{n}", ANA)
                scanned(session, [LOOK], project.id)
            if stale:
                policies.put(
                    session, ANA, at[""], {"rule": [{"decision": "review", "kind": f"x{more.start}"}]}
                )
        with store.write() as session, _asked(store) as said:
            asks(session)
        numbers.append(sum(one.startswith("SELECT") for one in said))
    assert numbers[0] == numbers[1], numbers


def test_each_project_has_what_holds_there(store: Store) -> None:
    at = _filled(store, 4)
    with store.write() as session:
        policies.put(session, ANA, at["web"], BLOCK)
        states.set_state(session, ANA, at["ops"], LOOK.fingerprint, FALSE)
        states.set_state(session, ANA, at["ops/p1"], LOOK.fingerprint, TRUE)
    with store.read() as session:
        rows = {str(row.project_id): row for row in listing.page(session, EVERYTHING, Filters()).rows}
        found = results.of_scans(session, [row.last_scan for row in rows.values()])
        decisions, alone = {}, {}
        for path in ("web/p0", "web/p2", "ops/p1", "ops/p3"):
            project = at[path].project
            assert project is not None
            row = rows[str(project.id)]
            [outcome] = found[row.last_scan].outcomes
            decisions[path] = (outcome.decision, outcome.silenced is not None)
            alone[path] = Standing(session).basis(project.id)
        together = Standing(session)
        together.ahead([place.project.id for place in at.values() if place.project is not None])
        for path, basis in alone.items():
            project = at[path].project
            assert project is not None and together.basis(project.id) == basis
    assert decisions["web/p0"] == decisions["web/p2"] == (Decision.BLOCK, False)
    assert not decisions["ops/p1"][1], "it was confirmed for this project"
    assert decisions["ops/p3"][1], "it is silenced for the group"


def test_figures_of_a_policy_count_the_newest_and_say_what_they_left_out(store: Store) -> None:
    at = _filled(store, 5)
    with store.write() as session:
        policies.put(session, ANA, at[""], BLOCK)
        few, all_ = (figures.of_policy(session, EVERYTHING, Place(), most) for most in (2, 100_000))
        none = figures.of_policy(session, EVERYTHING, Place(), 0)
    assert (few.counted, few.not_counted, few.rules[0].fits) == (2, 3, 2)
    assert (all_.counted, all_.not_counted, all_.rules[0].fits) == (5, 0, 5)
    assert (none.counted, none.not_counted, none.rules[0].fits) == (0, 5, 0)
