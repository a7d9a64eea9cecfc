"""The list of chores."""

from __future__ import annotations

from typing import Any, cast

from package_hunter.chores import chores
from package_hunter.config import Settings
from package_hunter.store.database import Store


class Queue:
    """One scan's lease has ended."""

    left = 1

    def requeue_expired(self) -> int:
        self.left -= 1
        return self.left + 1


def test_each_has_a_name_of_its_own_and_an_interval() -> None:
    found = chores(Settings(clock_seconds=7.0), cast("Store", None), cast("Any", Queue()))
    names = [chore.name for chore in found]
    assert len(set(names)) == len(names)
    assert {chore.name: chore.every for chore in found}["clock"] == 7.0
    assert all(chore.every >= 1 for chore in found)


def test_leases_that_ended_are_looked_for() -> None:
    found = chores(Settings(), cast("Store", None), cast("Any", Queue()))
    queue = next(chore for chore in found if chore.name == "queue")
    assert (queue.run(), queue.run()) == (True, False)
