"""What is done again and again: the one list that names it (`queue.periodic` does it)."""

from __future__ import annotations

import datetime as dt

from package_hunter.bundle import asked as bundles
from package_hunter.config import Settings
from package_hunter.drill.run import Drills
from package_hunter.governance import retention
from package_hunter.governance.clock import Clock
from package_hunter.inventory import rejudge_asked
from package_hunter.queue.base import Queue
from package_hunter.queue.periodic import Periodic
from package_hunter.store import reports
from package_hunter.store.archives import Archives
from package_hunter.store.collection import collect
from package_hunter.store.database import Store

_MANY, _REPORTS = 1_000, 50  # in one step


def chores(config: Settings, store: Store, queue: Queue) -> tuple[Periodic, ...]:
    """All chores of a server. ``run`` of each is one step, True where there is more to do."""
    clock, drills = Clock(store, queue), Drills(config, store, queue)
    grace = config.artefacts_grace_seconds
    return (
        Periodic("clock", config.clock_seconds, lambda: clock.tick(dt.datetime.now(dt.UTC))),
        Periodic("drill", 60.0, drills.step),
        Periodic("queue", 10.0, lambda: queue.requeue_expired() > 0),
        Periodic("rejudge", 2.0, lambda: rejudge_asked.step(store, config)),
        Periodic("bundles", 2.0, lambda: bundles.step(store, config)),
        Periodic("archives", 600.0, lambda: Archives(config, store).sweep() > _MANY),
        Periodic("reports", 60.0, lambda: reports.move_out(store, _REPORTS) == _REPORTS),
        Periodic("recordings", 60.0, lambda: retention.trim_recordings(store, config)),
        Periodic("retention", 3_600.0, lambda: retention.step(store, config)),
        Periodic("collection", 3_600.0, lambda: collect(store, grace, _MANY).number >= _MANY),
    )
