"""What happens by itself as time passes: acceptances run out, scans are due, results are kept true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy.orm import Session

from package_hunter.governance import schedules
from package_hunter.governance.proposals import life
from package_hunter.inventory import after_scan
from package_hunter.model.priority import Priority
from package_hunter.queue import capabilities
from package_hunter.queue.base import Queue, Terms
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.scans import NewScan
from package_hunter.triage import expiry, projection, results

log = structlog.get_logger(__name__)

_BACKFILL, _REFRESH = 20, 200  # in one transaction
_MAX_WAITING = 1_000  # scans; while more wait, nothing is added by schedules


class Clock:
    """Its steps, each in a transaction of its own."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store, self._queue = store, queue

    def tick(self, now: dt.datetime) -> bool:
        """Take all steps once; True where there is more to do at once."""
        done = self._write(partial(projection.backfill, most=_BACKFILL))
        done += self._write(partial(after_scan.backfill, most=_BACKFILL))
        done += self._write(partial(expiry.expire, day=now.date()))
        done += self._write(partial(results.refresh, most=_REFRESH))
        done += self._settle(now)
        return bool(done) | self._serve(now)

    def _settle(self, now: dt.datetime) -> int:
        """Proposals that are due. Without the findings' lock: who approves one has the proposal's first."""
        with self._store.write() as session:
            return life.settle_due(session, int(now.timestamp() * 1000))

    def _serve(self, now: dt.datetime) -> bool:
        """One schedule in one project, so that the store is held shortly."""
        with self._store.read() as session:
            if scans.unfinished(session) >= _MAX_WAITING or not schedules.due(session, now):
                return False
        with self._store.write() as session:
            hold(session, FINDINGS)
            waiting = schedules.due(session, now)  # again: another server may have served it
            if waiting:
                row = schedules.serve(session, waiting[0], self._submit)
                name, project = waiting[0].schedule.name, waiting[0].path
                log.info(
                    "schedule served", schedule=name, project=project, scans=row.submitted, said=row.said
                )
        return len(waiting) > 1

    def _submit(self, session: Session, new: NewScan) -> None:
        scan = scans.add(session, new)
        # nobody waits for what a clock asks for: people and merge requests go first
        self._queue.enqueue(session, scan.id, Terms(Priority.NIGHTLY, needs=capabilities.of_scan(scan)))

    def _write(self, step: Callable[[Session], int]) -> int:
        with self._store.write() as session:
            hold(session, FINDINGS)
            return step(session)
