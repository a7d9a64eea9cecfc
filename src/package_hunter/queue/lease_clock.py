"""The one clock by which leases end: of all who look at a lease none may think that it is another time.

A machine's wall clock jumps, and those of several differ: a worker whose clock is an hour ahead would take every other
worker's scan for abandoned. So on PostgreSQL the time is the database's; on SQLite, where all is on one machine, it is
the time since that machine was started, which nobody sets. A lease of an earlier start is over.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, or_, text
from sqlalchemy.orm import Session

from package_hunter.queue.identity import start_of_machine
from package_hunter.store.models import JobRow
from package_hunter.store.types import Whole

_DATABASE = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_ASKED, _INSIDE = text(f"SELECT {_DATABASE}"), literal_column(_DATABASE, Whole)


def now_ms(session: Session) -> int:
    """Milliseconds, since whenever."""
    if _is_sqlite(session):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return int(session.execute(_ASKED).scalar_one())


def after(session: Session, ms: int) -> Any:
    """The time in ``ms`` milliseconds, to be written into a column: on PostgreSQL an expression, which is no question
    of its own."""
    return now_ms(session) + ms if _is_sqlite(session) else _INSIDE + ms


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
