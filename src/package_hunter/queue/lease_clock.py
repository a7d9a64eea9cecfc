"""The one clock by which leases end: of all who look at a lease none may think that it is another time.

A machine's wall clock jumps, and those of several differ: a worker whose clock is an hour ahead would take every other
worker's scan for abandoned. So on PostgreSQL the time is the database's; on SQLite, where all is on one machine, it is
the time since that machine was started, which nobody sets. A lease of an earlier start is over.
"""

from __future__ import annotations

import time

from sqlalchemy import ColumnElement, and_, or_, text
from sqlalchemy.orm import Session

from package_hunter.queue.identity import start_of_machine
from package_hunter.store.models import JobRow

_DATABASE = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


def now_ms(session: Session) -> int:
    """Milliseconds, since whenever."""
    if _is_sqlite(session):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return int(session.execute(_DATABASE).scalar_one())


def over(session: Session) -> ColumnElement[bool]:
    """Of jobs that are leased: those whose lease has ended."""
    past = JobRow.lease_until < now_ms(session)
    if not _is_sqlite(session):
        return past
    # identity.Identity.name: HOST/START/PID/RANDOM
    earlier = and_(
        JobRow.worker.like("%/________/%/________________"),
        JobRow.worker.not_like(f"%/{start_of_machine()}/%"),
    )
    return or_(past, earlier)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
