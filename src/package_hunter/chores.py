"""What is done again and again: the one list that names it (`queue.periodic` does it)."""

from __future__ import annotations

import datetime as dt

from package_hunter.config import Settings
from package_hunter.governance.clock import Clock
from package_hunter.queue.base import Queue
from package_hunter.queue.periodic import Periodic
from package_hunter.store.database import Store


def chores(config: Settings, store: Store, queue: Queue) -> tuple[Periodic, ...]:
    """All chores of a server. ``run`` of each is one step, True where there is more to do."""
    clock = Clock(store, queue)
    return (
        Periodic("clock", config.clock_seconds, lambda: clock.tick(dt.datetime.now(dt.UTC))),
        Periodic("queue", 10.0, lambda: queue.requeue_expired() > 0),
    )
