"""The queue in the store itself: SQLite, one machine. It has one writer at a time, so nothing is locked."""

from __future__ import annotations

import time

from package_hunter.queue import fair
from package_hunter.queue.base import Job
from package_hunter.queue.leases import Leases

_IDLE_SECONDS = 0.25


class LocalQueue(Leases):
    """Implements `queue.base.Queue` over the table ``jobs``."""

    def claim(self, worker: str, can: frozenset[str] | None = None) -> Job | None:
        """See the port."""
        if self._nothing_waits(can):
            return None
        with self._store.write() as session:
            most = self._settings.max_running_per_project
            found = fair.next_jobs(session, fair.needed(session, can), most)
            self._idle = not found
            return self._lease(session, found[0], worker) if found else None

    def wait(self, seconds: float) -> None:
        """See the port: nobody tells of a new scan here, but looking costs little."""
        time.sleep(min(seconds, _IDLE_SECONDS))
